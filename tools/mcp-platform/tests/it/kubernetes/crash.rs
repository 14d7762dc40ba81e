//! The real program, killed at every write of every operation, before it reaches the API server and
//! after it was done, and run again: it comes to what was wanted, nothing is there twice, nothing is
//! left.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::Arc;

use mcp_platform::lifecycle::status;
use mcp_platform::model::{Observed, Phase, State};
use mcp_platform::service::{Quiet, StopMode, Waiting};
use tokio::process::Command;

use super::companions::NOTES;
use super::gate::{Gate, Side};
use super::place::{Place, within_longer};

const NAME: &str = "a";
/// Nobody answers there, so its labels are not looked up for long.
const IMAGE: &str = "127.0.0.1:9/echo:1";

/// A place with a gate before it.
struct Room {
    place: Arc<Place>,
    gate: Gate,
}

impl Room {
    async fn new(place: Arc<Place>) -> Room {
        let gate = Gate::open(place.client.clone()).await;
        Room { place, gate }
    }

    fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-platform"));
        command
            .args(words)
            .args(["--backend", "kubernetes", "--timeout", "60", "--namespace"])
            .arg(self.place.namespace.as_str())
            .env_clear()
            .env("KUBECONFIG", self.gate.kubeconfig())
            .env("MCP_STATE_DIR", self.gate.folder())
            .env("HOME", self.gate.folder())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, words: &[&str]) -> Output {
        self.program(words).output().await.unwrap()
    }

    async fn succeeds(&self, words: &[&str]) {
        let done = self.run(words).await;
        assert!(done.status.success(), "{words:?}: {}", text(&done));
    }

    /// Runs it and kills it at that write; whether there was such a write.
    async fn killed(&self, words: &[&str], write: usize, side: Side) -> bool {
        self.gate.stop_at(write, side);
        let mut child = self
            .program(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let cut = tokio::select! {
            () = self.gate.reached() => true,
            ended = child.wait() => {
                assert!(ended.unwrap().success(), "{words:?} at write {write}");
                false
            }
        };
        if cut {
            child.kill().await.unwrap();
        }
        self.gate.refuse();
        cut
    }

    async fn observe(&self) -> Observed {
        self.place.observe(NAME).await.unwrap()
    }

    /// It is in this state with so many instances, and nothing is there twice.
    async fn is(&self, state: State, replicas: u32, place: &str) -> Observed {
        let observed = self.observe().await;
        assert_eq!(status(&observed).state, state, "{place}: {observed:?}");
        assert_eq!(observed.desired, replicas, "{place}");
        let here = observed.instances.iter();
        let here = here.filter(|one| one.phase != Phase::Ending).count();
        assert_eq!(here, replicas as usize, "{place}");
        let pods = self.place.pods().await.into_iter();
        let pods = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none());
        assert_eq!(pods.count(), replicas as usize, "{place}");
        if state != State::Stopped {
            assert_eq!(observed.remembered, None, "{place}");
            assert!(!observed.draining, "{place}");
        }
        observed
    }

    /// How many of each kind there are that the platform makes itself.
    async fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for object in self.place.objects(NAME).await {
            let kind = object.split('/').next().unwrap().to_owned();
            let derived = ["Endpoints", "EndpointSlice", "ReplicaSet", "Pod"];
            if !derived.contains(&kind.as_str()) {
                *counted.entry(kind).or_insert(0) += 1;
            }
        }
        counted
    }

    /// The revisions of which there are objects.
    async fn revisions(&self) -> Vec<String> {
        let objects = self.place.objects(NAME).await;
        let revisions = objects.iter().filter_map(|object| {
            let name = object.strip_prefix("ConfigMap/a-config-")?;
            Some(name.to_owned())
        });
        revisions.collect()
    }

    async fn removed(&self) {
        let identity = self.place.identity(NAME);
        if self.place.observe(NAME).await.is_some() {
            let service = &self.place.service;
            service
                .delete(&identity, Waiting::Wait, &Quiet)
                .await
                .unwrap();
        }
        assert_eq!(self.place.objects(NAME).await, Vec::<String>::new());
    }
}

/// The template with a database, without sessions to wait for, in a folder.
fn notes(room: &Room) -> String {
    let folder = room.gate.folder().join("templates");
    std::fs::create_dir_all(folder.join("notes")).unwrap();
    std::fs::write(folder.join("notes/template.toml"), NOTES).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every write of an operation, from both sides, until there is no such write any more. `step`
/// prepares, has it killed by [`Room::killed`], and looks; it answers whether there was one.
async fn at_every_write<F: Future<Output = bool>>(step: impl Fn(usize, Side) -> F) -> usize {
    let mut cut = 0;
    for side in [Side::Before, Side::After] {
        let mut write = 1;
        while step(write, side).await {
            write += 1;
            cut += 1;
        }
    }
    assert!(cut > 0, "it never wrote anything");
    cut
}

fn deploy(replicas: &str) -> [&str; 8] {
    [
        "deploy",
        "echo",
        "--name",
        NAME,
        "--replicas",
        replicas,
        "--image",
        IMAGE,
    ]
}

#[test]
fn while_it_deploys() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        let whole = room.counted().await;
        let cut = at_every_write(async |write, side| {
            room.removed().await;
            let cut = room.killed(&deploy("2"), write, side).await;
            room.succeeds(&deploy("2")).await;
            let place = format!("deploy, {side:?} write {write}");
            let observed = room.is(State::Running, 2, &place).await;
            assert_eq!(room.counted().await, whole, "{place}");
            assert_eq!(observed.previous, None, "{place}");
            cut
        })
        .await;
        assert!(cut >= 7, "{cut}");
        room.removed().await;
    });
}

/// What was begun with one configuration goes on with another: nothing of the first is gone back
/// to, and nothing of it is left.
#[test]
fn while_it_deploys_and_something_else_is_wanted_then() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("1")).await;
        let whole = room.counted().await;
        at_every_write(async |write, side| {
            room.removed().await;
            let mut first = deploy("1").to_vec();
            first.extend(["--set", "greeting=never"]);
            let cut = room.killed(&first, write, side).await;
            let present = room.place.observe(NAME).await;
            let complete = present.is_some_and(|one| one.token.is_some());
            room.succeeds(&deploy("1")).await;
            let place = format!("deploy, {side:?} write {write}");
            let observed = room.is(State::Running, 1, &place).await;
            if !complete {
                assert_eq!(observed.previous, None, "{place}");
                assert_eq!(room.counted().await, whole, "{place}");
            }
            cut
        })
        .await;
        room.removed().await;
    });
}

#[test]
fn while_it_updates() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        room.succeeds(&["update", NAME, "--set", "greeting=first"])
            .await;
        let cut = at_every_write(async |write, side| {
            let before = room.observe().await;
            let setting = format!("greeting={side:?}-{write}");
            let words = ["update", NAME, "--set", &setting];
            let cut = room.killed(&words, write, side).await;
            room.succeeds(&words).await;
            let place = format!("update, {side:?} write {write}");
            let after = room.is(State::Running, 2, &place).await;
            assert_ne!(after.revision, before.revision, "{place}");
            if let Some(previous) = &after.previous {
                assert_eq!(Some(previous.revision()), before.revision, "{place}");
            }
            for revision in room.revisions().await {
                let known = [&after.revision, &before.revision];
                assert!(
                    known.contains(&&Some(revision.clone())),
                    "{place}: {revision}"
                );
            }
            cut
        })
        .await;
        assert!(cut >= 7, "{cut}");
        room.removed().await;
    });
}

#[test]
fn while_it_scales() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        at_every_write(async |write, side| {
            let number = if room.observe().await.desired == 2 {
                3
            } else {
                2
            };
            let text = number.to_string();
            let words = ["scale", NAME, text.as_str()];
            let cut = room.killed(&words, write, side).await;
            room.succeeds(&words).await;
            let place = format!("scale, {side:?} write {write}");
            room.is(State::Running, number, &place).await;
            cut
        })
        .await;
        room.removed().await;
    });
}

async fn stops(place: Arc<Place>, words: &[&str]) {
    let room = Room::new(place).await;
    room.succeeds(&deploy("3")).await;
    at_every_write(async |write, side| {
        room.succeeds(&["start", NAME]).await;
        let cut = room.killed(words, write, side).await;
        room.succeeds(words).await;
        let place = format!("{words:?}, {side:?} write {write}");
        let observed = room.is(State::Stopped, 0, &place).await;
        assert_eq!(observed.remembered, Some(3), "{place}");
        cut
    })
    .await;
    room.removed().await;
}

#[test]
fn while_it_stops() {
    within_longer(|place| async move { stops(place, &["stop", NAME]).await });
}

#[test]
fn while_it_stops_by_force() {
    within_longer(|place| async move { stops(place, &["stop", NAME, "--force"]).await });
}

#[test]
fn while_it_starts() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("3")).await;
        at_every_write(async |write, side| {
            let identity = room.place.identity(NAME);
            let service = &room.place.service;
            service
                .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
                .await
                .unwrap();
            let cut = room.killed(&["start", NAME], write, side).await;
            room.succeeds(&["start", NAME]).await;
            let place = format!("start, {side:?} write {write}");
            room.is(State::Running, 3, &place).await;
            cut
        })
        .await;
        room.removed().await;
    });
}

#[test]
fn while_it_restarts() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        at_every_write(async |write, side| {
            let before = room.observe().await;
            let cut = room.killed(&["restart", NAME], write, side).await;
            room.succeeds(&["restart", NAME]).await;
            let place = format!("restart, {side:?} write {write}");
            let after = room.is(State::Running, 2, &place).await;
            for instance in &before.instances {
                let here = after.instances.iter();
                let mut here = here.filter(|one| one.phase != Phase::Ending);
                assert!(here.all(|one| one.name != instance.name), "{place}");
            }
            cut
        })
        .await;
        room.removed().await;
    });
}

/// A database ends with its server and comes back with it, wherever that is cut off.
#[test]
fn while_it_stops_and_starts_with_a_companion() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        let templates = notes(&room);
        let mut deploy = deploy("2").to_vec();
        deploy[1] = "notes";
        deploy.extend(["--templates", &templates]);
        room.succeeds(&deploy).await;
        for force in [&[][..], &["--force"][..]] {
            let stop = [&["stop", NAME, "--templates", &templates][..], force].concat();
            let start = ["start", NAME, "--templates", &templates];
            at_every_write(async |write, side| {
                let place = format!("{stop:?}, {side:?} write {write}");
                let mut cut = room.killed(&stop, write, side).await;
                room.succeeds(&stop).await;
                room.is(State::Stopped, 0, &place).await;
                cut |= room.killed(&start, write, side).await;
                room.succeeds(&start).await;
                let observed = room.observe().await;
                assert_eq!(status(&observed).state, State::Running, "{place}");
                room.place
                    .until_pods(|pods| {
                        let here = pods
                            .iter()
                            .filter(|pod| pod.metadata.deletion_timestamp.is_none());
                        here.count() == 3
                    })
                    .await;
                cut
            })
            .await;
        }
        room.removed().await;
        assert!(room.place.pods().await.is_empty());
    });
}

#[test]
fn while_it_deletes() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        let cut = at_every_write(async |write, side| {
            room.succeeds(&deploy("1")).await;
            let cut = room.killed(&["delete", NAME], write, side).await;
            let done = room.run(&["delete", NAME]).await;
            let gone = text(&done).contains("there is no server");
            assert!(done.status.success() || gone, "{}", text(&done));
            assert_eq!(room.place.objects(NAME).await, Vec::<String>::new());
            assert!(room.place.pods().await.is_empty());
            cut
        })
        .await;
        assert!(cut >= 7, "{cut}");
    });
}

/// Who changes their mind half-way through a deletion has a whole server again.
#[test]
fn while_it_deletes_and_is_wanted_again() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("1")).await;
        let whole = room.counted().await;
        at_every_write(async |write, side| {
            let cut = room.killed(&["delete", NAME], write, side).await;
            let place = format!("delete, {side:?} write {write}");
            room.place
                .until(NAME, |one| {
                    one.is_none_or(|one| one.conditions.iter().all(|one| one.reason != "Deleting"))
                })
                .await;
            let mut done = room.run(&deploy("1")).await;
            let mut attempts = 0;
            while text(&done).contains("is being deleted") && attempts < 20 {
                attempts += 1;
                done = room.run(&deploy("1")).await;
            }
            assert!(done.status.success(), "{place}: {}", text(&done));
            room.is(State::Running, 1, &place).await;
            assert_eq!(room.counted().await, whole, "{place}");
            cut
        })
        .await;
        room.removed().await;
    });
}
