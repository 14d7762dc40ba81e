//! A supervisor that was killed: what is said of its server, and that a platform that runs for long
//! brings it back.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;

use mcp_platform::backend::Backend;
use mcp_platform::backend::process::ProcessBackend;
use mcp_platform::lifecycle::status;
use mcp_platform::model::{Action, Cause, Instance, Observed, Phase, Remember, State};
use mcp_platform::service::StopMode;
use nix::sys::signal::{Signal, kill as signal};
use nix::unistd::Pid;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::clients::Client;
use super::kills::{servers, supervisors};
use super::{PATIENCE, Room, gone, identity, kill, processes, world};

fn numbers(processes: Vec<super::Process>) -> BTreeSet<i32> {
    processes.into_iter().map(|process| process.pid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_platforms_bring_back_one_supervisor() {
    let room = Room::new();
    let other = ProcessBackend::new(&world(room.folder.path()));
    room.service.backend.keep_watching();
    other.keep_watching();
    room.echo(2).await;
    let endpoint = room.endpoint().await;
    for _ in 0..3 {
        let before = (numbers(supervisors(&room)), numbers(servers(&room)));
        kill(*before.0.first().unwrap());
        gone(|| {
            let now = (numbers(supervisors(&room)), numbers(servers(&room)));
            let new = now.0.is_disjoint(&before.0) && now.1.is_disjoint(&before.1);
            new && (now.0.len(), now.1.len()) == (1, 2)
        })
        .await;
        // What is gone is shown as ending for a moment more.
        let running = |observed: &Observed| status(observed).state == State::Running;
        let report = room.until("running again", running).await;
        assert_eq!(report.ready, 2);
        assert_eq!(room.endpoint().await, endpoint);
        Client::connect(&endpoint).await.close().await;
    }
    room.stop(StopMode::Graceful).await.unwrap();
    gone(|| processes(room.folder.path()).is_empty()).await;
    // What is stopped stays stopped, and what nobody watches any more stays as it is.
    room.start().await.unwrap();
    drop(other);
    room.service.backend.stop_watching();
    kill(supervisors(&room)[0].pid);
    let report = room.until("missed", Observed::abandoned).await;
    assert_eq!(report.ready, 0);
    room.service.backend.keep_watching();
    room.until("running again", |observed| observed.ready == 2)
        .await;
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_shown_until_they_have_ended() {
    let room = Room::new();
    room.deploy("stubborn", 1, json!({ "fail": "deaf" }))
        .await
        .unwrap();
    let orphan = servers(&room)[0].pid;
    kill(supervisors(&room)[0].pid);
    // As if it had been killed before it could write down what it started.
    gone(|| supervisors(&room).is_empty()).await;
    std::fs::remove_file(room.server().join("state.json")).unwrap();
    let report = room.status().await;
    assert_eq!(
        (report.status.state, report.status.cause),
        (State::Failed, Cause::Exited)
    );
    let message = &report.status.message;
    assert!(
        message.contains("the supervisor is gone, and 1 of its instances runs on"),
        "{message}"
    );
    // It does not listen, and has 50 s: the new one does not wait for it.
    let begun = std::time::Instant::now();
    room.start().await.unwrap();
    let report = room.status().await;
    assert_eq!(report.status.state, State::Running);
    let ending = |one: &&Instance| one.phase == Phase::Ending;
    assert_eq!(report.observed.instances.iter().filter(ending).count(), 1);
    assert!(numbers(servers(&room)).contains(&orphan));
    room.stop(StopMode::Force).await.unwrap();
    assert_eq!(room.status().await.status.state, State::Stopped);
    gone(|| processes(room.folder.path()).is_empty()).await;
    assert!(begun.elapsed().as_secs() < 40);
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_of_a_stopped_server_is_not_called_stopped() {
    let room = Room::new();
    room.deploy("stubborn", 1, json!({ "fail": "deaf" }))
        .await
        .unwrap();
    let backend: Arc<dyn Backend> = room.service.backend.clone();
    let stop = Action::Scale {
        from: 1,
        to: 0,
        remember: Remember::Set(1),
    };
    backend.perform(&identity(), &stop).await.unwrap();
    assert_eq!(room.status().await.status.state, State::Scaling);
    kill(supervisors(&room)[0].pid);
    gone(|| supervisors(&room).is_empty()).await;
    let report = room.status().await;
    assert_eq!(report.status.state, State::Scaling, "{report:?}");
    assert!(report.observed.abandoned());
    room.stop(StopMode::Force).await.unwrap();
    assert_eq!(room.status().await.status.state, State::Stopped);
    gone(|| processes(room.folder.path()).is_empty()).await;
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_brings_it_back_until_it_ends() {
    let room = Room::new();
    room.echo(1).await;
    let world = world(room.folder.path());
    let mut serve = Command::new(&world.program)
        .args(["serve", "--listen", "127.0.0.1:0", "--audit-log"])
        .arg(room.folder.path().join("audit.jsonl"))
        .env_clear()
        .envs(&world.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let line = line.unwrap().unwrap().unwrap();
    assert!(line.contains("listening on"), "{line}");
    let before = numbers(supervisors(&room));
    kill(*before.first().unwrap());
    gone(|| {
        let now = numbers(supervisors(&room));
        now.len() == 1 && now.is_disjoint(&before)
    })
    .await;
    room.until("running again", |observed| observed.ready == 1)
        .await;
    let pid = i32::try_from(serve.id().unwrap()).unwrap();
    signal(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(PATIENCE, serve.wait()).await;
    assert!(ended.unwrap().unwrap().success());
    // What it started runs on, and nobody brings it back any more.
    assert_eq!(room.status().await.status.state, State::Running);
    kill(supervisors(&room)[0].pid);
    room.until("missed", Observed::abandoned).await;
    room.delete().await;
}
