//! The real binary, killed in the middle of each operation and run again; and several of them at
//! the same time.

use std::process::{Output, Stdio};
use std::time::Duration;

use mcp_platform::model::State;
use tokio::process::Command;

use super::{Room, room};

/// The binary on the engine of this run.
fn program(room: &Room, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-platform"));
    command
        .args(words)
        .args([
            "--backend",
            "docker",
            "--namespace",
            room.namespace.as_str(),
        ])
        .env_clear()
        .env("DOCKER_HOST", room.engine.host())
        .env("MCP_STATE_DIR", room.folder.path())
        .env("HOME", room.folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(room: &Room, words: &[&str]) -> Output {
    program(room, words).output().await.unwrap()
}

/// Kills it after a time, unless it ended before; says whether it was killed.
async fn killed(room: &Room, words: &[&str], after: Duration) -> bool {
    let mut child = program(room, words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    if tokio::time::timeout(after, child.wait()).await.is_ok() {
        return false;
    }
    child.kill().await.unwrap();
    true
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One record, one network, and as many instances as are said.
async fn nothing_doubled(room: &Room, replicas: usize) {
    let objects = room.objects("echo").await;
    assert_eq!(objects.len(), replicas + 2, "{objects:?}");
}

#[tokio::test]
async fn killed_in_the_middle_and_run_again() {
    let Some(room) = room("killed").await else {
        return;
    };
    let image = room.image.to_string();
    let deploy: Vec<&str> = [
        "deploy",
        "echo",
        "--name",
        "echo",
        "--replicas",
        "2",
        "--image",
        &image,
    ]
    .to_vec();
    let update = ["update", "echo", "--set", "greeting=moin"];
    let steps: [(&[&str], usize); 7] = [
        (&deploy, 2),
        (&["scale", "echo", "3"], 3),
        (&update, 3),
        (&["restart", "echo"], 3),
        (&["stop", "echo"], 0),
        (&["start", "echo"], 3),
        (&["scale", "echo", "1"], 1),
    ];
    for (words, replicas) in steps {
        let mut cut = 0;
        for milliseconds in [15, 60, 120, 200, 320, 500, 800] {
            cut += usize::from(killed(&room, words, Duration::from_millis(milliseconds)).await);
        }
        assert!(cut > 0, "{words:?} was never killed");
        let done = run(&room, words).await;
        assert!(done.status.success(), "{words:?}: {}", text(&done));
        nothing_doubled(&room, replicas).await;
        let state = if replicas == 0 {
            State::Stopped
        } else {
            State::Running
        };
        assert_eq!(room.state("echo").await, state, "{words:?}");
    }
    for milliseconds in [30, 90, 150] {
        killed(
            &room,
            &["delete", "echo"],
            Duration::from_millis(milliseconds),
        )
        .await;
    }
    let done = run(&room, &["delete", "echo"]).await;
    let gone = text(&done).contains("there is no server");
    assert!(done.status.success() || gone, "{}", text(&done));
    assert_eq!(room.objects("echo").await, Vec::<String>::new());
}

#[tokio::test]
async fn several_at_the_same_time() {
    let Some(room) = room("racing").await else {
        return;
    };
    let image = room.image.to_string();
    let deploy: Vec<&str> = ["deploy", "echo", "--name", "echo", "--image", &image].to_vec();
    let runs = (0..6).map(|_| run(&room, &deploy));
    for done in futures::future::join_all(runs).await {
        assert!(done.status.success(), "{}", text(&done));
    }
    nothing_doubled(&room, 1).await;
    // Each wants another number: whoever comes last holds, and the others are told so.
    let numbers = ["1", "2", "3", "4"];
    let runs = numbers.map(|number| async { run(&room, &["scale", "echo", number]).await });
    let done = futures::future::join_all(runs).await;
    assert!(done.iter().any(|one| one.status.success()));
    for one in done.iter().filter(|one| !one.status.success()) {
        assert_eq!(one.status.code(), Some(4), "{}", text(one));
    }
    let report = room.service.status(&room.identity("echo")).await.unwrap();
    assert_eq!(report.status.state, State::Running);
    nothing_doubled(&room, report.observed.desired as usize).await;
    room.delete("echo").await;
}

#[tokio::test]
async fn a_program_that_does_not_wait_still_brings_it_to_its_end() {
    let Some(room) = room("no-wait").await else {
        return;
    };
    room.deploy_echo("echo", 2).await;
    let done = run(
        &room,
        &["update", "echo", "--set", "greeting=moin", "--no-wait"],
    )
    .await;
    assert!(done.status.success(), "{}", text(&done));
    assert_eq!(room.state("echo").await, State::Running);
    nothing_doubled(&room, 2).await;
    room.delete("echo").await;
}

#[tokio::test]
async fn a_platform_that_runs_for_long_goes_on_with_what_was_left_off() {
    let Some(room) = room("left-off").await else {
        return;
    };
    room.deploy_echo("echo", 1).await;
    let identity = room.identity("echo");
    let observed = async || {
        let observed = room.service.backend.observe(&identity).await;
        observed.unwrap().unwrap()
    };
    let mut child = program(&room, &["scale", "echo", "3"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let written = async { while observed().await.desired != 3 {} };
    tokio::time::timeout(Duration::from_secs(30), written)
        .await
        .unwrap();
    child.kill().await.unwrap();
    let left = observed().await;
    assert!(left.abandoned(), "{left:?}");
    room.service.backend.keep_watching();
    let done = async {
        while room.state("echo").await != State::Running {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done)
        .await
        .unwrap();
    nothing_doubled(&room, 3).await;
    room.delete("echo").await;
}
