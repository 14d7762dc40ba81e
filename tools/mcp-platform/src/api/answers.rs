//! The shapes of answers. Field names are those of the systems before (name, status as a word,
//! replicas, `ready_replicas`, endpoints as strings, conditions), beside the reason.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::{Fault, Phase, Spec};
use crate::service::{Outcome, Report};

/// One server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deployment {
    /// Its name.
    pub name: String,
    /// The same, as system 001 calls it.
    pub deployment_name: String,
    /// Its namespace.
    pub namespace: String,
    /// The template it came from; none for a server that is not ours.
    pub template: Option<String>,
    /// The template's version.
    pub version: Option<String>,
    /// Whether this platform deployed it.
    pub ours: bool,
    /// `running`, `scaling`, `pending`, `stopped`, `degraded` or `failed`.
    pub status: String,
    /// Why, as a word: `ready`, `starting`, `image-pull`, `crash-loop` …
    pub reason: String,
    /// Why, as a sentence.
    pub message: String,
    /// How many instances are wanted; 0 when it is stopped.
    pub replicas: u32,
    /// How many of them take sessions.
    pub ready_replicas: u32,
    /// How many of them can be counted on.
    pub available_replicas: u32,
    /// How many of them are of the wanted revision.
    pub updated_replicas: u32,
    /// How many `start` will bring back.
    pub remembered_replicas: Option<u32>,
    /// Where clients reach it.
    pub endpoints: Vec<String>,
    /// The latest change that the back end knows of.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_activity: Option<Timestamp>,
    /// What the back end says of it.
    pub conditions: Vec<Condition>,
    /// Each instance.
    pub instances: Vec<Instance>,
    /// What is wrong with the whole.
    pub faults: Vec<FaultAnswer>,
    /// The image.
    pub image: Option<String>,
    /// The wanted revision.
    pub revision: Option<String>,
    /// Counts the changes of what is wanted.
    pub generation: u64,
    /// The change that the numbers speak of.
    pub observed_generation: u64,
    /// Whether new sessions are being kept away.
    pub draining: bool,
    /// Whether an autoscaler sets the number.
    pub autoscaled: bool,
    /// What its sessions hang on: `stateless`, `sticky` or `singleton`.
    pub statefulness: Option<String>,
    /// Where the image came from: `published`, `archive`, `built`, `given`.
    pub image_source: Option<String>,
    /// The commit it was built from.
    pub commit: Option<String>,
    /// The sha256 of the wheel in it.
    pub wheel_sha256: Option<String>,
    /// Since when it exists.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created: Option<Timestamp>,
    /// Parts that this back end does not serve and that were left out.
    pub left_out: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Everything it is made of but its secrets; only where one server is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub spec: Option<Value>,
}

/// One running copy of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: Option<String>,
    /// `pending`, `running`, `ending` or `ended`.
    pub phase: String,
    /// Whether it takes sessions.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it exists.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created: Option<Timestamp>,
    /// What is wrong with it.
    pub fault: Option<FaultAnswer>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FaultAnswer {
    /// As a word.
    pub reason: String,
    /// As a sentence.
    pub message: String,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// What the back end says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Condition {
    /// Its name, such as `Available`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_update: Option<Timestamp>,
}

fn fault(fault: &Fault) -> FaultAnswer {
    FaultAnswer {
        reason: fault.cause.word().to_owned(),
        message: fault.message.clone(),
        since: fault.since,
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Running => "running",
        Phase::Ending => "ending",
        Phase::Ended => "ended",
    }
}

impl Deployment {
    /// A server as lists show it: without its specification.
    pub fn of(report: &Report) -> Deployment {
        let (observed, status) = (&report.observed, &report.status);
        let spec: Option<&Spec> = observed.spec.as_deref();
        let provenance = spec.map(|spec| &spec.provenance);
        Deployment {
            name: observed.identity.name.to_string(),
            deployment_name: observed.identity.name.to_string(),
            namespace: observed.identity.namespace.to_string(),
            template: spec.map(|spec| spec.template.clone()),
            version: spec.map(|spec| spec.version.clone()),
            ours: spec.is_some(),
            status: status.state.word().to_owned(),
            reason: status.cause.word().to_owned(),
            message: status.message.clone(),
            replicas: observed.desired,
            ready_replicas: observed.ready,
            available_replicas: observed.available,
            updated_replicas: observed.updated,
            remembered_replicas: observed.remembered,
            endpoints: observed
                .endpoints
                .iter()
                .map(|endpoint| endpoint.url.clone())
                .collect(),
            last_activity: observed.last_activity,
            conditions: observed.conditions.iter().map(condition).collect(),
            instances: observed.instances.iter().map(instance).collect(),
            faults: observed.faults.iter().map(fault).collect(),
            image: observed.image.clone(),
            revision: observed.revision.clone(),
            generation: observed.generation,
            observed_generation: observed.observed_generation,
            draining: observed.draining,
            autoscaled: observed.autoscaled,
            statefulness: spec.map(|spec| spec.statefulness.word().to_owned()),
            image_source: provenance.and_then(|all| all.image_source.clone()),
            commit: provenance.and_then(|all| all.commit.clone()),
            wheel_sha256: provenance.and_then(|all| all.wheel_sha256.clone()),
            created: observed.created,
            left_out: observed.left_out.clone(),
            labels: observed.labels.clone(),
            spec: None,
        }
    }

    /// A server with its specification, which holds no secret when it is serialised.
    pub fn whole(report: &Report) -> Deployment {
        let spec = report.observed.spec.as_deref();
        Deployment {
            spec: spec.and_then(|spec| serde_json::to_value(spec).ok()),
            ..Deployment::of(report)
        }
    }
}

fn instance(instance: &crate::model::Instance) -> Instance {
    Instance {
        name: instance.name.clone(),
        revision: instance.revision.clone(),
        phase: phase(instance.phase).to_owned(),
        ready: instance.ready,
        restarts: instance.restarts,
        created: instance.created,
        fault: instance.fault.as_ref().map(fault),
    }
}

fn condition(condition: &crate::model::Condition) -> Condition {
    Condition {
        kind: condition.kind.clone(),
        status: condition.status.clone(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        last_update: condition.last_update,
    }
}

/// One server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct One {
    /// The server.
    pub deployment: Deployment,
}

/// Several servers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Several {
    /// The servers of this page, sorted by namespace and name.
    pub deployments: Vec<Deployment>,
    /// How many there are on all pages.
    pub count: usize,
    /// Where the next page is.
    pub next: Option<String>,
}

/// What an operation did.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Changed {
    /// The server afterwards; after a deletion, its name and namespace only.
    #[schema(value_type = Object)]
    pub deployment: Value,
    /// What was done, in order; empty when everything was as wanted.
    pub actions: Vec<String>,
    /// Whether everything has come true, or goes on.
    pub complete: bool,
}

impl Changed {
    /// Of an operation that came to its end.
    pub fn of(outcome: &Outcome) -> Changed {
        let deployment = match &outcome.server {
            Some(report) => serde_json::to_value(Deployment::whole(report)).unwrap_or_default(),
            None => gone(&outcome.identity),
        };
        Changed {
            deployment,
            actions: outcome
                .actions
                .iter()
                .map(crate::model::Action::line)
                .collect(),
            complete: true,
        }
    }
}

/// A server of which only the name is left.
pub fn gone(identity: &crate::model::Identity) -> Value {
    serde_json::json!({
        "name": identity.name,
        "deployment_name": identity.name,
        "namespace": identity.namespace,
    })
}

/// A problem (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProblemAnswer {
    /// Which type of problem; leads to its explanation.
    #[serde(rename = "type")]
    pub kind_address: String,
    /// A few words, the same for every problem of the type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What failed, and where.
    pub detail: String,
    /// The path that was asked for.
    pub instance: Option<String>,
    /// The type as a word.
    pub kind: String,
    /// What to do next.
    pub hints: Vec<String>,
    /// Every place of the input that is wrong: `pointer` or `parameter`, and `detail`.
    #[schema(value_type = Vec<Object>)]
    pub errors: Vec<Value>,
}
