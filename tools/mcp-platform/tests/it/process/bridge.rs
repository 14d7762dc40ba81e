//! The bridge: one process a session, and who may talk to it.

use mcp_platform::service::CheckTarget;
use reqwest::{Client as Http, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::clients::Client;
use super::{Room, TOKEN, gone, identity, processes};

fn children(room: &Room) -> usize {
    let child =
        |command: &str| command.trim_end().ends_with(" echo") && !command.contains(" bridge ");
    processes(room.folder.path())
        .iter()
        .filter(|process| child(&process.command))
        .count()
}

fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_has_a_process_of_its_own() {
    let room = Room::new();
    room.deploy("pipe", 1, json!({ "token": TOKEN }))
        .await
        .unwrap();
    let check = room
        .service
        .check(&identity(), CheckTarget::Whole)
        .await
        .unwrap();
    assert!(check.passed, "{check:?}");
    let endpoint = room.endpoint().await;
    let (one, two) = (
        Client::connect(&endpoint).await,
        Client::connect(&endpoint).await,
    );
    assert_ne!(one.who().await.1, two.who().await.1);
    assert_eq!(one.echo("ä").await, "hello, ä");
    gone(|| children(&room) == 2).await;
    one.close().await;
    gone(|| children(&room) == 1).await;
    // A process that dies takes its session with it, and nobody waits for ever.
    let victim = i32::try_from(two.who().await.1).unwrap();
    super::kill(victim);
    gone(|| children(&room) == 0).await;
    two.close().await;
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_turned_away() {
    let room = Room::new();
    room.deploy("pipe", 1, json!({ "token": TOKEN }))
        .await
        .unwrap();
    let endpoint = room.endpoint().await;
    let http = Http::builder().no_proxy().build().unwrap();
    let post = || http.post(&endpoint).json(&initialize());
    let good = || post().bearer_auth(TOKEN);
    let check = |request: RequestBuilder, status: u16| async move {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap());
        response
    };
    check(post(), 401).await;
    check(post().bearer_auth("wrong"), 401).await;
    check(good().header("host", "evil.example"), 403).await;
    check(good().header("origin", "http://evil.example"), 403).await;
    check(good().header("origin", "null"), 403).await;
    check(good().header("mcp-session-id", "none"), 404).await;
    check(good().body("{"), 400).await;
    check(good().body("[]"), 400).await;
    check(
        good().json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })),
        400,
    )
    .await;
    check(good().body("x".repeat(5 << 20)), 413).await;
    assert_eq!(children(&room), 0);
    let response = check(good(), 200).await;
    assert_eq!(children(&room), 1);
    let session = response.headers()["mcp-session-id"].clone();
    let ended = http
        .delete(&endpoint)
        .bearer_auth(TOKEN)
        .header("mcp-session-id", &session);
    check(ended, 204).await;
    check(good().header("mcp-session-id", &session), 404).await;
    gone(|| children(&room) == 0).await;
    room.delete().await;
}
