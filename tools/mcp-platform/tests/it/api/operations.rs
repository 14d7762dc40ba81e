//! Every route that looks or changes, and every kind of error told apart.

use reqwest::Method;
use serde_json::json;

use super::stand::{PATIENCE, Settings, Stand, answer};

const ALL: &str = "/api/templates/deployments/";

#[tokio::test]
async fn a_server_goes_through_its_life() {
    let stand = Stand::new().await;
    let body = json!({"configuration": {"greeting": "hi"}, "name": "one", "replicas": 2});
    let (status, made) = stand.post("/api/templates/deploy/echo/", &body).await;
    assert_eq!(status, 201, "{made}");
    let deployment = &made["deployment"];
    assert_eq!(deployment["deployment_name"], "one");
    assert_eq!(deployment["status"], "running");
    assert_eq!(deployment["reason"], "ready");
    assert_eq!(deployment["ready_replicas"], 2);
    assert_eq!(deployment["available_replicas"], 2);
    assert_eq!(deployment["updated_replicas"], 2);
    assert!(deployment["endpoints"][0].is_string());
    assert!(deployment["conditions"].is_array());
    assert!(deployment.get("last_activity").is_some());

    let (status, again) = stand.post("/api/templates/deploy/echo/", &body).await;
    assert_eq!((status, &again["actions"]), (200, &json!([])));

    let one = format!("{ALL}one/");
    let (status, shown) = stand.get(&one).await;
    assert_eq!(status, 200);
    assert_eq!(shown["deployment"]["spec"]["template"], "echo");

    let steps = [
        ("scale/", json!({"replicas": 3}), "running", 3),
        ("stop/", json!({}), "stopped", 0),
        ("start/", json!({}), "running", 3),
        ("restart/", json!({}), "running", 3),
        (
            "update/",
            json!({"configuration": {"greeting": "ho"}}),
            "running",
            3,
        ),
        ("stop/", json!({"force": false}), "stopped", 0),
    ];
    for (verb, body, word, ready) in steps {
        let (status, answer) = stand.post(&format!("{one}{verb}"), &body).await;
        assert_eq!(status, 200, "{verb}: {answer}");
        assert_eq!(answer["deployment"]["status"], word, "{verb}");
        assert_eq!(answer["deployment"]["ready_replicas"], ready, "{verb}");
    }
    let (status, gone) = stand.delete(&format!("{one}delete/")).await;
    assert_eq!((status, &gone["deployment"]["name"]), (200, &json!("one")));
    assert_eq!(stand.get(&one).await.0, 404);
    assert_eq!(stand.delete(&format!("{one}delete/")).await.0, 404);
    let (_, all) = stand.get(ALL).await;
    assert_eq!(all["count"], 0);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let stand = Stand::new().await;
    for name in ["a", "b", "c"] {
        stand.deploy(name).await;
    }
    let other = json!({"name": "d", "namespace": "team-b"});
    assert_eq!(
        stand.post("/api/templates/deploy/alone/", &other).await.0,
        201
    );
    stand.post(&format!("{ALL}b/stop/"), &json!({})).await;

    let names = async |query: &str| {
        let (status, page) = stand.get(&format!("{ALL}{query}")).await;
        assert_eq!(status, 200, "{page}");
        let all = page["deployments"].as_array().unwrap();
        let names: Vec<String> = all
            .iter()
            .map(|each| each["name"].as_str().unwrap().to_owned())
            .collect();
        (names.join(","), page)
    };
    assert_eq!(names("").await.0, "a,b,c,d");
    assert_eq!(names("?namespace=team-b").await.0, "d");
    assert_eq!(names("?template=echo").await.0, "a,b,c");
    assert_eq!(names("?status=stopped").await.0, "b");
    assert_eq!(names("?status=stopped,running").await.0, "a,b,c,d");
    assert_eq!(names("?template=none").await.0, "");
    let (first, page) = names("?limit=3").await;
    assert_eq!((first.as_str(), &page["count"]), ("a,b,c", &json!(4)));
    let next = page["next"]
        .as_str()
        .unwrap()
        .trim_start_matches(ALL)
        .to_owned();
    let (last, page) = names(&next).await;
    assert_eq!((last.as_str(), &page["next"]), ("d", &json!(null)));

    for wrong in [
        "?status=fine",
        "?limit=0",
        "?limit=x",
        "?namespace=B",
        "?colour=red",
    ] {
        let (status, problem) = stand.get(&format!("{ALL}{wrong}")).await;
        assert_eq!(status, 422, "{wrong}: {problem}");
    }
}

#[tokio::test]
async fn templates_and_documents_are_there() {
    let stand = Stand::new().await;
    let (_, all) = stand.get("/api/templates/").await;
    assert!(all["count"].as_u64().unwrap() >= 3);
    let (_, echo) = stand.get("/api/templates/echo/").await;
    assert_eq!(echo["template"]["secrets"], json!(["token"]));
    assert_eq!(stand.get("/api/templates/none/").await.0, 404);
    let (status, clusters) = stand.get("/api/clusters/").await;
    assert_eq!(
        (status, &clusters["clusters"][0]["reachable"]),
        (200, &json!(true))
    );
    assert_eq!(stand.get("/health").await.0, 200);
    assert_eq!(stand.get("/ready").await.0, 200);
    let (_, me) = stand.get("/api/me/").await;
    assert_eq!(
        (&me["name"], &me["role"]),
        (&json!("local"), &json!("admin"))
    );
    let (_, document) = stand.get("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    references_lead_somewhere(&document, &document);
    for path in ["/docs", "/assets/docs.js", "/assets/docs.css", "/"] {
        let page = stand.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
    }
}

fn references_lead_somewhere(document: &serde_json::Value, part: &serde_json::Value) {
    if let Some(reference) = part.get("$ref").and_then(|text| text.as_str()) {
        let place = reference.trim_start_matches('#');
        assert!(document.pointer(place).is_some(), "{reference}");
    }
    let children: Vec<_> = match part {
        serde_json::Value::Object(map) => map.values().collect(),
        serde_json::Value::Array(all) => all.iter().collect(),
        _ => Vec::new(),
    };
    for child in children {
        references_lead_somewhere(document, child);
    }
}

#[tokio::test]
async fn kinds_of_errors_are_told_apart() {
    let stand = Stand::new().await;
    stand
        .post("/api/templates/deploy/alone/", &json!({"name": "one"}))
        .await;
    let scale = format!("{ALL}one/scale/");
    let (status, problem) = stand.post(&scale, &json!({"replicas": 2})).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(problem["kind"], "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("singleton"));
    stand.deploy("two").await;
    let (status, _) = stand
        .post(&format!("{ALL}two/scale/"), &json!({"replicas": 99}))
        .await;
    assert_eq!(status, 422);
    assert_eq!(
        stand.post(&format!("{ALL}none/start/"), &json!({})).await.0,
        404
    );
    let (status, problem) = stand.post(&format!("{ALL}one/none/"), &json!({})).await;
    assert_eq!((status, &problem["kind"]), (404, &json!("not-found")));
    let wrong = answer(stand.ask(Method::DELETE, &scale)).await;
    assert_eq!(wrong.0, 405);

    stand.faults("bad=crash");
    let (status, problem) = stand
        .post("/api/templates/deploy/echo/", &json!({"name": "bad"}))
        .await;
    assert_eq!(
        (status, &problem["kind"]),
        (502, &json!("failed")),
        "{problem}"
    );
    assert!(problem["detail"].as_str().unwrap().contains("removed"));
    assert_eq!(stand.get(&format!("{ALL}bad/")).await.0, 404);

    stand.faults("api-down");
    let down = stand.ask(Method::GET, ALL).send().await.unwrap();
    assert_eq!(down.status(), 503);
    assert!(down.headers().contains_key("retry-after"));
    assert_eq!(stand.get("/ready").await.0, 503);
    assert_eq!(stand.get("/health").await.0, 200);
    let (_, clusters) = stand.get("/api/clusters/").await;
    assert_eq!(clusters["clusters"][0]["reachable"], false);
    let (_, text) = stand.get("/metrics").await;
    let text = text.as_str().unwrap();
    assert!(
        text.contains("mcp_platform_backend_up{cluster=\"here\"} 0"),
        "{text}"
    );
    assert!(
        text.contains("mcp_platform_backend_errors_total{cluster=\"here\",kind=\"unavailable\"}")
    );
    stand.faults("");
    let (_, text) = stand.get("/metrics").await;
    let text = text.as_str().unwrap();
    assert!(text.contains(
        "mcp_platform_servers{cluster=\"here\",namespace=\"team-a\",state=\"running\"} 2"
    ));
    assert!(text.contains(
        "mcp_platform_operations_total{cluster=\"here\",operation=\"deploy\",outcome=\"failed\"} 1"
    ));
}

#[tokio::test]
async fn who_does_not_wait_is_told_at_once_and_it_goes_on() {
    let stand = Stand::new().await;
    stand.faults("slow:1");
    let path = "/api/templates/deploy/echo/?wait=false";
    let (status, taken) = stand.post(path, &json!({"name": "one"})).await;
    assert_eq!(
        (status, &taken["complete"]),
        (202, &json!(false)),
        "{taken}"
    );
    until_running(&stand, "one").await;
    // What is wrong is told all the same.
    let (status, _) = stand.post(path, &json!({"name": "No"})).await;
    assert_eq!(status, 422);
}

async fn until_running(stand: &Stand, name: &str) {
    let path = format!("{ALL}events/?status=running");
    let mut events = stand.ask(Method::GET, &path).send().await.unwrap();
    let mut seen = String::new();
    let said = async {
        while let Some(piece) = events.chunk().await.unwrap() {
            seen.push_str(std::str::from_utf8(&piece).unwrap());
            if seen.contains(&format!("\"name\":\"{name}\"")) {
                return;
            }
        }
        panic!("the stream ended: {seen}");
    };
    tokio::time::timeout(PATIENCE, said).await.expect("it runs");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_half_done() {
    let mut stand = Stand::new().await;
    stand.faults("slow:1");
    let path = stand.url("/api/templates/deploy/echo/");
    let request = stand.client.post(path).json(&json!({"name": "one"}));
    let asking = tokio::spawn(request.send());
    // Once it is there, the one who asked goes away.
    let begun = format!("{ALL}events/");
    let mut events = stand.ask(Method::GET, &begun).send().await.unwrap();
    let mut seen = String::new();
    while !seen.contains("\"name\":\"one\"") {
        let piece = events.chunk().await.unwrap().unwrap();
        seen.push_str(std::str::from_utf8(&piece).unwrap());
    }
    asking.abort();
    until_running(&stand, "one").await;
    drop(events);
    // The end waits until what came of it is written.
    assert_eq!(stand.end().await, 0);
    let outcomes: Vec<_> = stand
        .audit()
        .iter()
        .map(|line| line["outcome"].clone())
        .collect();
    assert_eq!(outcomes, [json!("begun"), json!("done")]);
}

#[tokio::test]
async fn the_end_lets_operations_come_to_theirs() {
    let mut stand = Stand::new().await;
    stand.faults("slow:1");
    let path = "/api/templates/deploy/echo/?wait=false";
    assert_eq!(stand.post(path, &json!({"name": "one"})).await.0, 202);
    let mut events = stand
        .ask(Method::GET, &format!("{ALL}events/"))
        .send()
        .await
        .unwrap();
    assert_eq!(stand.end().await, 0);
    let last = stand.audit().pop().unwrap();
    assert_eq!(last["outcome"], "done");
    // The stream ended, it did not break.
    while events.chunk().await.unwrap().is_some() {}
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let settings = Settings {
        audit: Some("/dev/full".into()),
        ..Settings::default()
    };
    let stand = Stand::with(settings).await;
    let (status, problem) = stand
        .post("/api/templates/deploy/echo/", &json!({"name": "one"}))
        .await;
    assert_eq!(status, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("audit"));
    let (_, all) = stand.get(ALL).await;
    assert_eq!(all["count"], 0);
}
