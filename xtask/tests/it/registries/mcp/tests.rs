//! The registry asked as `mcp-publisher` asks it.

use serde_json::{Value, json};

use super::super::client::ask;
use super::super::front::Front;
use super::super::message::{Reply, encoded};
use super::{GITHUB_TOKEN, Mcp, OFFICIAL, Trouble};

const NAME: &str = "io.github.owner/demo";

fn server() -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME,
        "description": "A sound server",
        "version": "1.0.0",
        "packages": [{
            "registryType": "pypi",
            "identifier": "demo-server",
            "version": "1.0.0",
            "transport": { "type": "stdio" },
            "environmentVariables": [{ "name": "KEY", "isRequired": false, "isSecret": true }],
        }],
    })
}

fn post(front: &Front<Mcp>, path: &str, token: Option<&str>, body: &Value) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let header = bearer.as_deref().map(|value| ("authorization", value));
    let headers: Vec<_> = header.into_iter().collect();
    ask(
        &front.url(),
        "POST",
        path,
        &headers,
        body.to_string().as_bytes(),
    )
}

fn login(front: &Front<Mcp>) -> String {
    let body = json!({ "github_token": GITHUB_TOKEN });
    let reply = post(front, "/v0/auth/github-at", None, &body);
    reply.value()["registry_token"].as_str().unwrap().to_owned()
}

fn publish(front: &Front<Mcp>, token: &str, server: &Value) -> Reply {
    post(front, "/v0.1/publish", Some(token), server)
}

fn read(front: &Front<Mcp>, query: &str) -> Reply {
    let path = format!("/v0.1/servers/{}/versions/1.0.0{query}", encoded(NAME));
    ask(&front.url(), "GET", &path, &[], b"")
}

fn reason(reply: &Reply) -> String {
    let value = reply.value();
    value["errors"][0]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_version_is_published_once_even_when_it_is_deleted() {
    let front = Front::start(Mcp::default());
    let token = login(&front);
    assert_eq!(read(&front, "").value()["detail"], "Server not found");
    front.service().visible_after = 1;
    let reply = publish(&front, &token, &server());
    assert_eq!(reply.status, 200);
    assert_eq!(reply.value()["_meta"][OFFICIAL]["status"], "active");
    assert_eq!(read(&front, "").status, 404);
    let shown = read(&front, "").value();
    assert_eq!(shown["server"]["name"], NAME);
    let variable = &shown["server"]["packages"][0]["environmentVariables"][0];
    assert_eq!(*variable, json!({ "name": "KEY", "isSecret": true }));
    assert_eq!(shown["_meta"][OFFICIAL]["isLatest"], true);
    let again = post(&front, "/v0/publish", Some(&token), &server());
    let text = "invalid version: cannot publish duplicate version";
    assert_eq!((again.status, reason(&again).as_str()), (400, text));
    assert_eq!(again.value()["detail"], "Failed to publish server");
    let path = format!("/v0.1/servers/{}/versions/1.0.0/status", encoded(NAME));
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let body = b"{\"status\":\"deleted\"}";
    assert_eq!(
        ask(&front.url(), "PATCH", &path, &headers, body).status,
        200
    );
    assert_eq!(read(&front, "").status, 404);
    let shown = read(&front, "?include_deleted=true").value();
    assert_eq!(shown["_meta"][OFFICIAL]["status"], "deleted");
    assert_eq!(reason(&publish(&front, &token, &server())), text);
    assert_eq!(front.stored(), ["io.github.owner/demo 1.0.0"]);
    let path = format!(
        "/v0.1/servers/{}/versions?include_deleted=true",
        encoded(NAME)
    );
    let list = ask(&front.url(), "GET", &path, &[], b"").value();
    assert_eq!(list["metadata"]["count"], 1);
}

#[test]
fn a_package_is_not_found_yet() {
    let front = Front::start(Mcp::package_missing(2));
    let token = login(&front);
    let text = "registry validation failed for package 0 (demo-server): PyPI package \
                'demo-server' exists, but version '1.0.0' was not found (status: 404).";
    assert!(reason(&publish(&front, &token, &server())).starts_with(text));
    front.service().trouble = Trouble::Package;
    let reply = publish(&front, &token, &server());
    assert!(reason(&reply).ends_with("PyPI package 'demo-server' not found (status: 404)"));
    assert_eq!(publish(&front, &token, &server()).status, 200);
    assert_eq!(front.stored().len(), 1);
    let mut service = front.service();
    (service.failing, service.trouble) = (1, Trouble::Marker);
    drop(service);
    let mut next = server();
    next["version"] = json!("1.0.1");
    let reply = publish(&front, &token, &next);
    assert!(reason(&reply).contains("must appear as 'mcp-name: io.github.owner/demo' in"));
}

#[test]
fn logins_grant_the_names_of_their_owner_for_a_while() {
    let front = Front::start(Mcp::default());
    let exchange = |audience: &str| {
        let identity = front.service().actions.identity(audience);
        post(
            &front,
            "/v0/auth/github-oidc",
            None,
            &json!({ "oidc_token": identity }),
        )
    };
    let reply = exchange("mcp-registry");
    assert_eq!(
        (reply.status, &reply.value()["detail"]),
        (401, &json!("Token exchange failed"))
    );
    let text = format!(
        "invalid audience: expected {}, got [mcp-registry]",
        front.url()
    );
    assert!(reason(&reply).ends_with(&text), "{}", reason(&reply));
    front.service().uses = 1;
    let reply = exchange(&front.url());
    let token = reply.value()["registry_token"].as_str().unwrap().to_owned();
    let mut foreign = server();
    foreign["name"] = json!("io.github.other/demo");
    let reply = publish(&front, &token, &foreign);
    let text = "You do not have permission to publish this server. You have permission to \
                publish: io.github.owner/*. Attempting to publish: io.github.other/demo";
    assert_eq!(
        (reply.status, &reply.value()["detail"]),
        (403, &json!(text))
    );
    let reply = publish(&front, &token, &server());
    let text = "Invalid or expired Registry JWT token";
    assert_eq!(
        (reply.status, &reply.value()["detail"]),
        (401, &json!(text))
    );
    assert_eq!(post(&front, "/v0/publish", None, &server()).status, 422);
    let body = json!({ "github_token": "x" });
    assert_eq!(post(&front, "/v0/auth/github-at", None, &body).status, 401);
    assert!(front.stored().is_empty());
}

#[test]
fn what_is_wrong_with_a_server_is_said() {
    let front = Front::start(Mcp::default());
    let token = login(&front);
    let own = "io.modelcontextprotocol.registry/publisher-provided";
    let cases = [
        (
            "description",
            json!("x".repeat(101)),
            422,
            "expected length <= 100",
        ),
        (
            "version",
            json!(null),
            422,
            "expected required property version to be present",
        ),
        ("extra", json!(1), 422, "unexpected property"),
        (
            "$schema",
            json!("x"),
            400,
            "schema version is not supported",
        ),
        (
            "version",
            json!("latest"),
            400,
            "version must be a specific version",
        ),
        ("_meta", json!({ "other": {} }), 400, "invalid _meta key"),
        (
            "_meta",
            json!({ own: "x".repeat(5000) }),
            400,
            "exceeds the 4KB limit",
        ),
    ];
    for (field, value, status, expected) in cases {
        let mut server = server();
        server[field] = value;
        let reply = publish(&front, &token, &server);
        assert_eq!(reply.status, status, "{field}");
        assert!(reason(&reply).contains(expected), "{}", reason(&reply));
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
    }
    assert!(front.stored().is_empty());
}
