//! The document about the API: sound by OpenAPI's own schema, and true: every operation that it names
//! is called, and answers as it says.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::stand::{PATIENCE, Stand};

/// The schema of such documents; `schemas/README.md` says whose it is.
const SCHEMA: &str = include_str!("schemas/openapi-3.1.json");

async fn document(stand: &Stand) -> Value {
    let (status, document) = stand.get("/openapi.json").await;
    assert_eq!(status, 200);
    document
}

fn check(schema: &Value, value: &Value, of: &str) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{of}: {wrong:#?}");
}

#[tokio::test]
async fn the_document_is_one() {
    let stand = Stand::new().await;
    let document = document(&stand).await;
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    check(&schema, &document, "the document");
    // Names that several routes share would lead one of them to another.
    let mut ids = std::collections::BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(
            ids.insert(id),
            "{method} {path}: its operationId is another's"
        );
        assert!(operation["summary"].is_string(), "{method} {path}");
    }
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    all
}

/// Every operation with what is sent to it, in an order that makes sense.
fn calls(backup: &Value) -> Vec<(&'static str, &'static str, Option<Value>)> {
    let one = "/api/templates/deployments/{name}/";
    vec![
        ("get", "/health", None),
        ("get", "/ready", None),
        ("get", "/metrics", None),
        ("get", "/api/clusters/", None),
        ("get", "/api/me/", None),
        ("get", "/api/templates/", None),
        ("get", "/api/templates/{template_id}/", None),
        (
            "post",
            "/api/templates/deploy/{template_id}/",
            Some(json!({"name": "one"})),
        ),
        ("get", "/api/templates/deployments/", None),
        ("get", "/api/templates/deployments/events/", None),
        ("get", one, None),
        ("get", "/api/templates/deployments/{name}/logs/", None),
        ("get", "/api/templates/deployments/{name}/events/", None),
        (
            "post",
            "/api/templates/deployments/{name}/update/",
            Some(json!({"configuration": {"greeting": "hi"}})),
        ),
        (
            "post",
            "/api/templates/deployments/{name}/scale/",
            Some(json!({"replicas": 2})),
        ),
        (
            "post",
            "/api/templates/deployments/{name}/restart/",
            Some(json!({})),
        ),
        (
            "post",
            "/api/templates/deployments/{name}/check/",
            Some(json!({})),
        ),
        (
            "post",
            "/api/templates/deployments/{name}/stop/",
            Some(json!({})),
        ),
        (
            "post",
            "/api/templates/deployments/{name}/start/",
            Some(json!({})),
        ),
        ("get", "/api/backup/", None),
        ("post", "/api/backup/", Some(json!({}))),
        ("post", "/api/restore/", Some(backup.clone())),
        ("delete", "/api/templates/deployments/{name}/delete/", None),
    ]
}

#[tokio::test]
async fn every_operation_answers_as_the_document_says() {
    let stand = Stand::new().await;
    let document = document(&stand).await;
    let backup = json!({"schema": 1, "created": "2026-01-01T00:00:00Z", "backend": "mock",
        "servers": []});
    let calls = calls(&backup);
    for (path, method, _) in operations(&document) {
        assert!(
            calls
                .iter()
                .any(|call| (call.0, call.1) == (&method, &path)),
            "{method} {path} is not tried"
        );
    }
    for (method, path, body) in calls {
        let operation = &document["paths"][path][method];
        assert!(operation.is_object(), "{method} {path} is not documented");
        let said = ask(&stand, method, path, "", body.as_ref()).await;
        let wrong = said.status().as_u16() >= 400;
        // The mock has no server that could be asked; nothing else may fail.
        assert!(
            !wrong || path.ends_with("/check/"),
            "{method} {path}: {said:?}"
        );
        answers(&document, operation, said, &format!("{method} {path}")).await;
    }
    // What is refused is documented, too.
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().cloned();
        let takes = |name: &str| parameters.iter().flatten().any(|each| each["name"] == name);
        if takes("cluster") {
            let said = ask(&stand, &method, &path, "?cluster=nowhere", Some(&json!({}))).await;
            assert_eq!(said.status(), 404, "{method} {path}");
            answers(&document, &operation, said, &format!("{method} {path}")).await;
        }
    }
}

async fn ask(
    stand: &Stand,
    method: &str,
    path: &str,
    query: &str,
    body: Option<&Value>,
) -> Response {
    let path = path
        .replace("{name}", "one")
        .replace("{template_id}", "echo");
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut request = stand.ask(method.clone(), &format!("{path}{query}"));
    if let Some(body) = body.filter(|_| method == Method::POST) {
        request = request.json(body);
    }
    request.send().await.unwrap()
}

/// Whether an answer is one of those that the document names, and its body what is said of it.
async fn answers(document: &Value, operation: &Value, mut said: Response, of: &str) {
    let status = said.status().as_u16().to_string();
    let responses = &operation["responses"];
    let documented = match &responses[&status] {
        Value::Null => &responses["default"],
        some => some,
    };
    assert!(documented.is_object(), "{of}: {status} is not documented");
    let kind = said.headers()["content-type"].to_str().unwrap();
    let kind = kind.split(';').next().unwrap().to_owned();
    let content = &documented["content"][&kind];
    assert!(
        content.is_object(),
        "{of}: {status} as {kind} is not documented"
    );
    if kind != "application/json" && kind != "application/problem+json" {
        // A stream may have no end; that it begins is enough.
        timeout(PATIENCE, said.chunk())
            .await
            .expect("it begins")
            .unwrap();
        return;
    }
    let body: Value = said.json().await.unwrap();
    let mut schema = content["schema"].clone();
    schema["components"] = document["components"].clone();
    check(&schema, &body, of);
}
