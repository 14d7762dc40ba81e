//! The Secret `<server>-store`: what we keep of a server besides its workload. It is made before
//! everything else and goes last, so that what a cut-off operation leaves behind is found again.
//! It holds the secrets of the present and of the previous specification, one key a revision.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::model::{Identity, Secrets, Spec, label};

use super::write::{Mark, WRITTEN_FOR};

/// The value of [`label::COMPONENT`] of these Secrets.
pub const COMPONENT: &str = "mcp-server-store";

/// Its name.
pub fn name(identity: &Identity) -> String {
    format!("{}-store", identity.name)
}

/// The selector that finds all of them.
pub fn selector() -> String {
    format!(
        "{}={},{}={COMPONENT}",
        label::MANAGED_BY,
        label::MANAGED_BY_VALUE,
        label::COMPONENT
    )
}

const KEY: &str = "revision-";

fn key(revision: &str) -> String {
    format!("{KEY}{revision}")
}

/// The annotation that says for which change the secrets of a revision were written last.
fn mark_key(revision: &str) -> String {
    format!("mcp-platform/written-for-{revision}")
}

/// The revisions of which something is kept though neither the server nor anybody who is changing
/// what has this token needs it.
pub fn leftover(store: &Secret, needed: &[String], token: &str) -> Vec<String> {
    let annotations = store.metadata.annotations.as_ref();
    let written_now = |revision: &str| {
        let mark = annotations.and_then(|all| all.get(&mark_key(revision)));
        mark.is_some_and(|mark| Mark::is_for(mark, token))
    };
    let keys = store.data.iter().flatten().map(|(key, _)| key);
    keys.filter_map(|key| key.strip_prefix(KEY))
        .filter(|revision| !needed.iter().any(|one| one == revision) && !written_now(revision))
        .map(str::to_owned)
        .collect()
}

/// The server whose store a Secret is: namespace and name.
pub fn server(secret: &Secret) -> Option<(&str, &str)> {
    let labels = secret.metadata.labels.as_ref()?;
    if labels.get(label::COMPONENT).map(String::as_str) != Some(COMPONENT) {
        return None;
    }
    let name = labels.get(label::INSTANCE)?;
    Some((secret.metadata.namespace.as_deref()?, name))
}

/// The secrets of a revision.
pub fn secrets(store: &Secret, revision: &str) -> Secrets {
    let kept = store
        .data
        .as_ref()
        .and_then(|data| data.get(&key(revision)))
        .and_then(|bytes| serde_json::from_slice::<BTreeMap<String, String>>(&bytes.0).ok());
    kept.map(Secrets::from_store).unwrap_or_default()
}

/// The whole object, with the secrets of these specifications; also a merge patch that takes
/// nothing away.
///
/// # Errors
/// The specification cannot be written as JSON, which does not happen.
pub fn object(spec: &Spec, previous: Option<&Spec>, mark: &Mark) -> Result<Value> {
    let mut data = BTreeMap::new();
    let written = serde_json::to_string(spec).map_err(|error| unwritable(&error))?;
    let mut annotations = BTreeMap::from([
        (label::SPEC.to_owned(), written),
        (WRITTEN_FOR.to_owned(), mark.as_str().to_owned()),
    ]);
    for one in previous.into_iter().chain([spec]) {
        let text =
            serde_json::to_vec(&one.secrets.to_store()).map_err(|error| unwritable(&error))?;
        data.insert(key(&one.revision()), ByteString(text));
        annotations.insert(mark_key(&one.revision()), mark.as_str().to_owned());
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name(&spec.identity),
            "namespace": spec.identity.namespace,
            "labels": {
                label::NAME: spec.template,
                label::INSTANCE: spec.identity.name,
                label::COMPONENT: COMPONENT,
                label::MANAGED_BY: label::MANAGED_BY_VALUE,
            },
            "annotations": annotations,
        },
        "data": data,
    }))
}

fn unwritable(error: &serde_json::Error) -> Error {
    Error::internal(format!(
        "a specification cannot be written as JSON: {error}"
    ))
}

/// A merge patch that takes these revisions out of a store, unless it changed since it was read.
pub fn without(store: &Secret, revisions: &[String]) -> Value {
    let nothing = |key: fn(&str) -> String| -> BTreeMap<String, Value> {
        let keys = revisions.iter().map(|revision| key(revision));
        keys.map(|key| (key, Value::Null)).collect()
    };
    json!({
        "metadata": {
            "resourceVersion": store.metadata.resource_version,
            "annotations": nothing(mark_key),
        },
        "data": nothing(key),
    })
}
