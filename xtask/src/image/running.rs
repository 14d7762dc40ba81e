//! What a running container says it was made from: the annotations and labels of a pod, of a
//! Deployment, of a container or of an image, as `kubectl … -o json` and `docker inspect` print
//! them.

use serde_json::Value;

use super::{COMMIT, WHEEL};
use crate::artifact::Digest;
use crate::printable;
use crate::yaml;

/// One thing that runs, or is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// `Pod default/notes-0`, or the name of a container.
    pub name: String,
    /// Every commit that it names; more than one is a contradiction.
    pub commits: Vec<String>,
    /// Every wheel that it names.
    pub wheels: Vec<Digest>,
    /// The version it states.
    pub version: Option<String>,
    /// What is odd about what it says.
    pub oddities: Vec<String>,
}

/// The keys under which engines and clusters keep texts about a thing.
const MAPS: [&str; 3] = ["annotations", "labels", "Labels"];

/// Where the version is stated.
const VERSIONS: [&str; 2] = [
    "org.opencontainers.image.version",
    "app.kubernetes.io/version",
];

/// Everything that a text speaks of; `None` when the text is neither JSON nor YAML with a mapping.
pub fn read(text: &str) -> Option<Vec<Running>> {
    let values = match serde_json::from_str::<Value>(text) {
        Ok(value) => vec![value],
        Err(_) => {
            let documents = yaml::documents(text).ok()?;
            documents.iter().map(yaml::Node::json).collect()
        }
    };
    let mut found = Vec::new();
    for value in &values {
        each(value, &mut found);
    }
    (!found.is_empty()).then_some(found)
}

/// Goes into lists: of `kubectl get pods`, and those that `docker inspect` always prints.
fn each(value: &Value, found: &mut Vec<Running>) {
    if let Some(list) = value.as_array() {
        list.iter().for_each(|value| each(value, found));
    } else if let Some(items) = value["items"].as_array() {
        items.iter().for_each(|value| each(value, found));
    } else if value.is_object() {
        found.push(of(value));
    }
}

/// What one document says.
pub fn of(value: &Value) -> Running {
    let mut running = Running {
        name: name(value),
        commits: Vec::new(),
        wheels: Vec::new(),
        version: None,
        oddities: Vec::new(),
    };
    gather(value, &mut running);
    running
}

fn name(value: &Value) -> String {
    let text = |value: &Value| value.as_str().map(|text| printable::line(text, 200));
    let metadata = &value["metadata"];
    if let Some(name) = text(&metadata["name"]) {
        let kind = text(&value["kind"]).unwrap_or_else(|| "object".to_owned());
        return match text(&metadata["namespace"]) {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        };
    }
    let container = text(&value["Name"]).map(|name| name.trim_start_matches('/').to_owned());
    let image = || text(&value["RepoTags"][0]).or_else(|| text(&value["Id"]));
    container
        .filter(|name| !name.is_empty())
        .or_else(image)
        .unwrap_or_else(|| "object".to_owned())
}

fn gather(value: &Value, running: &mut Running) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| gather(value, running)),
        Value::Object(map) => {
            for (key, value) in map {
                if MAPS.contains(&key.as_str()) && value.is_object() {
                    take(value, running);
                } else {
                    gather(value, running);
                }
            }
        }
        _ => {}
    }
}

fn take(texts: &Value, running: &mut Running) {
    if let Some(commit) = texts[COMMIT].as_str() {
        let plain = commit.strip_suffix("-dirty").unwrap_or(commit);
        let is_commit = plain.len() >= 7 && plain.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_commit {
            true if running.commits.iter().any(|known| known == commit) => {}
            true => running.commits.push(commit.to_owned()),
            false => running.oddities.push(format!(
                "{COMMIT} is {:?}, which is no commit",
                printable::line(commit, 80)
            )),
        }
    }
    if let Some(wheel) = texts[WHEEL].as_str() {
        match Digest::parse(wheel) {
            Ok(digest) if running.wheels.contains(&digest) => {}
            Ok(digest) => running.wheels.push(digest),
            Err(_) => running.oddities.push(format!(
                "{WHEEL} is {:?}, which is no sha256",
                printable::line(wheel, 80)
            )),
        }
    }
    for key in VERSIONS {
        if let (None, Some(version)) = (&running.version, texts[key].as_str()) {
            running.version = Some(printable::line(version, 80));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b";

    fn check(text: &str, expected: &[(&str, usize, usize, usize)]) {
        let text = text.replace("HEX", HEX).replace("COMMIT", &"ab".repeat(20));
        let found = read(&text).unwrap();
        let found: Vec<(&str, usize, usize, usize)> = found
            .iter()
            .map(|one| {
                let (commits, wheels) = (one.commits.len(), one.wheels.len());
                (one.name.as_str(), commits, wheels, one.oddities.len())
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn pods_deployments_containers_and_images_are_read() {
        check(
            "kind: Pod\nmetadata:\n  name: notes-0\n  namespace: mcp\n  annotations:\n    \
             io.mcp-shipyard.commit: COMMIT\n    io.mcp-shipyard.wheel.sha256: HEX\n",
            &[("Pod mcp/notes-0", 1, 1, 0)],
        );
        check(
            r#"{"kind":"Deployment","metadata":{"name":"notes"},"spec":{"template":{"metadata":
            {"annotations":{"io.mcp-shipyard.wheel.sha256":"sha256:HEX"}}}}}"#,
            &[("Deployment notes", 0, 1, 0)],
        );
        check(
            r#"[{"Name":"/notes","Config":{"Labels":{"io.mcp-shipyard.commit":"COMMIT-dirty"}}}]"#,
            &[("notes", 1, 0, 0)],
        );
        check(
            r#"{"items":[{"kind":"Pod","metadata":{"name":"a"}},{"kind":"Pod","metadata":
            {"name":"b","labels":{"io.mcp-shipyard.commit":"COMMIT"}}}]}"#,
            &[("Pod a", 0, 0, 0), ("Pod b", 1, 0, 0)],
        );
    }

    #[test]
    fn contradictions_and_nonsense_are_said() {
        check(
            r#"{"metadata":{"name":"a","annotations":{"io.mcp-shipyard.commit":"COMMIT"},
            "labels":{"io.mcp-shipyard.commit":"abcdef1"}}}"#,
            &[("object a", 2, 0, 0)],
        );
        check(
            r#"{"metadata":{"name":"a","annotations":{"io.mcp-shipyard.commit":"$(id)",
            "io.mcp-shipyard.wheel.sha256":"12"}}}"#,
            &[("object a", 0, 0, 2)],
        );
        for text in ["", "[]", "just text", "1", "{", "PK\u{3}\u{4}"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
