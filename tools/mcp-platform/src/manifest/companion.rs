//! Services that belong to one server, such as its database: one pod each, reachable only by the
//! server and by those companions that say so.
//!
//! Each is a Deployment with the strategy `Recreate` and a claim of its own name, as a singleton is:
//! a StatefulSet would add a hash to the name in a label, for which a server with a long name and a
//! companion have no room.

use serde_json::{Map, Value, json};

use crate::model::{Companion, Spec, label};

use super::claim::claim;
use super::container::{RootFilesystem, resources, security};
use super::network::{dns, guard, peer, port};
use super::{Protection, RenderOptions, labels, names, set};

/// The value of the component's label.
pub const COMPANION: &str = "mcp-companion";
/// Which companion of its server.
pub const WHICH: &str = "mcp-platform/companion";

/// Every object of every companion that is started.
pub fn objects(spec: &Spec, options: &RenderOptions) -> Vec<Value> {
    enabled(spec)
        .flat_map(|companion| {
            let mut all = Vec::new();
            all.extend(secret(spec, companion));
            all.extend(storage(spec, companion));
            if options.protection == Protection::On {
                all.push(policy(spec, companion));
            }
            all.push(service(spec, companion));
            all.push(deployment(spec, companion));
            all
        })
        .collect()
}

/// The companions that are started.
pub fn enabled(spec: &Spec) -> impl Iterator<Item = &Companion> {
    spec.companions.iter().filter(|companion| companion.enabled)
}

/// The labels by which a companion's pod is found.
pub fn selector(spec: &Spec, name: &str) -> Value {
    json!({
        label::INSTANCE: spec.identity.name,
        label::COMPONENT: COMPANION,
        WHICH: name,
    })
}

fn metadata(spec: &Spec, companion: &Companion, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": spec.identity.namespace,
        "labels": all_labels(spec, companion),
    })
}

fn all_labels(spec: &Spec, companion: &Companion) -> Value {
    let mut labels = json!(labels(spec, COMPANION));
    set(&mut labels, WHICH, companion.name.clone());
    labels
}

fn name(spec: &Spec, companion: &Companion) -> String {
    names::companion(spec, &companion.name)
}

fn claim_name(spec: &Spec, companion: &Companion, volume: &str) -> String {
    format!("{}-{volume}", name(spec, companion))
}

/// Values that were generated once; a database keeps the password that it was made with, so the
/// name has no revision.
fn secret(spec: &Spec, companion: &Companion) -> Option<Value> {
    let data: Map<String, Value> = companion
        .generated
        .iter()
        .filter_map(|(variable, key)| {
            let secret = spec.secrets.generated.get(key)?;
            Some((variable.clone(), secret.expose().into()))
        })
        .collect();
    if companion.generated.is_empty() {
        return None;
    }
    Some(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(spec, companion, &name(spec, companion)),
        "type": "Opaque",
        "stringData": data,
    }))
}

fn storage(spec: &Spec, companion: &Companion) -> Option<Value> {
    let volume = companion.volume.as_ref().filter(|volume| volume.size > 0)?;
    Some(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(spec, companion, &claim_name(spec, companion, &volume.name)),
        "spec": claim(volume),
    }))
}

fn service(spec: &Spec, companion: &Companion) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(spec, companion, &name(spec, companion)),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(spec, &companion.name),
            "ports": [{
                "name": "main",
                "port": companion.port,
                "targetPort": "main",
                "protocol": "TCP",
            }],
        },
    })
}

/// In: the server and those companions that reach it. Out: names, and what it reaches itself.
fn policy(spec: &Spec, companion: &Companion) -> Value {
    let mut from = vec![peer(&super::selector(spec))];
    from.extend(
        enabled(spec)
            .filter(|other| other.reaches.contains(&companion.name))
            .map(|other| peer(&selector(spec, &other.name))),
    );
    let mut egress = vec![dns()];
    egress.extend(
        enabled(spec)
            .filter(|other| companion.reaches.contains(&other.name))
            .map(|other| {
                json!({
                    "to": [peer(&selector(spec, &other.name))],
                    "ports": [port(other.port)],
                })
            }),
    );
    guard(
        &metadata(spec, companion, &name(spec, companion)),
        &selector(spec, &companion.name),
        &[json!({ "from": from, "ports": [port(companion.port)] })],
        &egress,
    )
}

fn deployment(spec: &Spec, companion: &Companion) -> Value {
    let name = name(spec, companion);
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(spec, companion, &name),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 3,
            "strategy": { "type": "Recreate" },
            "selector": { "matchLabels": selector(spec, &companion.name) },
            "template": {
                "metadata": { "labels": all_labels(spec, companion) },
                "spec": pod(spec, companion),
            },
        },
    })
}

fn pod(spec: &Spec, companion: &Companion) -> Value {
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": companion.user,
            "runAsGroup": companion.user,
            "fsGroup": companion.user,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [container(spec, companion)],
    });
    if let Some(volume) = &companion.volume {
        let source = if volume.size > 0 {
            let claim = claim_name(spec, companion, &volume.name);
            json!({ "name": volume.name, "persistentVolumeClaim": { "claimName": claim } })
        } else {
            json!({ "name": volume.name, "emptyDir": {} })
        };
        set(&mut pod, "volumes", json!([source]));
    }
    pod
}

fn container(spec: &Spec, companion: &Companion) -> Value {
    let look = |failures: u32| {
        json!({
            "tcpSocket": { "port": "main" },
            "periodSeconds": 5,
            "timeoutSeconds": 3,
            "failureThreshold": failures,
        })
    };
    let mut container = json!({
        "name": "main",
        "image": companion.image,
        "imagePullPolicy": "IfNotPresent",
        "env": environment(spec, companion),
        "ports": [{ "name": "main", "containerPort": companion.port, "protocol": "TCP" }],
        "resources": resources(companion.resources),
        // Nothing ends a database that is busy: only its start and its readiness are looked at.
        "startupProbe": look(60),
        "readinessProbe": look(3),
        "securityContext": security(RootFilesystem::Writable),
    });
    if let Some(volume) = &companion.volume {
        let mount = json!([{ "name": volume.name, "mountPath": volume.path }]);
        set(&mut container, "volumeMounts", mount);
    }
    container
}

fn environment(spec: &Spec, companion: &Companion) -> Vec<Value> {
    let open = companion.environment.iter().map(|(name, text)| {
        // Kubernetes expands `$(NAME)` in a value.
        let value = text.replace("$(", "$$(");
        json!({ "name": name, "value": value })
    });
    let secret = name(spec, companion);
    let closed = companion.generated.keys().map(|variable| {
        json!({
            "name": variable,
            "valueFrom": { "secretKeyRef": { "name": secret, "key": variable } },
        })
    });
    open.chain(closed).collect()
}
