//! What a back end answered: never what we believe.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Identity, Spec};

/// One server as its back end answers at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Which server.
    pub identity: Identity,
    /// What was applied; none for a server that is not ours.
    pub spec: Option<Box<Spec>>,
    /// The specification that last was fully ready before this one, to go back to.
    #[serde(skip)]
    pub previous: Option<Box<Spec>>,
    /// The revision that is wanted.
    pub revision: Option<String>,
    /// Counts the changes of what is wanted.
    pub generation: u64,
    /// The change that the numbers below speak of.
    pub observed_generation: u64,
    /// How many instances are wanted now; 0 when stopped.
    pub desired: u32,
    /// How many `stop` found, for `start`.
    pub remembered: Option<u32>,
    /// How many instances there are, of any revision, the ending ones not among them.
    pub replicas: u32,
    /// How many of them are of the wanted revision.
    pub updated: u32,
    /// How many are ready to take sessions.
    pub ready: u32,
    /// How many have been ready long enough to be counted on.
    pub available: u32,
    /// Each instance.
    pub instances: Vec<Instance>,
    /// What is wrong with the whole, apart from single instances: a quota, a missing volume.
    pub faults: Vec<Fault>,
    /// Where clients reach it.
    pub endpoints: Vec<Endpoint>,
    /// What the back end itself says of it.
    pub conditions: Vec<Condition>,
    /// The image.
    pub image: Option<String>,
    /// Whether new sessions are being kept away.
    pub draining: bool,
    /// Whether an autoscaler sets the number.
    pub autoscaled: bool,
    /// Since when it exists.
    pub created: Option<Timestamp>,
    /// The latest change that the back end knows of.
    pub last_activity: Option<Timestamp>,
    /// Parts that this back end does not serve and that were left out.
    pub left_out: Vec<String>,
    /// For compare-and-swap: a write that carries it fails when anything changed since.
    #[serde(skip)]
    pub token: Option<String>,
    /// The labels of the whole.
    pub labels: BTreeMap<String, String>,
}

impl Observed {
    /// The condition that is `False` when what keeps the server running is itself gone, so that
    /// nothing happens by itself any more. Only back ends that can lose it say it.
    pub const SUPERVISED: &str = "Supervised";

    /// The condition that is `False` when an operation was cut off that left something which nobody
    /// needs. Only back ends that cannot clear up by themselves say it.
    pub const TIDY: &str = "Tidy";

    /// Whether something was left that deploying or updating again clears up.
    pub fn untidy(&self) -> bool {
        self.conditions
            .iter()
            .any(|condition| condition.kind == Observed::TIDY && condition.status == "False")
    }

    /// The condition that is `False` when companions go on though the server is stopped.
    pub const COMPANIONS_STOPPED: &str = "CompanionsStopped";

    /// Whether companions go on though the server is stopped: the next change stops them.
    pub fn outlived(&self) -> bool {
        self.conditions.iter().any(|condition| {
            condition.kind == Observed::COMPANIONS_STOPPED && condition.status == "False"
        })
    }

    /// Whether what keeps the server running is gone: the next change brings it back.
    pub fn abandoned(&self) -> bool {
        self.conditions
            .iter()
            .any(|condition| condition.kind == Observed::SUPERVISED && condition.status == "False")
    }
}

/// One running copy of a server: a pod, a container, a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: Option<String>,
    /// Where it is in its life.
    pub phase: Phase,
    /// Whether it takes sessions.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it exists.
    pub created: Option<Timestamp>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
}

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Not started yet.
    Pending,
    /// Started.
    Running,
    /// Asked to end.
    Ending,
    /// At its end.
    Ended,
}

/// Something is wrong, with the cause as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The cause.
    pub cause: Cause,
    /// What the back end says, without secrets.
    pub message: String,
    /// Since when, as far as it is known.
    pub since: Option<Timestamp>,
}

/// Why a server is not as wanted. The words are part of every answer and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The image cannot be had.
    ImagePull,
    /// It ends again and again.
    CrashLoop,
    /// It used more memory than it may.
    OutOfMemory,
    /// No node takes it.
    Unschedulable,
    /// It runs and does not answer its probe.
    Probe,
    /// A quota or a limit of the namespace forbids it.
    Quota,
    /// Its volume is not there.
    Volume,
    /// Its configuration is not accepted: a missing Secret, a program that does not exist.
    Configuration,
    /// It ended, and is not started again.
    Exited,
    /// The back end does not say.
    Unknown,
    /// Nothing is wrong: the first instances are being started.
    Starting,
    /// Nothing is wrong: instances of another revision or number are on their way.
    Rolling,
    /// Nothing is wrong: instances are ending.
    Ending,
    /// Nothing is wrong: no new sessions are taken, the present ones may end.
    Draining,
    /// Nothing is wrong: it was stopped.
    Stopped,
    /// Nothing is wrong: all instances of the wanted revision are ready.
    Ready,
}

impl Cause {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Cause::ImagePull => "image-pull",
            Cause::CrashLoop => "crash-loop",
            Cause::OutOfMemory => "out-of-memory",
            Cause::Unschedulable => "unschedulable",
            Cause::Probe => "probe",
            Cause::Quota => "quota",
            Cause::Volume => "volume",
            Cause::Configuration => "configuration",
            Cause::Exited => "exited",
            Cause::Unknown => "unknown",
            Cause::Starting => "starting",
            Cause::Rolling => "rolling",
            Cause::Ending => "ending",
            Cause::Draining => "draining",
            Cause::Stopped => "stopped",
            Cause::Ready => "ready",
        }
    }
}

/// Where clients reach a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What kind of place it is.
    pub kind: EndpointKind,
    /// `http://10.0.0.1:8080`, `nodePort://*:30800`, `http://host:port/mcp`.
    pub url: String,
}

/// Kinds of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointKind {
    /// A port of this machine.
    Loopback,
    /// An address within the cluster.
    ClusterIp,
    /// A port of every node.
    NodePort,
    /// An address of a load balancer.
    LoadBalancer,
    /// A name that resolves to the pods.
    Headless,
    /// A host name at the ingress controller.
    Ingress,
}

/// What the back end itself says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    pub last_update: Option<Timestamp>,
}

/// What a server is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The wanted revision is fully rolled out and ready.
    Running,
    /// Some instances are ready, and another number or revision is on its way.
    Scaling,
    /// Nothing is ready yet, and nothing is wrong yet.
    Pending,
    /// No instance is wanted, and none is there.
    Stopped,
    /// Some instances are ready, and something is wrong with others.
    Degraded,
    /// Nothing is ready, and something is wrong.
    Failed,
}

impl State {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Scaling => "scaling",
            State::Pending => "pending",
            State::Stopped => "stopped",
            State::Degraded => "degraded",
            State::Failed => "failed",
        }
    }
}

/// The state with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The state.
    pub state: State,
    /// The reason, as a word.
    pub cause: Cause,
    /// The reason, as a sentence.
    pub message: String,
}

/// One thing that happened to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Option<Timestamp>,
    /// What it happened to: an instance, an object, or the server's own name.
    pub about: String,
    /// A word, such as `Pulled` or `Killing`.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
}

/// One line that a server wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The instance.
    pub instance: String,
    /// When, as far as it is known.
    pub at: Option<Timestamp>,
    /// The text without its line end.
    pub text: String,
}

/// Something may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// With this server.
    Server(Identity),
    /// With any of them: look at all.
    Everything,
}
