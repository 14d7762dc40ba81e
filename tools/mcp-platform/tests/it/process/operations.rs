//! Every operation, on a real server.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;

use futures::StreamExt as _;
use mcp_platform::backend::LogOptions;
use mcp_platform::error::Kind;
use mcp_platform::model::{Action, Phase, Remember, State};
use mcp_platform::service::{CheckTarget, StopMode};
use serde_json::json;

use super::clients::{Client, written};
use super::{Room, TOKEN, identity, processes};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life() {
    let room = Room::new();
    room.echo(1).await;
    let endpoint = room.endpoint().await;
    let check = room
        .service
        .check(&identity(), CheckTarget::Whole)
        .await
        .unwrap();
    assert!(check.passed, "{check:?}");
    room.scale(3).await.unwrap();
    let lines = logs(&room, &LogOptions::default()).await;
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("listens at"))
            .count(),
        3,
        "{lines:?}"
    );
    let check = room
        .service
        .check(&identity(), CheckTarget::Instances)
        .await
        .unwrap();
    assert!(check.passed && check.steps.len() == 21, "{check:?}");

    room.stop(StopMode::Graceful).await.unwrap();
    assert_eq!(room.status().await.status.state, State::Stopped);
    super::gone(|| processes(room.folder.path()).is_empty()).await;
    let error = room.service.check(&identity(), CheckTarget::Whole).await;
    assert!(!error.unwrap().passed);

    room.start().await.unwrap();
    let report = room.status().await;
    assert_eq!(
        (report.status.state, report.observed.ready),
        (State::Running, 3)
    );
    assert_eq!(room.endpoint().await, endpoint);

    room.update(json!({ "greeting": "hej" })).await.unwrap();
    let client = Client::connect(&endpoint).await;
    assert_eq!(client.echo("du").await, "hej, du");
    client.close().await;

    let before = instances(&room).await;
    room.restart().await.unwrap();
    assert!(before.is_disjoint(&instances(&room).await));
    assert_eq!(before.len(), 3);

    room.stop(StopMode::Force).await.unwrap();
    room.start().await.unwrap();
    assert_eq!(room.status().await.observed.ready, 3);
    let events = room.service.backend.events(&identity()).await.unwrap();
    assert!(events.iter().any(|event| event.reason == "Stopped"));
    room.delete().await;
    let missing = room.service.status(&identity()).await.unwrap_err();
    assert_eq!(missing.kind, Kind::NotFound);
}

/// Those that are not on their way out.
async fn instances(room: &Room) -> BTreeSet<String> {
    let instances = room.status().await.observed.instances.clone();
    instances
        .into_iter()
        .filter(|instance| instance.phase != Phase::Ending)
        .map(|instance| instance.name)
        .collect()
}

async fn logs(room: &Room, options: &LogOptions) -> Vec<String> {
    let lines = room
        .service
        .backend
        .logs(&identity(), options)
        .await
        .unwrap();
    lines.map(|line| line.unwrap().text).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_changes_nothing() {
    let room = Room::new();
    let first = room.echo(2).await;
    assert_eq!(first.actions.len(), 1);
    let generation = room.status().await.observed.generation;
    let before = instances(&room).await;
    assert_eq!(room.echo(2).await.actions, []);
    assert_eq!(room.start().await.unwrap().actions, []);
    assert_eq!(room.scale(2).await.unwrap().actions, []);
    assert_eq!(room.update(json!({})).await.unwrap().actions, []);
    assert_eq!(room.status().await.observed.generation, generation);
    assert_eq!(instances(&room).await, before);
    room.stop(StopMode::Graceful).await.unwrap();
    assert_eq!(room.stop(StopMode::Graceful).await.unwrap().actions, []);
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_fails_is_undone() {
    let room = Room::new();
    room.deploy("flaw", 2, json!({ "token": TOKEN }))
        .await
        .unwrap();
    let good = room.status().await.observed.revision.clone();
    let error = room
        .update(json!({ "fail": "exit:3", "greeting": "no" }))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Failed);
    assert!(
        error.message.contains("crash-loop") && error.message.contains("rolled back"),
        "{error}"
    );
    let report = room.status().await;
    assert_eq!(
        (report.status.state, report.observed.revision.clone()),
        (State::Running, good)
    );
    let client = Client::connect(&room.endpoint().await).await;
    assert_eq!(client.echo("x").await, "hello, x");
    let previous = LogOptions {
        previous: true,
        ..LogOptions::default()
    };
    let lines = logs(&room, &previous).await;
    assert!(
        lines.iter().any(|line| line.contains("fails with 3")),
        "{lines:?}"
    );
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_race_is_a_conflict() {
    let room = Room::new();
    room.echo(1).await;
    let stale = room.status().await.observed;
    room.scale(2).await.unwrap();
    let mut spec = stale.spec.clone().unwrap();
    spec.environment
        .insert("ECHO_GREETING".to_owned(), "late".to_owned());
    let backend = &room.service.backend;
    let apply = |expected| Action::Apply {
        spec: spec.clone(),
        replicas: 1,
        remember: Remember::Forget,
        previous: None,
        expected,
    };
    for action in [
        apply(stale.token.clone()),
        apply(None),
        Action::Scale {
            from: 1,
            to: 3,
            remember: Remember::Forget,
        },
    ] {
        let error = backend.perform(&identity(), &action).await.unwrap_err();
        assert_eq!(error.kind, Kind::Conflict, "{error}");
    }
    let report = room.status().await;
    assert_eq!(
        (report.observed.desired, report.observed.revision.clone()),
        (2, stale.revision.clone())
    );
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_one_file_only() {
    let room = Room::new();
    room.echo(1).await;
    let server = room.server();
    assert!(!written(&server).contains(TOKEN));
    let secrets = std::fs::metadata(server.join("secrets.json")).unwrap();
    assert_eq!(secrets.mode() & 0o077, 0);
    assert_eq!(std::fs::metadata(&server).unwrap().mode() & 0o077, 0);
    let report = room.status().await;
    assert!(!format!("{report:?}{}", serde_json::to_string(&report).unwrap()).contains(TOKEN));
    for process in processes(room.folder.path()) {
        assert!(!process.command.contains(TOKEN));
        let environment = std::fs::read(format!("/proc/{}/environ", process.pid)).unwrap();
        assert!(!String::from_utf8_lossy(&environment).contains("MCP_TOKEN_OF_THE_PLATFORM"));
    }
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_singleton_is_recreated_and_never_doubled() {
    let room = Room::new();
    room.deploy("single", 1, json!({ "token": TOKEN }))
        .await
        .unwrap();
    let before = instances(&room).await;
    assert_eq!(room.scale(2).await.unwrap_err().kind, Kind::Conflict);
    room.update(json!({ "greeting": "new" })).await.unwrap();
    assert!(before.is_disjoint(&instances(&room).await));
    let events = room.service.backend.events(&identity()).await.unwrap();
    let mut there = 0;
    for event in events {
        match event.reason.as_str() {
            "Created" => there += 1,
            "Ended" => there -= 1,
            _ => {}
        }
        assert!(there <= 1);
    }
    room.delete().await;
}
