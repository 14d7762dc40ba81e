//! Bad input: the right status, a clear text, and nothing changed.

use reqwest::Method;
use serde_json::{Value, json};

use super::stand::{Settings, Stand, answer};

const DEPLOY: &str = "/api/templates/deploy/echo/";

async fn nothing_changed(stand: &Stand) {
    let (_, all) = stand.get("/api/templates/deployments/").await;
    assert_eq!(all["count"], 0);
    // A refusal by the operation itself was begun, and is recorded as what it was; nothing was done.
    let done = stand
        .audit()
        .into_iter()
        .find(|line| line["outcome"] == "done");
    assert_eq!(done, None);
}

async fn check(stand: &Stand, body: Value, status: u16, says: &str) {
    let (got, problem) = stand.post(DEPLOY, &body).await;
    assert_eq!(got, status, "{body}: {problem}");
    assert!(problem.to_string().contains(says), "{body}: {problem}");
}

#[tokio::test]
async fn wrong_words_are_refused() {
    let stand = Stand::new().await;
    for name in [
        "",
        "Upper",
        "under_score",
        "büro",
        "-a",
        "a.b",
        "a/b",
        "a b",
    ] {
        check(&stand, json!({"name": name}), 422, "DNS-1123").await;
    }
    check(&stand, json!({"name": "a".repeat(53)}), 422, "more than 52").await;
    check(&stand, json!({"namespace": "No"}), 422, "namespace").await;
    check(&stand, json!({"replicas": -1}), 422, "#/replicas").await;
    check(&stand, json!({"replicas": true}), 422, "#/replicas").await;
    check(&stand, json!({"replicas": 11}), 422, "11").await;
    check(&stand, json!({"colour": 1}), 422, "colour").await;
    check(&stand, json!([]), 422, "#").await;
    let images = [
        "repo:tag:tag",
        "UPPER/case",
        "host:99999/a",
        "a@sha256:12",
        "a b",
        "host:5000/a@md5:00",
    ];
    for image in images {
        check(&stand, json!({"image": image}), 422, "#/image").await;
    }
    check(
        &stand,
        json!({"exposure": {"kind": "moon"}}),
        422,
        "#/exposure",
    )
    .await;
    let (status, problem) = stand.post("/api/templates/deploy/none/", &json!({})).await;
    assert_eq!(status, 404, "{problem}");
    assert!(problem["hints"][0].as_str().unwrap().contains("echo"));
    nothing_changed(&stand).await;
}

#[tokio::test]
async fn each_place_that_breaks_the_schema_is_named_and_no_secret_shown() {
    let stand = Stand::new().await;
    let configuration = json!({"greeting": 7, "token": "hunter2", "colour": "red"});
    let (status, problem) = stand
        .post(DEPLOY, &json!({"configuration": configuration}))
        .await;
    assert_eq!(status, 422);
    let places: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert!(places.contains(&"#/configuration/greeting"), "{problem}");
    assert!(places.contains(&"#/configuration/token"), "{problem}");
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
    nothing_changed(&stand).await;
}

#[tokio::test]
async fn images_with_ports_and_digests_are_taken_as_they_are() {
    let stand = Stand::new().await;
    let digest = format!("localhost:5000/a/b@sha256:{}", "0".repeat(64));
    for (name, image) in [("one", "localhost:5000/a/b:1.0"), ("two", digest.as_str())] {
        let body = json!({"name": name, "image": image});
        let (status, made) = stand.post(DEPLOY, &body).await;
        assert_eq!(status, 201, "{made}");
        assert_eq!(made["deployment"]["image"], image);
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_are_told_apart() {
    let settings = Settings::default();
    let stand = Stand::with(settings).await;
    let send = async |kind: Option<&str>, body: Vec<u8>| {
        let mut request = stand.ask(Method::POST, DEPLOY).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        answer(request).await.0
    };
    let json = Some("application/json");
    assert_eq!(send(json, b"{".to_vec()).await, 400);
    assert_eq!(send(json, b"\xff\xfe".to_vec()).await, 400);
    assert_eq!(send(json, "[".repeat(10_000).into_bytes()).await, 400);
    assert_eq!(send(None, b"{}".to_vec()).await, 415);
    assert_eq!(send(Some("text/plain"), b"{}".to_vec()).await, 415);
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(send(form, b"name=one".to_vec()).await, 415);
    assert_eq!(send(json, vec![b' '; 1024 * 1024 + 1]).await, 413);
    let secret = br#"{"configuration": {"token": "hunter2hunter2""#.to_vec();
    let request = stand.ask(Method::POST, DEPLOY).body(secret);
    let (status, problem) = answer(request.header("content-type", "application/json")).await;
    assert_eq!(status, 400);
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
    nothing_changed(&stand).await;
}

#[tokio::test]
async fn names_in_paths_are_checked_too() {
    let stand = Stand::new().await;
    for name in ["Upper", "a.b", "a%2fb", "%C3%BC", "a%00"] {
        let (status, problem) = stand
            .get(&format!("/api/templates/deployments/{name}/"))
            .await;
        assert_eq!(status, 422, "{name}: {problem}");
    }
    let (status, _) = stand.get("/api/templates/deployments/%ff/").await;
    assert_eq!(status, 400);
    let (status, problem) = stand.get("/api/templates/deployments").await;
    assert_eq!(status, 404);
    assert!(problem["hints"][0].as_str().unwrap().contains("slash"));
}
