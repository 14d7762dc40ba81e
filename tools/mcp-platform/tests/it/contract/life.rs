//! The suite. Every operation is done twice, and the second time does nothing.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use jiff::Timestamp;
use mcp_platform::backend::LogOptions;
use mcp_platform::error::{Error, Kind};
use mcp_platform::model::{Identity, Name, Phase, State};
use mcp_platform::service::{
    DeployRequest, Outcome, Quiet, Report, StopMode, UpdateRequest, Waiting,
};
use mcp_platform::template::Request;
use serde_json::{Map, Value, json};

use super::fixture::{Fault, Fixture, Logs};

const SECRET: &str = "geheim-geheim-geheim";

impl Fixture {
    fn identity(&self) -> Identity {
        Identity {
            namespace: self.namespace.clone(),
            name: Name::server("contract").unwrap(),
        }
    }

    fn request(&self, configuration: &Value, replicas: Option<u32>) -> DeployRequest {
        DeployRequest {
            template: "contract".to_owned(),
            request: Request {
                name: Some("contract".to_owned()),
                configuration: map(configuration),
                image: self.image.clone(),
                replicas,
                ..Request::default()
            },
        }
    }

    async fn deploy(&self, request: &DeployRequest) -> Result<Outcome, Error> {
        self.service
            .deploy(&self.namespace, request, Waiting::Wait, &Quiet)
            .await
    }

    async fn update(&self, update: &UpdateRequest) -> Result<Outcome, Error> {
        self.service
            .update(&self.identity(), update, Waiting::Wait, &Quiet)
            .await
    }

    async fn stop(&self, mode: StopMode) -> Outcome {
        self.service
            .stop(&self.identity(), mode, Waiting::Wait, &Quiet)
            .await
            .unwrap()
    }

    async fn start(&self) -> Outcome {
        self.service
            .start(&self.identity(), Waiting::Wait, &Quiet)
            .await
            .unwrap()
    }

    async fn scale(&self, replicas: u32) -> Result<Outcome, Error> {
        self.service
            .scale(&self.identity(), replicas, Waiting::Wait, &Quiet)
            .await
    }

    async fn status(&self) -> Report {
        self.service.status(&self.identity()).await.unwrap()
    }

    async fn objects(&self) -> Vec<String> {
        self.service
            .backend
            .objects(&self.identity())
            .await
            .unwrap()
    }

    /// It runs with so many instances, all of the wanted revision, and no other.
    async fn runs(&self, replicas: u32) -> Report {
        let report = self.status().await;
        let observed = &report.observed;
        assert_eq!(report.status.state, State::Running, "{report:?}");
        assert_eq!(
            (
                observed.desired,
                observed.replicas,
                observed.updated,
                observed.ready
            ),
            (replicas, replicas, replicas, replicas),
            "{report:?}"
        );
        assert!(!observed.endpoints.is_empty(), "{report:?}");
        report
    }

    async fn delete(&self) {
        let identity = self.identity();
        self.service
            .delete(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(self.objects().await, Vec::<String>::new());
        assert_eq!(self.service.backend.observe(&identity).await.unwrap(), None);
    }
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn change(configuration: &Value) -> UpdateRequest {
    UpdateRequest {
        configuration: map(configuration),
        ..UpdateRequest::default()
    }
}

fn names(report: &Report) -> BTreeSet<String> {
    let instances = &report.observed.instances;
    // One that ends is not counted any more, and may still be there.
    let here = instances.iter().filter(|one| one.phase != Phase::Ending);
    here.map(|one| one.name.clone()).collect()
}

/// Each instance with its birth: a container in the place of another has its name.
fn marks(report: &Report) -> BTreeSet<(String, Option<Timestamp>)> {
    let instances = &report.observed.instances;
    let here = instances.iter().filter(|one| one.phase != Phase::Ending);
    here.map(|one| (one.name.clone(), one.created)).collect()
}

/// deploy → ready → logs → scale → stop → start → update → failed update → restart → force stop →
/// delete → nothing left.
pub async fn from_deploy_to_nothing_left(fixture: &Fixture) {
    assert_eq!(fixture.objects().await, Vec::<String>::new());
    let request = fixture.request(&json!({}), Some(2));
    fixture.deploy(&request).await.unwrap();
    fixture.runs(2).await;
    assert!(!fixture.objects().await.is_empty());
    assert_eq!(fixture.deploy(&request).await.unwrap().actions, []);
    writes(fixture).await;
    scales(fixture).await;

    fixture.stop(StopMode::Graceful).await;
    let stopped = fixture.status().await;
    assert_eq!(stopped.status.state, State::Stopped, "{stopped:?}");
    assert_eq!(stopped.observed.remembered, Some(3));
    assert_eq!(fixture.stop(StopMode::Graceful).await.actions, []);
    fixture.start().await;
    fixture.runs(3).await;
    assert_eq!(fixture.start().await.actions, []);

    updates(fixture).await;
    let before = fixture.runs(3).await;
    fixture
        .service
        .restart(&fixture.identity(), Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let after = fixture.runs(3).await;
    assert!(
        marks(&before).is_disjoint(&marks(&after)),
        "{before:?} {after:?}"
    );

    fixture.stop(StopMode::Force).await;
    assert_eq!(fixture.status().await.status.state, State::Stopped);
    assert_eq!(fixture.stop(StopMode::Force).await.actions, []);
    fixture.start().await;
    let last = fixture.runs(3).await;
    assert_eq!(last.observed.revision, after.observed.revision);
    // A request without a number keeps the number that somebody set.
    let same = fixture.request(&json!({ "greeting": "servus" }), None);
    assert_eq!(fixture.deploy(&same).await.unwrap().actions, []);

    fixture.delete().await;
    let identity = fixture.identity();
    let again = fixture
        .service
        .delete(&identity, Waiting::Wait, &Quiet)
        .await;
    assert_eq!(again.unwrap_err().kind, Kind::NotFound);
}

async fn writes(fixture: &Fixture) {
    if fixture.logs == Logs::NoKubelet {
        return;
    }
    let (identity, options) = (fixture.identity(), LogOptions::default());
    let lines = fixture.service.backend.logs(&identity, &options).await;
    let lines: Vec<_> = lines.unwrap().collect().await;
    let instances: BTreeSet<String> = lines
        .into_iter()
        .map(|line| line.unwrap().instance)
        .collect();
    assert_eq!(instances, names(&fixture.status().await));
}

async fn scales(fixture: &Fixture) {
    fixture.scale(3).await.unwrap();
    fixture.runs(3).await;
    assert_eq!(fixture.scale(3).await.unwrap().actions, []);
    let generation = fixture.status().await.observed.generation;
    let refused = fixture.scale(11).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Invalid, "{refused}");
    assert_eq!(fixture.runs(3).await.observed.generation, generation);
}

async fn updates(fixture: &Fixture) {
    let before = fixture.runs(3).await;
    let good = change(&json!({ "greeting": "servus" }));
    fixture.update(&good).await.unwrap();
    let after = fixture.runs(3).await;
    assert_ne!(before.observed.revision, after.observed.revision);
    assert_eq!(fixture.update(&good).await.unwrap().actions, []);
    for fault in &fixture.faults {
        let bad = UpdateRequest {
            image: fault.image.clone(),
            ..change(&fault.configuration())
        };
        let generation = fixture.runs(3).await.observed.generation;
        let error = fixture.update(&bad).await.unwrap_err();
        named(&error, fault);
        let back = fixture.runs(3).await;
        // An image that cannot be had may be noticed before anything is changed.
        let untouched = back.observed.generation == generation;
        assert!(
            untouched || error.message.contains("rolled back"),
            "{error}"
        );
        assert_eq!(back.observed.revision, after.observed.revision, "{error}");
    }
}

/// The cause is in the error; one that may heal by itself is only given up at the deadline.
fn named(error: &Error, fault: &Fault) {
    let given_up = matches!(error.kind, Kind::Failed | Kind::Timeout);
    assert!(given_up, "{:?} {error}", fault.cause);
    let word = format!("({})", fault.cause.word());
    assert!(error.message.contains(&word), "{word}: {error}");
}

impl Fault {
    fn configuration(&self) -> Value {
        match self.fail {
            Some(fail) => json!({ "fail": fail }),
            None => json!({}),
        }
    }
}

/// A first deployment that fails is taken away again, whatever the fault.
pub async fn every_fault_is_named_and_leaves_nothing(fixture: &Fixture) {
    for fault in &fixture.faults {
        let mut request = fixture.request(&fault.configuration(), Some(2));
        if let Some(image) = &fault.image {
            request.request.image = Some(image.clone());
        }
        let error = fixture.deploy(&request).await.unwrap_err();
        named(&error, fault);
        assert_eq!(fixture.objects().await, Vec::<String>::new(), "{error}");
    }
}

/// A secret is in no answer of the back end that anybody is shown.
pub async fn nothing_secret_shows(fixture: &Fixture) {
    let request = fixture.request(&json!({ "token": SECRET }), Some(1));
    let outcome = fixture.deploy(&request).await.unwrap();
    let report = fixture.runs(1).await;
    let identity = fixture.identity();
    let events = fixture.service.backend.events(&identity).await.unwrap();
    for shown in [
        serde_json::to_string(&outcome).unwrap(),
        serde_json::to_string(&report).unwrap(),
        serde_json::to_string(&events).unwrap(),
        format!("{outcome:?} {report:?} {events:?}"),
        fixture.objects().await.join(" "),
    ] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    // An update that does not name it keeps it.
    fixture
        .update(&change(&json!({ "greeting": "hallo" })))
        .await
        .unwrap();
    let spec = fixture.runs(1).await.observed.spec.clone().unwrap();
    assert_eq!(spec.secrets.environment["MCP_TOKEN"].expose(), SECRET);
    fixture.delete().await;
}

/// A companion is there while its server is, and its volume and secret for as long as the server is
/// not deleted.
pub async fn companions_end_after_their_server(fixture: &Fixture) {
    let Some(store) = fixture.companion else {
        return;
    };
    let request = DeployRequest {
        template: "companion".to_owned(),
        ..fixture.request(&json!({}), Some(1))
    };
    fixture.deploy(&request).await.unwrap();
    fixture.runs(1).await;
    let running = fixture.objects().await;
    let is_kept = |object: &&String| object.contains("store") && *object != store;
    let kept: Vec<&String> = running.iter().filter(is_kept).collect();
    assert!(running.iter().any(|object| object == store), "{running:?}");
    assert!(!kept.is_empty(), "{running:?}");
    for mode in [StopMode::Graceful, StopMode::Force] {
        fixture.stop(mode).await;
        let report = fixture.status().await;
        assert_eq!(report.status.state, State::Stopped, "{report:?}");
        assert_eq!(report.observed.faults, [], "{report:?}");
        let stopped = fixture.objects().await;
        assert!(stopped.iter().all(|object| object != store), "{stopped:?}");
        let still: Vec<&String> = stopped.iter().filter(is_kept).collect();
        assert_eq!(still, kept, "{stopped:?}");
        assert_eq!(fixture.stop(mode).await.actions, []);
        fixture.start().await;
        fixture.runs(1).await;
        let again = fixture.objects().await;
        assert!(again.iter().any(|object| object == store), "{again:?}");
    }
    fixture.delete().await;
}
