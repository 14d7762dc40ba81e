//! What a server is told: a ConfigMap and a Secret, both named by the revision.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{Spec, label};

use super::{metadata, names, set};

/// The ConfigMap and the Secret, where there is something for them.
pub fn objects(spec: &Spec) -> Vec<Value> {
    let mut all = Vec::new();
    let open = entries(&spec.environment, &spec.files, String::clone);
    if !open.is_empty() {
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": of_revision(spec, "config"),
        });
        set(&mut object, "data", open);
        all.push(object);
    }
    let secrets = &spec.secrets;
    let closed = entries(&secrets.environment, &secrets.files, |secret| {
        secret.expose().to_owned()
    });
    if !closed.is_empty() {
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": of_revision(spec, "secret"),
            "type": "Opaque",
        });
        set(&mut object, "stringData", closed);
        all.push(object);
    }
    all
}

fn of_revision(spec: &Spec, part: &str) -> Value {
    let mut metadata = metadata(spec, &names::revisioned(spec, part));
    if let Some(labels) = metadata.get_mut("labels") {
        set(labels, label::REVISION, spec.revision());
    }
    metadata
}

fn entries<T>(
    environment: &BTreeMap<String, T>,
    files: &BTreeMap<String, T>,
    text: impl Fn(&T) -> String,
) -> Map<String, Value> {
    let variables = environment
        .iter()
        .map(|(name, value)| (name.clone(), text(value).into()));
    let files = files
        .values()
        .enumerate()
        .map(|(index, value)| (file_key(index), text(value).into()));
    variables.chain(files).collect()
}

/// The key of a file: variables have no point in their names.
pub fn file_key(index: usize) -> String {
    format!("file.{index}")
}
