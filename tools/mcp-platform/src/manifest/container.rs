//! The container of a server: program, variables, files, probes, limits, security.

use serde_json::{Map, Value, json};

use crate::model::{Probe, Resources, Spec, Transport};

use super::claim::size;
use super::configuration::file_key;
use super::pod::termination;
use super::{Pause, RenderOptions, names, set};

/// Where the bridge is put for a server on standard input and output.
pub const BRIDGE_FOLDER: &str = "/mcp";

/// The container.
pub fn container(spec: &Spec, options: &RenderOptions) -> Value {
    let image = spec.run.image.as_ref().map(ToString::to_string);
    let mut container = json!({
        "name": "server",
        "image": image.unwrap_or_default(),
        "imagePullPolicy": "IfNotPresent",
    });
    let (command, arguments) = program(spec);
    if !command.is_empty() {
        set(&mut container, "command", command);
    }
    if !arguments.is_empty() {
        set(&mut container, "args", arguments);
    }
    set(&mut container, "env", environment(spec));
    set(
        &mut container,
        "ports",
        json!([{ "name": "mcp", "containerPort": spec.port, "protocol": "TCP" }]),
    );
    set(&mut container, "resources", resources(spec.resources));
    for (key, probe) in probes(spec) {
        set(&mut container, key, probe);
    }
    set(
        &mut container,
        "lifecycle",
        json!({ "preStop": pause(spec, options.pause) }),
    );
    set(
        &mut container,
        "securityContext",
        security(RootFilesystem::ReadOnly),
    );
    set(&mut container, "volumeMounts", mounts(spec));
    container
}

/// The pause before the server is asked to end. The bridge is in the container of every bridged
/// server; of another image nothing is known, so the cluster's own way is better where there is one.
fn pause(spec: &Spec, pause: Pause) -> Value {
    let seconds = termination(spec).pre_stop;
    let word = seconds.to_string();
    let command = match (&spec.transport, pause) {
        (Transport::Stdio, _) => {
            let bridge = format!("{BRIDGE_FOLDER}/mcp-platform");
            json!([bridge, "bridge", "--pause", word])
        }
        (_, Pause::Action) => return json!({ "sleep": { "seconds": seconds } }),
        (_, Pause::Command) => json!(["sleep", word]),
    };
    json!({ "exec": { "command": command } })
}

/// Program and arguments. Kubernetes expands `$(NAME)` in both, so a `$(` of ours is doubled.
fn program(spec: &Spec) -> (Vec<String>, Vec<String>) {
    let port = spec.port.to_string();
    let fill = |text: &String| {
        text.replace("{port}", &port)
            .replace("{host}", "0.0.0.0")
            .replace("$(", "$$(")
    };
    let command: Vec<String> = spec.run.command.iter().map(fill).collect();
    let arguments: Vec<String> = spec.run.arguments.iter().map(fill).collect();
    if spec.transport != Transport::Stdio {
        return (command, arguments);
    }
    let bridge = format!("{BRIDGE_FOLDER}/mcp-platform");
    let mut words = ["bridge", "--host", "0.0.0.0", "--port", &port]
        .map(str::to_owned)
        .to_vec();
    if let Some(variable) = &spec.bearer {
        words.extend(["--bearer-variable".to_owned(), variable.clone()]);
    }
    words.push("--".to_owned());
    words.extend(command);
    words.extend(arguments);
    (vec![bridge], words)
}

fn environment(spec: &Spec) -> Vec<Value> {
    let mut all = vec![
        json!({ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }),
        json!({ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }),
    ];
    all.retain(|one| {
        one.get("name")
            .and_then(Value::as_str)
            .is_some_and(|name| !told(spec, name))
    });
    for (name, value) in [
        ("HOST", "0.0.0.0".to_owned()),
        ("PORT", spec.port.to_string()),
    ] {
        if !told(spec, name) {
            all.push(json!({ "name": name, "value": value }));
        }
    }
    let config = names::revisioned(spec, "config");
    for name in spec
        .environment
        .keys()
        .filter(|name| !spec.secrets.environment.contains_key(*name))
    {
        all.push(json!({
            "name": name,
            "valueFrom": { "configMapKeyRef": { "name": config, "key": name } },
        }));
    }
    let secret = names::revisioned(spec, "secret");
    for name in spec.secrets.environment.keys() {
        all.push(json!({
            "name": name,
            "valueFrom": { "secretKeyRef": { "name": secret, "key": name } },
        }));
    }
    all
}

fn told(spec: &Spec, name: &str) -> bool {
    spec.environment.contains_key(name) || spec.secrets.environment.contains_key(name)
}

fn mounts(spec: &Spec) -> Vec<Value> {
    let mut all: Vec<Value> = spec
        .volumes
        .iter()
        .map(|volume| json!({ "name": volume.name, "mountPath": volume.path }))
        .collect();
    if wants_scratch(spec) {
        all.push(json!({ "name": SCRATCH, "mountPath": "/tmp" }));
    }
    for (name, paths) in [
        (CONFIG, spec.files.keys().collect::<Vec<_>>()),
        (SECRET, spec.secrets.files.keys().collect()),
    ] {
        for (index, path) in paths.into_iter().enumerate() {
            all.push(json!({
                "name": name,
                "mountPath": path,
                "subPath": file_key(index),
                "readOnly": true,
            }));
        }
    }
    if spec.transport == Transport::Stdio {
        all.push(json!({ "name": BRIDGE, "mountPath": BRIDGE_FOLDER, "readOnly": true }));
    }
    all
}

/// The volume with the files of the ConfigMap.
pub const CONFIG: &str = "mcp-config";
/// The volume with the files of the Secret.
pub const SECRET: &str = "mcp-secret";
/// The volume with the bridge.
pub const BRIDGE: &str = "mcp-bridge";
/// Scratch space, as the file system of the container cannot be written.
pub const SCRATCH: &str = "mcp-scratch";

/// Whether none of the server's own volumes is at `/tmp`.
pub fn wants_scratch(spec: &Spec) -> bool {
    spec.volumes
        .iter()
        .all(|volume| volume.path.trim_end_matches('/') != "/tmp")
}

/// Whether the container may write outside of its volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootFilesystem {
    /// It may not.
    ReadOnly,
    /// It may: images of others often do.
    Writable,
}

/// What the Pod Security Standard `restricted` wants of a container.
pub fn security(root: RootFilesystem) -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "privileged": false,
        "readOnlyRootFilesystem": root == RootFilesystem::ReadOnly,
        "runAsNonRoot": true,
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

/// Processor and memory in the units of Kubernetes.
pub fn resources(resources: Resources) -> Value {
    json!({
        "requests": {
            "cpu": format!("{}m", resources.cpu_request),
            "memory": size(resources.memory_request),
        },
        "limits": {
            "cpu": format!("{}m", resources.cpu_limit),
            "memory": size(resources.memory_limit),
        },
    })
}

/// The three probes. Liveness and readiness never ask the same: a server that takes no sessions for
/// a while must not be ended for it. Where only one page is known, the port stands in for the other;
/// where none is, nothing ends a server that still listens.
fn probes(spec: &Spec) -> Vec<(&'static str, Value)> {
    let bridged = |path: &str| Probe {
        path: path.to_owned(),
        initial_seconds: 0,
        period_seconds: 5,
        failures: 3,
    };
    let (health, ready) = match (&spec.transport, &spec.health, &spec.ready) {
        (Transport::Stdio, None, None) => (Some(bridged("/health")), Some(bridged("/ready"))),
        (_, health, ready) => (health.clone(), ready.clone()),
    };
    let page = |probe: &Probe| json!({ "httpGet": { "path": probe.path, "port": "mcp" } });
    let port = || json!({ "tcpSocket": { "port": "mcp" } });
    let same = health.as_ref().map(|probe| &probe.path) == ready.as_ref().map(|probe| &probe.path);
    let (live_look, ready_look) = match (&health, &ready) {
        (Some(_), Some(ready)) if same => (port(), page(ready)),
        (Some(health), Some(ready)) => (page(health), page(ready)),
        (Some(health), None) => (port(), page(health)),
        (None, Some(ready)) => (port(), page(ready)),
        (None, None) => (Value::Null, port()),
    };
    let default = bridged("");
    let live = health.as_ref().unwrap_or(&default);
    let readiness = ready.as_ref().or(health.as_ref()).unwrap_or(&default);
    let start_look = if live_look.is_null() {
        port()
    } else {
        live_look.clone()
    };
    let mut all = vec![("startupProbe", timed(start_look, 2, startup_failures(live)))];
    if !live_look.is_null() {
        all.push((
            "livenessProbe",
            timed(live_look, live.period_seconds, live.failures),
        ));
    }
    all.push((
        "readinessProbe",
        timed(ready_look, readiness.period_seconds, readiness.failures),
    ));
    all
}

/// A start may take the time that the first failure has, and two minutes more: longer than any
/// deployment waits for a fault.
fn startup_failures(probe: &Probe) -> u32 {
    60 + probe.initial_seconds.div_ceil(2)
}

fn timed(look: Value, period: u32, failures: u32) -> Value {
    let mut probe = match look {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    probe.insert("periodSeconds".to_owned(), period.max(1).into());
    probe.insert("timeoutSeconds".to_owned(), 3.into());
    probe.insert("failureThreshold".to_owned(), failures.max(1).into());
    Value::Object(probe)
}
