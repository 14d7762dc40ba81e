//! Objects as YAML: many documents in a stable order, and what is secret left out unless it is asked
//! for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Result};

/// Whether the values of Secrets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretValues {
    /// They are left out, and it is said which Secrets have to be created.
    LeftOut,
    /// They are written, for a pipe or an encrypted file.
    Written,
}

/// A Secret that has to be created by other means.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OutsideSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<String>,
    /// Its labels, so that it is found and goes with its server.
    pub labels: BTreeMap<String, String>,
}

/// Divides objects into those to write and those Secrets that are to be created elsewhere.
pub fn divide(objects: Vec<Value>, values: SecretValues) -> (Vec<Value>, Vec<OutsideSecret>) {
    let (secrets, others): (Vec<Value>, Vec<Value>) = objects.into_iter().partition(|object| {
        values == SecretValues::LeftOut && object.get("kind").is_some_and(|kind| kind == "Secret")
    });
    (others, secrets.iter().map(outside).collect())
}

fn outside(secret: &Value) -> OutsideSecret {
    let text = |pointer: &str| {
        let value = secret.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let members = |pointer: &str| {
        let value = secret.pointer(pointer).and_then(Value::as_object);
        value.cloned().unwrap_or_default()
    };
    let mut keys: Vec<String> = members("/stringData")
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    keys.sort();
    OutsideSecret {
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        keys,
        labels: members("/metadata/labels")
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
            .collect(),
    }
}

/// The documents, each after `---`, with what a reader has to know above them.
///
/// # Errors
/// A value cannot be written as YAML.
pub fn write(heading: &str, objects: &[Value], outside: &[OutsideSecret]) -> Result<String> {
    let mut text = comment(heading);
    for secret in outside {
        text.push_str(&comment(&format!(
            "\nSecret {} in {} is not part of this file. Create it first, each value in a file of its own:",
            secret.name, secret.namespace
        )));
        let files: Vec<String> = secret
            .keys
            .iter()
            .map(|key| format!("--from-file={key}=FILE"))
            .collect();
        text.push_str(&comment(&format!(
            "  kubectl -n {} create secret generic {} {}",
            secret.namespace,
            secret.name,
            files.join(" ")
        )));
        let labels: Vec<String> = secret
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        text.push_str(&comment(&format!(
            "  kubectl -n {} label secret {} {}",
            secret.namespace,
            secret.name,
            labels.join(" ")
        )));
    }
    for object in objects {
        // The same text from every build: whether maps keep their order is decided for all crates at once.
        let mut object = object.clone();
        object.sort_all_objects();
        let document = serde_saphyr::to_string(&object).map_err(|error| {
            Error::internal(format!("an object cannot be written as YAML: {error}"))
        })?;
        text.push_str("---\n");
        text.push_str(&document);
        if !document.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}

fn comment(text: &str) -> String {
    text.lines()
        .map(|line| format!("# {line}").trim_end().to_owned() + "\n")
        .collect()
}
