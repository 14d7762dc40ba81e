//! Kubernetes objects from a specification: pure, so that what is rendered for GitOps and what is
//! applied to a cluster is the same.
//!
//! What a server hangs on decides its workload:
//! - stateless: a Deployment, replaced one by one;
//! - sticky: a Deployment as well, with a Service that keeps a client at its pod;
//! - singleton: a Deployment of one with the strategy `Recreate`, and a claim of its own name, so
//!   that no second pod ever waits for, or writes to, the volume that the first one holds;
//! - stateless or sticky with a lasting volume: a StatefulSet, because each pod then needs a claim
//!   of its own (`ReadWriteOnce`), which a Deployment cannot give.
//!
//! Nothing here knows a cluster; numbers and memory that only a moment knows are the back end's.

mod account;
mod autoscaler;
mod budget;
mod claim;
mod companion;
mod configuration;
mod container;
mod ingress;
mod names;
mod network;
mod pod;
mod service;
mod workload;
mod yaml;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{ImageReference, Spec, Statefulness, label};

pub use companion::{COMPANION, WHICH};
pub use names::{fitted, revisioned};
pub use pod::{Termination, termination};
pub use service::AT_RUN_TIME;
pub use yaml::{OutsideSecret, SecretValues, divide, write};

/// What is wanted besides the specification, from whoever renders or applies.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderOptions {
    /// For which kind of cluster.
    pub profile: Profile,
    /// Whether an autoscaler sets the number of instances.
    pub autoscaling: Autoscaling,
    /// Whether the objects that shut off and protect are among them.
    pub protection: Protection,
    /// The namespace of the monitoring, which then may read the metrics.
    pub monitoring: Option<String>,
    /// The platform's own image, where the bridge for servers on standard input and output is.
    pub bridge_image: ImageReference,
    /// How a container waits between the end of new connections and the request to end.
    pub pause: Pause,
}

/// How a container waits before it is asked to end. A bridged server waits by the bridge, whatever
/// its image has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Pause {
    /// The program `sleep` of the image: every cluster takes it, and nearly every image has it
    Command,
    /// The cluster's own: needs nothing of the image, and Kubernetes 1.30 or newer on every node
    Action,
}

/// A kind of cluster, as far as its ingress controller and load balancer want other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Nothing that only one controller understands
    Plain,
    /// The NGINX ingress controller
    Nginx,
    /// Amazon EKS with the AWS Load Balancer Controller
    Eks,
    /// Google GKE with its own controller and a BackendConfig
    Gke,
    /// Azure AKS with the Application Gateway controller
    Aks,
}

/// Every profile.
pub const PROFILES: [Profile; 5] = [
    Profile::Plain,
    Profile::Nginx,
    Profile::Eks,
    Profile::Gke,
    Profile::Aks,
];

/// Whether an autoscaler sets the number of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autoscaling {
    /// The number in the specification is what runs.
    Off,
    /// Where the statefulness allows: 2 to 10, and the workload then names no number.
    On,
}

/// Whether disruption budget and network policies are among the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// They are.
    On,
    /// They are not, for clusters that bring their own.
    Off,
}

impl Default for RenderOptions {
    fn default() -> RenderOptions {
        RenderOptions {
            profile: Profile::Plain,
            autoscaling: Autoscaling::Off,
            protection: Protection::On,
            monitoring: None,
            bridge_image: ImageReference {
                registry: Some("ghcr.io".to_owned()),
                repository: "mcp-shipyard/mcp-platform".to_owned(),
                tag: Some(env!("CARGO_PKG_VERSION").to_owned()),
                digest: None,
            },
            pause: Pause::Command,
        }
    }
}

/// Every object of a server, those first on which others depend.
pub fn objects(spec: &Spec, options: &RenderOptions) -> Vec<Value> {
    let mut all = account::objects(spec);
    all.extend(configuration::objects(spec));
    all.extend(claim::objects(spec));
    if options.protection == Protection::On {
        all.extend(network::objects(spec, options));
    }
    all.extend(companion::objects(spec, options));
    all.extend(service::objects(spec, options));
    all.push(workload::object(spec, options));
    if options.protection == Protection::On {
        all.extend(budget::object(spec));
    }
    if autoscales(spec, options) {
        all.push(autoscaler::object(spec));
    }
    all.extend(ingress::objects(spec, options));
    all
}

/// Whether an autoscaler sets the number: never that of a singleton.
fn autoscales(spec: &Spec, options: &RenderOptions) -> bool {
    options.autoscaling == Autoscaling::On && spec.statefulness != Statefulness::Singleton
}

/// Whether each instance owns storage of its own.
fn owns_claims(spec: &Spec) -> bool {
    spec.statefulness != Statefulness::Singleton
        && spec.volumes.iter().any(|volume| volume.size > 0)
}

/// Labels of every object of a server; `component` says what the object belongs to.
fn labels(spec: &Spec, component: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (label::NAME.to_owned(), spec.template.clone()),
        (label::INSTANCE.to_owned(), spec.identity.name.to_string()),
        (label::COMPONENT.to_owned(), component.to_owned()),
        (
            label::MANAGED_BY.to_owned(),
            label::MANAGED_BY_VALUE.to_owned(),
        ),
        (label::VERSION.to_owned(), version(&spec.version)),
    ])
}

/// The labels by which a server's pods are found. They never change: selectors cannot.
fn selector(spec: &Spec) -> Value {
    json!({
        label::INSTANCE: spec.identity.name,
        label::COMPONENT: label::COMPONENT_VALUE,
        label::MANAGED_BY: label::MANAGED_BY_VALUE,
    })
}

/// A version as the value of a label: at most 63 of `[A-Za-z0-9._-]`, a letter or digit at both ends.
fn version(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '_'
            }
        })
        .take(63)
        .collect();
    kept.trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_owned()
}

/// `metadata` of an object of the server.
fn metadata(spec: &Spec, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": spec.identity.namespace,
        "labels": labels(spec, label::COMPONENT_VALUE),
    })
}

/// What the bytes are, for whoever asks a running pod.
fn provenance(spec: &Spec) -> Map<String, Value> {
    let mut annotations = Map::new();
    if let Some(commit) = &spec.provenance.commit {
        annotations.insert(label::COMMIT.to_owned(), commit.clone().into());
    }
    if let Some(sha256) = &spec.provenance.wheel_sha256 {
        annotations.insert(label::WHEEL.to_owned(), sha256.clone().into());
    }
    annotations
}

/// Puts a member into an object.
fn set(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value.into());
    }
}
