//! SIGKILL in the middle of everything, then the same again: it comes to what was wanted, nothing is
//! there twice, nothing is left.

use std::process::Stdio;

use mcp_platform::model::{Cause, State};
use mcp_platform::service::StopMode;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::clients::Client;
use super::{PATIENCE, Process, Room, TOKEN, gone, kill, processes, world};

pub fn supervisors(room: &Room) -> Vec<Process> {
    all(room, " supervise ")
}

pub fn servers(room: &Room) -> Vec<Process> {
    all(room, " echo ")
}

fn all(room: &Room, word: &str) -> Vec<Process> {
    processes(room.folder.path())
        .into_iter()
        .filter(|process| process.command.contains(word))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_is_killed_is_missed_and_comes_back() {
    let room = Room::new();
    room.echo(2).await;
    let endpoint = room.endpoint().await;
    kill(supervisors(&room)[0].pid);
    gone(|| supervisors(&room).is_empty()).await;
    let report = room.status().await;
    assert_eq!(
        (report.status.state, report.status.cause),
        (State::Failed, Cause::Exited)
    );
    assert!(
        report
            .status
            .message
            .contains("the supervisor is gone, and 2 of its instances"),
        "{report:?}"
    );
    room.start().await.unwrap();
    assert_eq!(room.status().await.status.state, State::Running);
    assert_eq!(room.endpoint().await, endpoint);
    gone(|| (supervisors(&room).len(), servers(&room).len()) == (1, 2)).await;
    Client::connect(&endpoint).await.close().await;
    kill(supervisors(&room)[0].pid);
    gone(|| supervisors(&room).is_empty()).await;
    room.stop(StopMode::Graceful).await.unwrap();
    gone(|| processes(room.folder.path()).is_empty()).await;
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_server_takes_the_orphans_with_it() {
    let room = Room::new();
    room.echo(2).await;
    kill(supervisors(&room)[0].pid);
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_killed_is_started_again() {
    let room = Room::new();
    room.echo(2).await;
    kill(servers(&room)[0].pid);
    room.until("started again", |observed| {
        observed.ready == 2
            && observed
                .instances
                .iter()
                .any(|instance| instance.restarts == 1)
    })
    .await;
    assert_eq!(servers(&room).len(), 2);
    room.delete().await;
}

/// Runs the program and kills it after as many lines of progress.
async fn killed_after(room: &Room, lines: usize, arguments: &[&str]) {
    let world = world(room.folder.path());
    let mut child = Command::new(&world.program)
        .args(arguments)
        .env_clear()
        .envs(&world.environment)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
    for _ in 0..lines {
        let line = tokio::time::timeout(PATIENCE, progress.next_line())
            .await
            .unwrap();
        if line.unwrap().is_none() {
            break;
        }
    }
    let _ = child.start_kill();
    let _ = child.wait().await;
}

async fn settled(room: &Room, replicas: usize) {
    assert_eq!(room.status().await.status.state, State::Running);
    gone(|| servers(room).len() == replicas).await;
    // One that a killed run had started, and that found another one at work, is about to end.
    gone(|| supervisors(room).len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_killed_while_it_deploys() {
    for lines in 0..3 {
        let room = Room::new();
        let token = format!("token={TOKEN}");
        let deploy = [
            "deploy",
            "echo",
            "--name",
            "one",
            "--replicas",
            "2",
            "--set",
            &token,
        ];
        killed_after(&room, lines, &deploy).await;
        room.echo(2).await;
        settled(&room, 2).await;
        room.delete().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_killed_while_it_steers() {
    let room = Room::new();
    room.echo(2).await;
    for lines in 0..3 {
        killed_after(&room, lines, &["scale", "one", "3"]).await;
        room.scale(3).await.unwrap();
        settled(&room, 3).await;
        killed_after(
            &room,
            lines,
            &["update", "one", "--set", &format!("greeting=g{lines}")],
        )
        .await;
        room.update(json!({ "greeting": format!("g{lines}") }))
            .await
            .unwrap();
        settled(&room, 3).await;
        killed_after(&room, lines, &["restart", "one"]).await;
        room.restart().await.unwrap();
        settled(&room, 3).await;
        killed_after(&room, lines, &["stop", "one"]).await;
        room.stop(StopMode::Graceful).await.unwrap();
        gone(|| processes(room.folder.path()).is_empty()).await;
        killed_after(&room, lines, &["start", "one"]).await;
        room.start().await.unwrap();
        settled(&room, 3).await;
        killed_after(&room, lines, &["scale", "one", "2"]).await;
        room.scale(2).await.unwrap();
        settled(&room, 2).await;
    }
    killed_after(&room, 1, &["delete", "one"]).await;
    let gone = room
        .service
        .delete(
            &super::identity(),
            mcp_platform::service::Waiting::Wait,
            &mcp_platform::service::Quiet,
        )
        .await;
    assert!(gone.is_ok() || room.service.status(&super::identity()).await.is_err());
    room.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_supervisor_is_killed_while_it_replaces() {
    let room = Room::new();
    room.echo(3).await;
    let victim = async {
        room.until("replacing", |observed| {
            observed.updated > 0 && observed.updated < 3
        })
        .await;
        supervisors(&room)
            .iter()
            .for_each(|process| kill(process.pid));
    };
    let (_, ()) = tokio::join!(room.update(json!({ "greeting": "new" })), victim);
    room.update(json!({ "greeting": "new" })).await.unwrap();
    room.start().await.unwrap();
    settled(&room, 3).await;
    room.delete().await;
}
