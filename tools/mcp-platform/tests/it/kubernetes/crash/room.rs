//! A place with a gate before it, and the real program that goes through it.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::Arc;

use mcp_platform::lifecycle::status;
use mcp_platform::model::{Observed, Phase, State};
use mcp_platform::service::{Quiet, Waiting};
use tokio::process::Command;

use super::super::companions::NOTES;
use super::super::gate::{Gate, Side};
use super::super::place::Place;

/// The server of these tests.
pub const NAME: &str = "a";
/// Nobody answers there, so its labels are not looked up for long.
const IMAGE: &str = "127.0.0.1:9/echo:1";

/// A place with a gate before it.
pub struct Room {
    pub place: Arc<Place>,
    pub gate: Gate,
}

impl Room {
    pub async fn new(place: Arc<Place>) -> Room {
        let gate = Gate::open(place.client.clone()).await;
        Room { place, gate }
    }

    fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-platform"));
        command
            .args(words)
            .args(["--backend", "kubernetes", "--namespace"])
            .arg(self.place.namespace.as_str())
            .env_clear()
            .env("KUBECONFIG", self.gate.kubeconfig())
            .env("MCP_STATE_DIR", self.gate.folder())
            .env("HOME", self.gate.folder())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub async fn run(&self, words: &[&str]) -> Output {
        self.program(words).output().await.unwrap()
    }

    pub async fn succeeds(&self, words: &[&str]) {
        let done = self.run(words).await;
        assert!(done.status.success(), "{words:?}: {}", text(&done));
    }

    /// Runs it until what was deleted before is gone.
    pub async fn succeeds_in_the_end(&self, words: &[&str]) {
        for _ in 0..20 {
            self.place
                .until(NAME, |one| {
                    one.is_none_or(|one| one.conditions.iter().all(|one| one.reason != "Deleting"))
                })
                .await;
            let done = self.run(words).await;
            if done.status.success() {
                return;
            }
            assert!(text(&done).contains("is being deleted"), "{}", text(&done));
        }
        panic!("{words:?}: what was deleted does not go");
    }

    /// Runs it and kills it at that write; whether there was such a write.
    pub async fn killed(&self, words: &[&str], write: usize, side: Side) -> bool {
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
                // Who is in a hurry may be lucky.
                let success = ended.unwrap().success() || words.contains(&"--timeout");
                assert!(success, "{words:?} at write {write}");
                false
            }
        };
        if cut {
            child.kill().await.unwrap();
        }
        self.gate.refuse();
        cut
    }

    pub async fn observe(&self) -> Observed {
        self.place.observe(NAME).await.unwrap()
    }

    /// It is in this state with so many instances, and nothing is there twice.
    pub async fn is(&self, state: State, replicas: u32, place: &str) -> Observed {
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
    pub async fn counted(&self) -> BTreeMap<String, usize> {
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
    pub async fn revisions(&self) -> Vec<String> {
        let objects = self.place.objects(NAME).await;
        let revisions = objects.iter().filter_map(|object| {
            let name = object.strip_prefix("ConfigMap/a-config-")?;
            Some(name.to_owned())
        });
        revisions.collect()
    }

    pub async fn removed(&self) {
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

/// The template with a database, and more, in a folder.
pub fn notes(room: &Room, more: &str) -> String {
    let folder = room.gate.folder().join("templates");
    std::fs::create_dir_all(folder.join("notes")).unwrap();
    let text = format!("{NOTES}\n{more}");
    std::fs::write(folder.join("notes/template.toml"), text).unwrap();
    folder.to_str().unwrap().to_owned()
}

/// Storage of its own for each instance, which makes it a StatefulSet.
pub const STORAGE: &str = "[[volume]]\nname = \"data\"\npath = \"/data\"\nsize = \"1Mi\"\n";

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every write of an operation, from both sides, until there is no such write any more. `step`
/// prepares, has it killed by [`Room::killed`], and looks; it answers whether there was one.
pub async fn at_every_write<F: Future<Output = bool>>(step: impl Fn(usize, Side) -> F) -> usize {
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

/// The words that deploy so many.
pub fn deploy(replicas: &str) -> [&str; 8] {
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
