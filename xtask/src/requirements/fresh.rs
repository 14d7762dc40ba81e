//! Whether a lock file belongs to its `pyproject.toml`. Pure.
//!
//! Poetry stores the sha256 of the parts of `pyproject.toml` that decide the lock, as Python's
//! `json.dumps(…, sort_keys=True)` writes them. Source: Poetry 2.5, `packages/locker.py`,
//! `_get_content_hash` and `is_fresh`.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::lockfile::poetry::Lock;
use crate::pep440::Version;

/// Keys of `[tool.poetry]` that old versions hashed even when absent, as `null`.
const ALWAYS: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];

/// Whether the lock was made from this `pyproject.toml`.
pub fn is_fresh(lock: &Lock, pyproject: &Value) -> bool {
    let Some(locked) = &lock.content_hash else {
        return false;
    };
    if *locked == content_hash(pyproject, true) {
        return true;
    }
    // Before Poetry 2.3 the hash left [dependency-groups] out.
    let groups_counted = Version::from_release(0, vec![2, 3, 0]);
    let old = lock
        .written_by
        .as_ref()
        .is_some_and(|version| *version < groups_counted);
    old && *locked == content_hash(pyproject, false)
}

/// The hash of what decides the lock, in hexadecimal.
pub fn content_hash(pyproject: &Value, with_groups: bool) -> String {
    let mut text = String::new();
    write_json(&mut text, &relevant(pyproject, with_groups));
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hexadecimal, byte| {
        hexadecimal.push_str(&format!("{byte:02x}"));
        hexadecimal
    })
}

fn relevant(pyproject: &Value, with_groups: bool) -> Value {
    let table = |table: Option<&Value>| table.and_then(Value::as_object).cloned();
    let project = table(pyproject.get("project")).unwrap_or_default();
    let poetry = pyproject.get("tool").and_then(|tool| tool.get("poetry"));
    let poetry = table(poetry).unwrap_or_default();
    let groups = table(pyproject.get("dependency-groups")).filter(|_| with_groups);
    let groups = groups.unwrap_or_default();
    let mut of_project = Map::new();
    for key in ["requires-python", "dependencies", "optional-dependencies"] {
        if let Some(value) = project.get(key) {
            of_project.insert(key.to_owned(), value.clone());
        }
    }
    let legacy = of_project.is_empty() && groups.is_empty();
    let mut of_poetry = Map::new();
    for key in ALWAYS {
        match poetry.get(key) {
            Some(value) => of_poetry.insert(key.to_owned(), value.clone()),
            None if legacy => of_poetry.insert(key.to_owned(), Value::Null),
            None => None,
        };
    }
    if let Some(value) = poetry.get("group") {
        of_poetry.insert("group".to_owned(), value.clone());
    }
    if legacy {
        return of_poetry.into();
    }
    let mut whole = Map::new();
    if !of_project.is_empty() {
        whole.insert("project".to_owned(), of_project.into());
    }
    if !groups.is_empty() {
        whole.insert("dependency-groups".to_owned(), groups.into());
    }
    whole.insert("tool".to_owned(), serde_json::json!({"poetry": of_poetry}));
    whole.into()
}

/// Writes JSON as Python does: sorted keys, a space behind `,` and `:`, ASCII only.
fn write_json(text: &mut String, value: &Value) {
    match value {
        Value::String(string) => write_string(text, string),
        Value::Array(list) => {
            text.push('[');
            for (index, item) in list.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write_json(text, item);
            }
            text.push(']');
        }
        Value::Object(table) => {
            let mut entries: Vec<(&String, &Value)> = table.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write_string(text, key);
                text.push_str(": ");
                write_json(text, item);
            }
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='\u{7f}' => text.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_written_as_python_writes_it() {
        let mut text = String::new();
        let value = json!({"b": [1, true, null, "a\u{7f}\"\\\n\u{1}ü😀"], "a": {}});
        write_json(&mut text, &value);
        let expected = "{\"a\": {}, \"b\": [1, true, null, \
                        \"a\u{7f}\\\"\\\\\\n\\u0001\\u00fc\\ud83d\\ude00\"]}";
        assert_eq!(text, expected);
    }

    #[test]
    fn only_what_decides_the_lock_is_hashed() {
        let hash = |value: &Value| content_hash(value, true);
        let one = json!({"project": {"name": "a", "dependencies": ["b"]}});
        let other = json!({"project": {"name": "c", "dependencies": ["b"]}, "build-system": {}});
        assert_eq!(hash(&one), hash(&other));
        let changed = json!({"project": {"name": "a", "dependencies": ["c"]}});
        assert_ne!(hash(&one), hash(&changed));
        let legacy = json!({"tool": {"poetry": {"dependencies": {"python": "*"}}}});
        let mut text = String::new();
        write_json(&mut text, &relevant(&legacy, true));
        let expected = "{\"dependencies\": {\"python\": \"*\"}, \"dev-dependencies\": null, \
                        \"extras\": null, \"source\": null}";
        assert_eq!(text, expected);
    }
}
