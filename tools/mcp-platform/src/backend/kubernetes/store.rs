//! The Secret `<server>-store`: what we keep of a server besides its workload. It is made before
//! everything else and goes last, so that what a cut-off operation leaves behind is found again.
//! It holds the secrets of the present and of the previous specification, one key a revision.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::model::{Identity, Secrets, Spec, label};

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

fn key(revision: &str) -> String {
    format!("revision-{revision}")
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
pub fn object(spec: &Spec, previous: Option<&Spec>) -> Result<Value> {
    let mut data = BTreeMap::new();
    for one in previous.into_iter().chain([spec]) {
        let text =
            serde_json::to_vec(&one.secrets.to_store()).map_err(|error| unwritable(&error))?;
        data.insert(key(&one.revision()), ByteString(text));
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
            "annotations": {
                label::SPEC: serde_json::to_string(spec).map_err(|error| unwritable(&error))?,
            },
        },
        "data": data,
    }))
}

fn unwritable(error: &serde_json::Error) -> Error {
    Error::internal(format!(
        "a specification cannot be written as JSON: {error}"
    ))
}

/// A merge patch that takes these revisions out of a store; none when there are none.
pub fn without(revisions: &[&String]) -> Option<Value> {
    let gone: BTreeMap<String, Value> = revisions
        .iter()
        .map(|revision| (key(revision), Value::Null))
        .collect();
    (!gone.is_empty()).then(|| json!({ "data": gone }))
}
