//! The record of every change: who, what, when, and what came of it. One JSON object a line, only
//! ever appended. A change that cannot be recorded is not made.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

use super::caller::Caller;

/// Where changes are recorded.
#[derive(Debug, Clone)]
pub struct Audit {
    path: Option<PathBuf>,
}

/// What is about to be done, or was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Joins the two lines of one change.
    pub id: String,
    /// Who.
    pub who: String,
    /// Who that is allowed to be.
    pub role: &'static str,
    /// From where.
    pub address: Option<String>,
    /// The operation.
    pub operation: &'static str,
    /// On which cluster; none where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// To which namespace.
    pub namespace: String,
    /// To which server; none when it has no name yet.
    pub server: Option<String>,
    /// How: numbers, the image, the names of configuration keys; never their values.
    pub parameters: Map<String, Value>,
}

impl Entry {
    /// What a caller is about to do.
    pub fn new(id: String, caller: &Caller, operation: &'static str, namespace: &str) -> Entry {
        Entry {
            id,
            who: caller.name.clone(),
            role: caller.role.word(),
            address: caller.address.map(|address| address.to_string()),
            operation,
            cluster: None,
            namespace: namespace.to_owned(),
            server: None,
            parameters: Map::new(),
        }
    }

    /// On which cluster.
    #[must_use]
    pub fn cluster(mut self, name: &str) -> Entry {
        self.cluster = Some(name.to_owned());
        self
    }

    /// To which server.
    #[must_use]
    pub fn server(mut self, name: &str) -> Entry {
        self.server = Some(name.to_owned());
        self
    }

    /// Adds a parameter, which must not be secret.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Entry {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }
}

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    time: Timestamp,
    #[serde(flatten)]
    entry: &'a Entry,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl Audit {
    /// Into a file, which is made when it is not there.
    pub fn to(path: PathBuf) -> Audit {
        Audit { path: Some(path) }
    }

    /// Nowhere: for tests and for callers that record by themselves.
    pub fn nowhere() -> Audit {
        Audit { path: None }
    }

    /// Records one line and waits until the disk has it. `outcome` is `begun`, `done`, `refused` or
    /// the kind of an error.
    ///
    /// # Errors
    /// It could not be written: then the change must not be made.
    pub async fn record(
        &self,
        entry: &Entry,
        outcome: &str,
        detail: Option<&str>,
        time: Timestamp,
    ) -> Result<()> {
        let Some(path) = self.path.clone() else {
            return Ok(());
        };
        let line = Line {
            schema: 1,
            time,
            entry,
            outcome,
            detail,
        };
        let mut text = serde_json::to_string(&line)
            .map_err(|error| Error::internal(format!("a line of the audit log: {error}")))?;
        text.push('\n');
        let shown = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || append(&path, &text)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(refusal(&shown, &error.to_string())),
            Err(error) => Err(refusal(&shown, &error.to_string())),
        }
    }
}

/// One write in append mode: lines of several instances do not mix.
fn append(path: &PathBuf, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

fn refusal(path: &str, why: &str) -> Error {
    Error::unavailable(format!(
        "the audit log {path} cannot be written ({why}), so nothing is changed"
    ))
    .hint("make room, or give another file with --audit-log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_appended_and_a_failure_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = Audit::to(path.clone());
        let entry = Entry::new("1".to_owned(), &Caller::local(None), "scale", "team-a")
            .server("echo")
            .with("replicas", 3);
        let now = Timestamp::UNIX_EPOCH;
        audit.record(&entry, "begun", None, now).await.unwrap();
        audit.record(&entry, "done", None, now).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["who"], "local");
        assert_eq!(lines[0]["parameters"]["replicas"], 3);
        assert_eq!(lines[1]["outcome"], "done");
        let broken = Audit::to(PathBuf::from("/dev/full"));
        let error = broken.record(&entry, "begun", None, now).await.unwrap_err();
        assert!(error.message.contains("nothing is changed"));
    }
}
