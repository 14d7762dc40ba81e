//! What is open when a token is revoked, changed or made: it ends, and says why.

use std::time::Duration;

use mcp_platform::api::Limits;
use mcp_platform::api::caller::Role;
use mcp_platform::api::tokens;
use mcp_platform::model::Name;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::json;
use tokio::time::timeout;

use super::stand::{PATIENCE, Settings, Stand, answer};

const ALL: &str = "/api/templates/deployments/";

async fn stand() -> Stand {
    let limits = Limits {
        token_time: Duration::from_millis(50),
        ..Limits::default()
    };
    Stand::with(Settings {
        limits,
        ..Settings::default()
    })
    .await
}

fn revoke(stand: &Stand, name: &str) {
    let path = stand.folder.path().join("tokens.toml");
    tokens::revoke(&path, &Name::label(name).unwrap()).unwrap();
}

async fn open(request: RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

/// What comes until the answer ends.
async fn rest(mut response: Response) -> String {
    let mut text = String::new();
    while let Some(piece) = timeout(PATIENCE, response.chunk())
        .await
        .expect("it ends")
        .unwrap()
    {
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    text
}

#[tokio::test]
async fn streams_end_with_their_token_and_say_so() {
    let stand = stand().await;
    stand.deploy("one").await;
    let (one, other) = (
        stand.token("one", Role::Viewer, &[]),
        stand.token("other", Role::Viewer, &[]),
    );
    let ask = |path: &str, token: &str| {
        let request = stand.ask(Method::GET, path).bearer_auth(token);
        request.header("accept", "text/event-stream")
    };
    let (all, events) = (format!("{ALL}events/"), format!("{ALL}one/events/"));
    let logs = format!("{ALL}one/logs/?follow=true");
    let all_stream = open(ask(&all, &one)).await;
    let event_stream = open(ask(&events, &one)).await;
    let lines = open(ask(&logs, &one)).await;
    let mut kept = open(ask(&all, &other)).await;
    revoke(&stand, "one");
    for said in [rest(all_stream).await, rest(event_stream).await] {
        let last = said.split("\n\n").filter(|each| !each.is_empty()).last();
        let last = last.unwrap();
        assert!(last.starts_with("event: problem"), "{said}");
        assert!(last.contains("\"status\":401"), "{said}");
        assert!(last.contains("revoked"), "{said}");
    }
    let said = rest(lines).await;
    let last = said.lines().last().unwrap();
    assert!(last.contains("the lines end here"), "{said}");
    // The other one goes on.
    kept.chunk().await.unwrap().unwrap();
    let scale = stand.ask(Method::POST, &format!("{ALL}one/scale/"));
    let admin = stand.token("admin", Role::Admin, &[]);
    let scaled = scale.bearer_auth(&admin).json(&json!({"replicas": 2}));
    assert_eq!(answer(scaled).await.0, 200);
    let news = timeout(PATIENCE, kept.chunk()).await.expect("news");
    assert!(news.unwrap().unwrap().starts_with(b"event: deployment"));
}

#[tokio::test]
async fn a_stream_without_a_token_ends_with_the_first_token() {
    let stand = stand().await;
    let stream = open(stand.ask(Method::GET, &format!("{ALL}events/"))).await;
    stand.token("one", Role::Viewer, &[]);
    let said = rest(stream).await;
    assert!(said.contains("tokens are needed now"), "{said}");
}

#[tokio::test]
async fn a_session_of_mcp_ends_with_its_token() {
    let stand = stand().await;
    let (one, other) = (
        stand.token("one", Role::Viewer, &[]),
        stand.token("other", Role::Viewer, &[]),
    );
    let ask = |method: Method, token: &str, session: Option<&str>| {
        let mut request = stand
            .ask(method, "/mcp")
            .bearer_auth(token)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-06-18");
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        request
    };
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}}});
    let begun = open(ask(Method::POST, &one, None).json(&hello)).await;
    let session = begun.headers()["mcp-session-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let session = Some(session.as_str());
    rest(begun).await;
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let taken = ask(Method::POST, &one, session).json(&ready).send().await;
    assert_eq!(taken.unwrap().status(), 202);
    // It is for nobody else, not even its end.
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let request = ask(method.clone(), &other, session);
        let request = match method {
            Method::POST => request.json(&list),
            _ => request,
        };
        let status = request.send().await.unwrap().status();
        assert_eq!(status, 404, "{method}");
    }
    let stream = open(ask(Method::GET, &one, session)).await;
    revoke(&stand, "one");
    rest(stream).await;
    let again = ask(Method::GET, &one, session).send().await.unwrap();
    assert_eq!(again.status(), 401);
    // The session is gone, also for a new token of that name.
    let one = stand.token("one", Role::Viewer, &[]);
    let gone = async {
        loop {
            let request = ask(Method::POST, &one, session).json(&list);
            if request.send().await.unwrap().status() == 404 {
                break;
            }
        }
    };
    timeout(PATIENCE, gone).await.expect("the session ends");
}
