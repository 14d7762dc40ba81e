//! The pod template of a server, and how its pods end.

use serde_json::{Map, Value, json};

use crate::model::{Spec, Statefulness, Transport, label};

use super::container::{
    BRIDGE, BRIDGE_FOLDER, CONFIG, RootFilesystem, SCRATCH, SECRET, container, security,
    wants_scratch,
};
use super::{RenderOptions, labels, names, provenance, selector, set};

/// The group that owns the volumes, so that a user who is not root can write to them.
pub const GROUP: u32 = 10001;

/// How a pod ends: first it is taken out of the Services while it still answers, then it is asked
/// to end, then its sessions may come to their end, then it is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Termination {
    /// Seconds between the end of new connections and the request to end.
    pub pre_stop: u32,
    /// Seconds for all of it.
    pub grace: u32,
}

/// The times of a server. What is spent before the request and the time for sessions always fit
/// into the whole, which is made longer where they would not.
pub fn termination(spec: &Spec) -> Termination {
    let rest = spec.grace_seconds.saturating_sub(spec.drain_seconds);
    let pre_stop = (rest / 3).clamp(1, 5);
    Termination {
        pre_stop,
        grace: spec.grace_seconds.max(spec.drain_seconds + pre_stop + 2),
    }
}

/// The pod template.
pub fn template(spec: &Spec, options: &RenderOptions) -> Value {
    let mut labels = labels(spec, label::COMPONENT_VALUE);
    labels.insert(label::REVISION.to_owned(), spec.revision());
    if spec.manages_kernels {
        // Policies of kernels admit their server by this label.
        labels.insert("app".to_owned(), "mcp-server-manager".to_owned());
    }
    json!({
        "metadata": { "labels": labels, "annotations": annotations(spec) },
        "spec": pod(spec, options),
    })
}

fn annotations(spec: &Spec) -> Map<String, Value> {
    let mut annotations = provenance(spec);
    annotations.insert("prometheus.io/scrape".to_owned(), "true".into());
    annotations.insert(
        "prometheus.io/port".to_owned(),
        spec.port.to_string().into(),
    );
    annotations.insert("prometheus.io/path".to_owned(), "/metrics".into());
    annotations
}

fn pod(spec: &Spec, options: &RenderOptions) -> Value {
    let mut pod = json!({
        "serviceAccountName": spec.identity.name,
        "automountServiceAccountToken": spec.manages_kernels,
        // Variables of every Service of the namespace are nothing that a server asked for.
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": termination(spec).grace,
        "securityContext": security_context(),
    });
    if spec.statefulness != Statefulness::Singleton {
        set(&mut pod, "topologySpreadConstraints", spread(spec));
    }
    if spec.transport == Transport::Stdio {
        set(&mut pod, "initContainers", json!([bridge(options)]));
    }
    set(&mut pod, "containers", json!([container(spec, options)]));
    let volumes = volumes(spec);
    if !volumes.is_empty() {
        set(&mut pod, "volumes", volumes);
    }
    pod
}

/// What the Pod Security Standard `restricted` wants of a pod. Which user it is, the image says.
fn security_context() -> Value {
    json!({
        "runAsNonRoot": true,
        "fsGroup": GROUP,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

/// Instances on nodes of their own where there are enough of them.
fn spread(spec: &Spec) -> Value {
    json!([{
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": { "matchLabels": selector(spec) },
    }])
}

/// Our own program, which is the bridge, puts itself to where the server's container finds it; its
/// image needs no shell for that.
fn bridge(options: &RenderOptions) -> Value {
    json!({
        "name": "bridge",
        "image": options.bridge_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["mcp-platform", "bridge", "--install", BRIDGE_FOLDER],
        "resources": {
            "requests": { "cpu": "10m", "memory": "32Mi" },
            "limits": { "cpu": "500m", "memory": "128Mi" },
        },
        "securityContext": security(RootFilesystem::ReadOnly),
        "volumeMounts": [{ "name": BRIDGE, "mountPath": BRIDGE_FOLDER }],
    })
}

fn volumes(spec: &Spec) -> Vec<Value> {
    let mut all = Vec::new();
    for volume in &spec.volumes {
        let source = match (volume.size, spec.statefulness) {
            (0, _) => json!({ "name": volume.name, "emptyDir": {} }),
            (_, Statefulness::Singleton) => json!({
                "name": volume.name,
                "persistentVolumeClaim": { "claimName": names::claim(spec, &volume.name) },
            }),
            // The StatefulSet gives each pod a claim of that name.
            (_, Statefulness::Stateless | Statefulness::Sticky) => continue,
        };
        all.push(source);
    }
    if wants_scratch(spec) {
        all.push(json!({ "name": SCRATCH, "emptyDir": {} }));
    }
    if !spec.files.is_empty() {
        all.push(json!({
            "name": CONFIG,
            "configMap": { "name": names::revisioned(spec, "config") },
        }));
    }
    if !spec.secrets.files.is_empty() {
        all.push(json!({
            "name": SECRET,
            "secret": { "secretName": names::revisioned(spec, "secret"), "defaultMode": 0o440 },
        }));
    }
    if spec.transport == Transport::Stdio {
        all.push(json!({ "name": BRIDGE, "emptyDir": {} }));
    }
    all
}
