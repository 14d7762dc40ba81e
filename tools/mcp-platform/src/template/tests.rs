//! Tests of what templates and requests come to.

use serde_json::{Map, Value, json};

use crate::error::Kind;
use crate::model::{Name, Secrets, Spec};

use super::{Request, Template, builtin, instantiate, parse, reconfigure};

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn jupyter() -> Template {
    builtin()
        .unwrap()
        .templates
        .remove("mcp-server-jupyter")
        .unwrap()
}

fn notes() -> Template {
    parse(
        include_str!("../../examples/templates/notes/template.toml"),
        "notes",
    )
    .unwrap()
}

fn make(template: &Template, configuration: Value, present: Option<&Secrets>) -> Spec {
    let request = Request {
        configuration: map(configuration),
        ..Request::default()
    };
    let mut count = 0;
    let mut random = || {
        count += 1;
        format!("{count:032x}")
    };
    instantiate(
        template,
        &Name::label("here").unwrap(),
        &request,
        present,
        &mut random,
    )
    .unwrap()
}

#[test]
fn every_broken_place_is_named_and_no_value_is_shown() {
    let request = Request {
        configuration: map(json!({
            "token": "hunter2", "log_level": "loud", "max_kernels": "many", "other": 1,
        })),
        ..Request::default()
    };
    let here = Name::label("here").unwrap();
    let error = instantiate(&jupyter(), &here, &request, None, &mut String::new).unwrap_err();
    assert_eq!(error.kind, Kind::Invalid);
    let mut paths: Vec<&str> = error
        .details
        .iter()
        .map(|detail| detail.path.as_str())
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "/configuration",
            "/configuration/log_level",
            "/configuration/max_kernels",
            "/configuration/token"
        ]
    );
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn values_go_where_the_template_says() {
    let spec = make(
        &jupyter(),
        json!({ "token": "0123456789abcdef", "execution_timeout": 7 }),
        None,
    );
    assert_eq!(spec.environment["LOG_LEVEL"], "info");
    assert_eq!(spec.environment["MCP_MAX_KERNELS"], "10");
    assert!(
        spec.run
            .arguments
            .ends_with(&["--execution-timeout".to_owned(), "7".to_owned()])
    );
    assert_eq!(
        spec.secrets.environment["MCP_TOKEN"].expose(),
        "0123456789abcdef"
    );
    let open = serde_json::to_string(&spec).unwrap();
    assert!(!open.contains("0123456789abcdef"), "{open}");
    assert!(!format!("{spec:?}").contains("0123456789abcdef"));
}

#[test]
fn the_same_request_is_the_same_server_and_revision_in_any_order() {
    let one = make(
        &jupyter(),
        json!({ "token": "0123456789abcdef", "max_kernels": 3 }),
        None,
    );
    let other = make(
        &jupyter(),
        json!({ "max_kernels": 3, "token": "0123456789abcdef" }),
        None,
    );
    assert_eq!(one.identity, other.identity);
    assert_eq!(one.revision(), other.revision());
    let third = make(&jupyter(), json!({ "token": "0123456789abcdef" }), None);
    assert_ne!(one.identity, third.identity);
}

#[test]
fn a_companion_gets_one_password_and_keeps_it() {
    let first = make(&notes(), json!({}), None);
    let uri = first.secrets.environment["MONGO_URI"].expose();
    let password = first.secrets.generated["mongodb/password"].expose();
    let host = format!("{}-mongodb:27017", first.identity.name);
    assert!(uri.contains(password) && uri.contains(&host), "{uri}");
    assert!(!first.companions[1].enabled);
    let second = make(&notes(), json!({}), Some(&first.secrets));
    assert_eq!(first, second);
    let with_page = make(
        &notes(),
        json!({ "admin_page": true }),
        Some(&first.secrets),
    );
    assert!(with_page.companions[1].enabled);
    let host = format!("{}-mongodb", with_page.identity.name);
    let told = &with_page.companions[1].environment["ME_CONFIG_MONGODB_SERVER"];
    assert_eq!(told, &host);
    assert_eq!(with_page.secrets_id, first.secrets_id);
}

#[test]
fn an_update_keeps_the_secrets_it_does_not_name() {
    let template = jupyter();
    let spec = make(
        &template,
        json!({ "token": "0123456789abcdef", "max_kernels": 3 }),
        None,
    );
    let merged = reconfigure(
        &template,
        &spec,
        &map(json!({ "max_kernels": null, "log_level": "debug" })),
    );
    assert_eq!(
        Value::Object(merged),
        json!({ "token": "0123456789abcdef", "log_level": "debug" })
    );
}

#[test]
fn names_are_checked_with_what_is_appended() {
    let request = Request {
        name: Some("a".repeat(52)),
        ..Request::default()
    };
    let here = Name::label("here").unwrap();
    let error = instantiate(&notes(), &here, &request, None, &mut String::new).unwrap_err();
    assert_eq!(error.kind, Kind::Invalid);
    assert!(
        error
            .hints
            .iter()
            .any(|hint| hint.contains("-mongo-express")),
        "{error:?}"
    );
}

/// What is wrong with a template is said by its key.
fn check(change: &str, with: &str, path: &str) {
    let text = include_str!("../../templates/mcp-server-jupyter/template.toml");
    assert!(text.contains(change), "{change}");
    let error = parse(&text.replacen(change, with, 1), "t").unwrap_err();
    let found =
        error.details.iter().any(|detail| detail.path == path) || error.message.contains(path);
    assert!(found, "{path}: {error}");
}

#[test]
fn a_wrong_template_is_refused() {
    check("schema = 1", "schema = 2", "schema");
    check("id = \"mcp", "id = \"Mcp", "id");
    check("statefulness", "replicas = 2\nstatefulness", "replicas");
    check("drain-seconds = 10", "drain-seconds = 31", "drain-seconds");
    check("path = \"/health\"", "path = \"health\"", "health.path");
    check("size = \"2Gi\"", "size = \"2Gb\"", "volume[0].size");
    check("cpu-limit = \"2\"", "cpu-limit = \"100m\"", "resources");
    check(
        "key = \"log_level\"",
        "key = \"level\"",
        "configuration.setting[1].key",
    );
    check(
        "secret = true",
        "argument = \"--token\"\nsecret = true",
        "configuration.setting[0]",
    );
    check(
        "type = \"integer\"",
        "type = \"number?\"",
        "configuration.schema",
    );
    check("title =", "titel =", "titel");
    check(
        "bearer = \"MCP_TOKEN\"",
        "bearer = \"LOG_LEVEL\"",
        "transport.bearer",
    );
}
