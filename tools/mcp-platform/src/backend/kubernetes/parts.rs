//! What a server is made of on one cluster: the objects of its specification, without what the
//! cluster does not serve, and the workload with what only the moment knows. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::manifest;
use crate::model::{Remember, Spec, label};

use super::Options;
use super::apply::Wanted;
use super::kinds::{KINDS, ObjectKind, Served};
use super::store;
use super::workload::{LEFT_OUT, Workload};

/// An object with its kind.
pub type Kinded = (&'static ObjectKind, Value);

/// What a server is made of.
pub struct Parts {
    /// The Deployment or StatefulSet.
    pub workload: Kinded,
    /// All others, in the order in which they depend on each other.
    pub others: Vec<Kinded>,
    /// What the cluster does not serve, for people.
    pub left_out: Vec<String>,
}

/// Sorts the objects of a specification.
///
/// # Errors
/// The cluster does not serve workloads at all.
pub fn divide(spec: &Spec, served: &Served, options: &Options) -> Result<Parts> {
    let mut workload = None;
    let mut others: Vec<Kinded> = Vec::new();
    let mut left_out = Vec::new();
    let render = manifest::RenderOptions {
        pause: served.pause(),
        ..options.render.clone()
    };
    for mut object in manifest::objects(spec, &render) {
        name_protocols(&mut object);
        encode(&mut object);
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        let served = ObjectKind::of(&version, &kind).filter(|kind| served.has(kind));
        let Some(known) = served else {
            left_out.push(format!(
                "{kind} {name}: the cluster does not serve {version}"
            ));
            continue;
        };
        if kind == "Secret" && name == store::name(&spec.identity) {
            continue;
        }
        let is_workload = matches!(known.kind, "Deployment" | "StatefulSet")
            && text("/metadata/labels/app.kubernetes.io~1component") == label::COMPONENT_VALUE;
        if is_workload {
            let more = (options.pod_annotations)(spec);
            if !more.is_empty() {
                merge(
                    &mut object,
                    &json!({"spec": {"template": {"metadata": {"annotations": more}}}}),
                );
            }
            workload = Some((known, object));
        } else {
            others.push((known, object));
        }
    }
    let order = |kind: &ObjectKind| KINDS.iter().position(|known| known == kind);
    others.sort_by_key(|(kind, _)| order(kind));
    let workload = workload.ok_or_else(|| {
        Error::precondition(format!(
            "{}: the cluster serves no apps/v1, so it cannot run servers",
            spec.identity
        ))
    })?;
    Ok(Parts {
        workload,
        others,
        left_out,
    })
}

/// Says the protocol of every port: older API servers do not know the default of a key of a list, and
/// refuse an apply without it.
fn name_protocols(object: &mut Value) {
    for pointer in [
        "/spec/ports",
        "/spec/template/spec/containers",
        "/spec/template/spec/initContainers",
    ] {
        let Some(list) = object.pointer_mut(pointer).and_then(Value::as_array_mut) else {
            continue;
        };
        for entry in list {
            if pointer == "/spec/ports" {
                protocol(entry);
            } else if let Some(ports) = entry.get_mut("ports").and_then(Value::as_array_mut) {
                ports.iter_mut().for_each(protocol);
            }
        }
    }
}

fn protocol(port: &mut Value) {
    if let Some(port) = port.as_object_mut() {
        port.entry("protocol").or_insert_with(|| "TCP".into());
    }
}

/// `stringData` of a Secret as `data`: what is only ever written cannot be taken out again.
fn encode(object: &mut Value) {
    let Some(open) = object
        .as_object_mut()
        .and_then(|object| object.remove("stringData"))
    else {
        return;
    };
    let encoded: Map<String, Value> = open
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, text)| Some((key.clone(), STANDARD.encode(text.as_str()?).into())))
        .collect();
    merge(object, &json!({ "data": encoded }));
}

/// The workload with what only this moment knows: numbers, memory, the specifications.
///
/// # Errors
/// A specification cannot be written as JSON, which does not happen.
pub fn completed(
    mut object: Value,
    wanted: &Wanted<'_>,
    replicas: u32,
    live: Option<&Workload>,
    left_out: &[String],
) -> Result<Value> {
    let write = |spec: &Spec| {
        serde_json::to_string(spec)
            .map_err(|error| Error::internal(format!("a specification cannot be written: {error}")))
    };
    let mut annotations = Map::new();
    annotations.insert(label::SPEC.to_owned(), write(wanted.spec)?.into());
    if let Some(previous) = wanted.previous {
        annotations.insert(label::PREVIOUS.to_owned(), write(previous)?.into());
    }
    if !left_out.is_empty() {
        annotations.insert(LEFT_OUT.to_owned(), json!(left_out).to_string().into());
    }
    let known = live.and_then(|live| live.annotation(label::REMEMBERED));
    let remembered = match wanted.remember {
        Remember::Keep => known.map(str::to_owned),
        Remember::Set(replicas) => Some(replicas.to_string()),
        // Left out, it would stay: the one who steers has written it too.
        Remember::Forget => known.map(|_| String::new()),
    };
    if let Some(text) = remembered {
        annotations.insert(label::REMEMBERED.to_owned(), text.into());
    }
    merge(
        &mut object,
        &json!({
            "metadata": {
                "annotations": annotations,
                "labels": {label::REVISION: wanted.spec.revision()},
            },
            "spec": {"replicas": replicas},
        }),
    );
    Ok(object)
}

/// Merges a tree into another, maps key by key.
pub fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}
