//! Sessions: which instance they are on, that they are waited for, that many at once are no trouble.

use std::collections::BTreeSet;

use mcp_platform::model::State;
use mcp_platform::service::{CheckTarget, StopMode};
use serde_json::json;

use super::clients::Client;
use super::{Room, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stays_where_it_began() {
    let room = Room::new();
    room.deploy("sticky", 3, json!({ "token": TOKEN }))
        .await
        .unwrap();
    let endpoint = room.endpoint().await;
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let client = Client::connect(&endpoint).await;
        let who = client.who().await;
        for _ in 0..3 {
            assert_eq!(client.who().await, who);
        }
        seen.insert(who);
        client.close().await;
    }
    assert_eq!(seen.len(), 3, "new sessions go to each in turn");
    assert!(Client::try_connect(&endpoint, "wrong").await.is_err());
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_at_once_while_it_is_replaced() {
    let room = Room::new();
    room.deploy("sticky", 2, json!({ "token": TOKEN }))
        .await
        .unwrap();
    let endpoint = room.endpoint().await;
    let clients = (0..50).map(|number| {
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            let client = Client::connect(&endpoint).await;
            for round in 0..5 {
                let text = format!("{number}.{round}");
                assert_eq!(client.echo(&text).await, format!("hello, {text}"));
            }
            client.close().await;
        })
    });
    let clients = futures::future::join_all(clients);
    let (replaced, done) = tokio::join!(room.restart(), clients);
    replaced.unwrap();
    for client in done {
        client.unwrap();
    }
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_takes_new_sessions_away_and_waits_for_the_open_ones() {
    let room = Room::new();
    room.deploy("sticky", 1, json!({ "token": TOKEN }))
        .await
        .unwrap();
    let endpoint = room.endpoint().await;
    let client = Client::connect(&endpoint).await;
    let begun = std::time::Instant::now();
    let talk = async {
        room.until("draining", |observed| observed.draining).await;
        assert!(Client::try_connect(&endpoint, TOKEN).await.is_err());
        assert_eq!(client.echo("still").await, "hello, still");
        client.close().await;
    };
    let (stopped, ()) = tokio::join!(room.stop(StopMode::Graceful), talk);
    stopped.unwrap();
    // The deadline is 30 s; the last session ended long before.
    assert!(begun.elapsed().as_secs() < 20);
    room.start().await.unwrap();
    assert_eq!(room.status().await.status.state, State::Running);
    Client::connect(&endpoint).await.close().await;
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn websocket_goes_through_the_front() {
    let room = Room::new();
    room.deploy("socket", 2, json!({ "token": TOKEN }))
        .await
        .unwrap();
    assert!(room.endpoint().await.starts_with("ws://127.0.0.1:"));
    for target in [CheckTarget::Whole, CheckTarget::Instances] {
        let check = room
            .service
            .check(&super::identity(), target)
            .await
            .unwrap();
        assert!(check.passed, "{check:?}");
        assert!(!format!("{check:?}").contains(TOKEN));
    }
    room.delete().await;
}
