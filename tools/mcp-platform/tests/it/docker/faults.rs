//! Every fault: the reason that is said, and that nothing is left.

use mcp_platform::error::Kind;
use mcp_platform::model::{ImageReference, Phase, State};
use mcp_platform::service::{Quiet, StopMode, UpdateRequest, Waiting};
use serde_json::json;

use super::{Room, room};

/// A template that misbehaves as `ECHO_FAIL` says.
fn failing(room: &mut Room, fault: &str) {
    room.echo_with("failing", |text| {
        format!("{text}\n[environment]\nECHO_FAIL = \"{fault}\"\n")
    });
}

#[tokio::test]
async fn an_image_that_is_not_there_changes_nothing() {
    let Some(mut room) = room("no-image").await else {
        return;
    };
    room.image = ImageReference::parse("127.0.0.1:9/nothing/there:1").unwrap();
    let request = room.request("echo", "echo", &json!({}));
    let error = room.deploy(&request).await.unwrap_err();
    assert_eq!(error.kind, Kind::Failed);
    assert!(error.message.contains("(image-pull)"), "{error}");
    assert!(error.message.contains("127.0.0.1:9"), "{error}");
    assert_eq!(room.objects("echo").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_crash_loop_is_named_and_removed() {
    let Some(mut room) = room("crash-loop").await else {
        return;
    };
    failing(&mut room, "exit:7");
    let error = room
        .deploy(&room.request("failing", "echo", &json!({})))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Failed);
    assert!(error.message.contains("crash-loop"), "{error}");
    assert!(error.message.contains("code 7"), "{error}");
    assert!(
        error.message.contains("removed what was created"),
        "{error}"
    );
    assert_eq!(room.objects("echo").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_failed_update_goes_back_and_the_old_one_serves_meanwhile() {
    let Some(mut room) = room("rolls-back").await else {
        return;
    };
    room.deploy_echo("echo", 2).await;
    let before = room.service.status(&room.identity("echo")).await.unwrap();
    room.echo_with("echo", |text| {
        format!("{text}\n[environment]\nECHO_FAIL = \"exit:3\"\n")
    });
    let update = UpdateRequest {
        configuration: json!({"greeting": "x"}).as_object().unwrap().clone(),
        ..UpdateRequest::default()
    };
    let error = room.update("echo", &update).await.unwrap_err();
    assert!(error.message.contains("rolled back to revision"), "{error}");
    assert!(error.message.contains("2 of 2 ready"), "{error}");
    let after = room.service.status(&room.identity("echo")).await.unwrap();
    assert_eq!(after.status.state, State::Running);
    assert_eq!(after.observed.revision, before.observed.revision);
    // The old instances were never touched.
    let mut instances = after.observed.instances.clone();
    instances.retain(|one| one.phase != Phase::Ending);
    assert_eq!(instances, before.observed.instances);
    room.delete("echo").await;
}

#[tokio::test]
async fn too_much_memory_is_named() {
    let Some(mut room) = room("memory").await else {
        return;
    };
    failing(&mut room, "memory:400");
    let error = room
        .deploy(&room.request("failing", "echo", &json!({})))
        .await
        .unwrap_err();
    assert!(error.message.contains("out-of-memory"), "{error}");
    assert_eq!(room.objects("echo").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_probe_that_fails_is_named() {
    let Some(mut room) = room("probe").await else {
        return;
    };
    failing(&mut room, "unready");
    room.service.patience.total = std::time::Duration::from_secs(12);
    let error = room
        .deploy(&room.request("failing", "echo", &json!({})))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(
        error.message.contains("/ready answers 503 (probe)"),
        "{error}"
    );
    assert_eq!(room.objects("echo").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_port_that_somebody_took_is_named_and_heals() {
    let Some(mut room) = room("port").await else {
        return;
    };
    let identity = room.identity("echo");
    let deployed = room.deploy_echo("echo", 1).await;
    let url = deployed.server.unwrap().observed.endpoints[0].url.clone();
    let stop = StopMode::Graceful;
    let service = &mut room.service;
    service
        .stop(&identity, stop, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let port: u16 = url.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let thief = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    service.patience.fault = std::time::Duration::from_secs(1);
    let error = service
        .start(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap_err();
    assert!(error.message.contains("configuration"), "{error}");
    assert!(error.message.contains(&port.to_string()), "{error}");
    drop(thief);
    service
        .start(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    room.delete("echo").await;
}
