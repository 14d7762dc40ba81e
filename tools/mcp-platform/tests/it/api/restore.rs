//! Backup and restore.

use mcp_platform::api::Limits;
use mcp_platform::api::caller::Role;
use reqwest::Method;
use serde_json::json;

use super::stand::{Settings, Stand, answer};

const ALL: &str = "/api/templates/deployments/";

#[tokio::test]
async fn what_was_deleted_comes_back_as_it_was_and_again_changes_nothing() {
    let stand = Stand::new().await;
    let body = json!({"name": "one", "replicas": 2, "configuration": {"greeting": "hi"}});
    stand.post("/api/templates/deploy/echo/", &body).await;
    stand.deploy("two").await;
    stand
        .post(&format!("{ALL}two/scale/"), &json!({"replicas": 3}))
        .await;
    stand.post(&format!("{ALL}two/stop/"), &json!({})).await;
    let (_, before) = stand.get(&format!("{ALL}one/")).await;
    let (status, backup) = stand.get("/api/backup/").await;
    assert_eq!((status, &backup["schema"]), (200, &json!(1)));
    assert_eq!(backup["servers"].as_array().unwrap().len(), 2);

    let (status, plan) = stand.post("/api/restore/?dry_run=true", &backup).await;
    assert_eq!(status, 200, "{plan}");
    assert!(
        plan["servers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|each| each["actions"] == json!([]))
    );
    for name in ["one", "two"] {
        stand.delete(&format!("{ALL}{name}/delete/")).await;
    }
    let (_, plan) = stand.post("/api/restore/?dry_run=true", &backup).await;
    assert_eq!(plan["dry_run"], true);
    assert!(
        plan["servers"][0]["actions"][0]
            .as_str()
            .unwrap()
            .contains("create")
    );
    assert_eq!(stand.get(ALL).await.1["count"], 0);

    let (status, done) = stand.post("/api/restore/", &backup).await;
    assert_eq!((status, &done["complete"]), (200, &json!(true)), "{done}");
    let (_, after) = stand.get(&format!("{ALL}one/")).await;
    assert_eq!(
        after["deployment"]["revision"],
        before["deployment"]["revision"]
    );
    assert_eq!(after["deployment"]["ready_replicas"], 2);
    let (_, two) = stand.get(&format!("{ALL}two/")).await;
    assert_eq!(two["deployment"]["status"], "stopped");
    assert_eq!(two["deployment"]["remembered_replicas"], 3);
    let (status, again) = stand.post("/api/restore/", &backup).await;
    assert_eq!(status, 200);
    assert!(
        again["servers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|each| each["actions"] == json!([]))
    );
}

#[tokio::test]
async fn secrets_that_are_missing_are_said() {
    let stand = Stand::new().await;
    let body = json!({"name": "one", "configuration": {"token": "hunter2hunter2"}});
    stand.post("/api/templates/deploy/echo/", &body).await;
    let (_, backup) = stand.get("/api/backup/").await;
    assert!(!backup.to_string().contains("hunter2"));
    // The server itself still has them.
    let (status, _) = stand.post("/api/restore/", &backup).await;
    assert_eq!(status, 200);
    stand.delete(&format!("{ALL}one/delete/")).await;
    let (status, done) = stand.post("/api/restore/", &backup).await;
    assert_eq!((status, &done["complete"]), (207, &json!(false)));
    assert!(
        done["servers"][0]["error"]
            .as_str()
            .unwrap()
            .contains("MCP_TOKEN")
    );
    assert_eq!(stand.get(ALL).await.1["count"], 0);
}

#[tokio::test]
async fn foreign_namespaces_and_documents_are_refused_as_a_whole() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let (_, backup) = stand.get("/api/backup/").await;
    stand.delete(&format!("{ALL}one/delete/")).await;
    for wrong in [
        json!({"schema": 2}),
        json!({"schema": 1}),
        json!([]),
        json!({}),
    ] {
        let (status, problem) = stand.post("/api/restore/", &wrong).await;
        assert_eq!(status, 422, "{wrong}: {problem}");
    }
    let other = stand.token("other", Role::Admin, &["team-b"]);
    let request = stand.ask(Method::POST, "/api/restore/").json(&backup);
    assert_eq!(answer(request.bearer_auth(&other)).await.0, 403);
    let admin = stand.token("admin", Role::Admin, &[]);
    let all = stand.ask(Method::GET, ALL).bearer_auth(&admin);
    assert_eq!(answer(all).await.1["count"], 0);
}

#[tokio::test]
async fn a_long_backup_is_taken_of_administrators_only() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let (_, mut backup) = stand.get("/api/backup/").await;
    let saved = backup["servers"][0].clone();
    // As many copies of the same server as are longer than any other body may be.
    let copies = 3 * 1024 * 1024 / saved.to_string().len();
    backup["servers"] = json!(vec![saved; copies]);
    let text = backup.to_string();
    assert!(text.len() > 2 * 1024 * 1024);
    let plan = |text: String| {
        let request = stand.ask(Method::POST, "/api/restore/?dry_run=true");
        request
            .header("content-type", "application/json")
            .body(text)
    };
    let (status, done) = answer(plan(text.clone())).await;
    assert_eq!((status, &done["complete"]), (200, &json!(true)));
    assert_eq!(done["servers"].as_array().unwrap().len(), copies);
    let cut_off = text[..text.len() - 1].to_owned();
    let (status, problem) = answer(plan(cut_off)).await;
    assert_eq!(status, 400, "{problem}");
    let secret = text.replacen("\"desired\":1", "\"desired\":\"hunter2\"", 1);
    let (status, problem) = answer(plan(secret)).await;
    assert_eq!(status, 422, "{problem}");
    assert!(
        problem.to_string().contains("servers[0].desired"),
        "{problem}"
    );
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
    let operator = stand.token("operator", Role::Operator, &[]);
    let refused = plan(text).bearer_auth(&operator);
    // It is refused before the body is read, so that the client may not be done with it.
    if let Ok(refused) = refused.send().await {
        assert_eq!(refused.status(), 403);
    }
}

#[tokio::test]
async fn a_backup_that_is_too_long_is_refused() {
    let limits = Limits {
        backup: 1024,
        ..Limits::default()
    };
    let stand = Stand::with(Settings {
        limits,
        ..Settings::default()
    })
    .await;
    let long = json!({"schema": 1, "created": "2026-01-01T00:00:00Z", "backend": "mock",
        "servers": [], "foreign": vec!["x"; 1024]});
    assert_eq!(stand.post("/api/restore/", &long).await.0, 413);
}
