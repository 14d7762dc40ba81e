//! Every fault, with the reason that is said, and that nothing is left of it.

use std::time::Duration;

use mcp_platform::error::{Error, Kind};
use mcp_platform::model::{Cause, State};
use mcp_platform::service::StopMode;
use serde_json::json;

use super::{Room, gone, identity};
use crate::engine::say;

async fn fails(room: &mut Room, template: &str, fail: &str) -> Error {
    room.service.patience.total = Duration::from_secs(20);
    let configuration = if fail.is_empty() {
        json!({})
    } else {
        json!({ "fail": fail })
    };
    let error = room.deploy(template, 1, configuration).await.unwrap_err();
    room.nothing_is_left().await;
    error
}

async fn check(template: &str, fail: &str, kind: Kind, says: &[&str]) {
    let mut room = Room::new();
    let error = fails(&mut room, template, fail).await;
    assert_eq!(error.kind, kind, "{error}");
    for word in says {
        assert!(error.message.contains(word), "{word}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_again_and_again() {
    check(
        "flaw",
        "exit:3",
        Kind::Failed,
        &["crash-loop", "exit status: 3", "fails with 3", "removed"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_never_ready() {
    check(
        "flaw",
        "unready",
        Kind::Timeout,
        &["probe", "/ready answers 503"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_listens() {
    check(
        "flaw",
        "hang",
        Kind::Timeout,
        &["probe", "/ready did not answer"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_too_much_memory() {
    check(
        "flaw",
        "memory:400",
        Kind::Failed,
        &["out-of-memory", "more than 128 MiB"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_program_is_not_there() {
    check(
        "absent",
        "",
        Kind::Failed,
        &["configuration", "no-such-program"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_wheel_is_not_there() {
    check(
        "wheel",
        "",
        Kind::Precondition,
        &["there is no wheel", "wheels/*.whl"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_wheel_is_broken() {
    let mut room = Room::new();
    let wheels = room.folder.path().join("wheels");
    std::fs::create_dir(&wheels).unwrap();
    std::fs::write(wheels.join("broken-1.0-py3-none-any.whl"), "no archive").unwrap();
    room.service.patience.total = Duration::from_secs(120);
    let error = room.deploy("wheel", 1, json!({})).await.unwrap_err();
    assert_eq!(error.kind, Kind::Failed, "{error}");
    assert!(
        error.message.contains("image-pull") && error.message.contains("pip install"),
        "{error}"
    );
    assert!(error.message.contains("broken-1.0"), "{error}");
    room.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_deaf_is_killed_after_its_grace() {
    let room = Room::new();
    room.deploy("flaw", 1, json!({ "fail": "deaf" }))
        .await
        .unwrap();
    room.stop(StopMode::Graceful).await.unwrap();
    let events = room.service.backend.events(&identity()).await.unwrap();
    assert!(
        events
            .iter()
            .any(|event| event.reason == "Killing" && event.warning)
    );
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_port_is_taken_while_it_is_stopped() {
    let mut room = Room::new();
    room.echo(1).await;
    let endpoint: url::Url = room.endpoint().await.parse().unwrap();
    room.stop(StopMode::Graceful).await.unwrap();
    // Its supervisor lets go of it a moment after it is said to be stopped.
    let thief = std::cell::OnceCell::new();
    gone(|| {
        let port = endpoint.port().unwrap();
        let taken = std::net::TcpListener::bind(("127.0.0.1", port));
        taken.is_ok_and(|listener| thief.set(listener).is_ok())
    })
    .await;
    room.service.patience.total = Duration::from_secs(3);
    let error = room.start().await.unwrap_err();
    assert!(error.message.contains("is taken"), "{error}");
    drop(thief);
    room.until("running", |observed| {
        mcp_platform::lifecycle::status(observed).state == State::Running
    })
    .await;
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_broken_does_not_hide_the_others() {
    let room = Room::new();
    room.echo(1).await;
    let other = room.server().with_file_name("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("spec.json"), "{").unwrap();
    let all = room.service.list(&Default::default()).await.unwrap();
    let states: Vec<(State, Cause)> = all
        .iter()
        .map(|one| (one.status.state, one.status.cause))
        .collect();
    assert_eq!(
        states,
        [
            (State::Running, Cause::Ready),
            (State::Failed, Cause::Configuration)
        ]
    );
    std::fs::remove_dir_all(&other).unwrap();
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = tokio::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(folder.path())
        .output()
        .await;
    if !mounted.is_ok_and(|output| output.status.success()) {
        say("switched off: a full disk needs the right to mount");
        return;
    }
    let path = folder.path().to_owned();
    let room = Room::at(folder);
    let ballast = path.join("ballast");
    let _ = std::fs::write(&ballast, vec![1_u8; 64 << 10]);
    let error = room.deploy("echo", 1, json!({})).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    assert!(error.message.contains("No space left"), "{error}");
    assert!(error.message.contains(path.to_str().unwrap()), "{error}");
    assert!(!room.server().exists());
    std::fs::remove_file(&ballast).unwrap();
    room.echo(1).await;
    // Full while it runs: it runs on, and a change is refused and changes nothing.
    let _ = std::fs::write(&ballast, vec![1_u8; 64 << 10]);
    let before = room.status().await.observed.token.clone();
    let error = room
        .update(json!({ "greeting": "x".repeat(150) }))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    let report = room.status().await;
    assert_eq!(
        (report.status.state, report.observed.token.clone()),
        (State::Running, before)
    );
    // What would make room can be deleted, and who asks whether all is well is told that it is not.
    let error = room.service.backend.reachable().await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    room.delete().await;
    std::fs::remove_file(&ballast).unwrap();
    room.service.backend.reachable().await.unwrap();
    drop(room);
    let _ = tokio::process::Command::new("umount")
        .arg(&path)
        .output()
        .await;
}
