//! What instances write and what happens to them, in files that do not grow without end.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::model::{Event, Secrets};
use crate::world::now;

use super::folder::{Folder, append, make_folder};

/// A log is put aside when it is as long as this; one older part is kept.
const LOG_LIMIT: u64 = 5 << 20;
/// Logs of instances that are gone.
const KEPT: usize = 10;
/// The same for events.
const EVENT_LIMIT: u64 = 512 << 10;
/// A longer line is cut.
const LINE_LIMIT: usize = 64 << 10;
/// Shorter secrets are words that may well come up by themselves.
const SECRET_LENGTH: usize = 6;

/// The log of one instance.
pub struct Log {
    path: PathBuf,
    file: Mutex<Option<(File, u64)>>,
    secrets: Vec<String>,
}

impl Log {
    /// The log of an instance; the secrets never get into it.
    pub fn open(folder: &Folder, instance: &str, secrets: &Secrets) -> Log {
        let _ = make_folder(&folder.logs());
        let secrets = secrets.environment.values().chain(secrets.files.values());
        Log {
            path: folder.logs().join(format!("{instance}.log")),
            file: Mutex::new(None),
            secrets: secrets
                .map(|secret| secret.expose().trim().to_owned())
                .filter(|secret| secret.len() >= SECRET_LENGTH)
                .collect(),
        }
    }

    /// The text without secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "(secret)");
            }
        }
        text
    }

    /// Adds a line with the time; what cannot be written is lost, the server goes on.
    pub fn line(&self, text: &str) {
        let mut text = self.redact(text);
        if text.len() > LINE_LIMIT {
            let cut = (0..=LINE_LIMIT).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(cut.unwrap_or(0));
            text.push('…');
        }
        let line = format!("{} {text}\n", now());
        let Ok(mut slot) = self.file.lock() else {
            return;
        };
        if slot.as_ref().is_some_and(|(_, length)| *length > LOG_LIMIT) {
            *slot = None;
            let _ = fs::rename(&self.path, self.path.with_extension("log.1"));
        }
        if slot.is_none() {
            *slot = append(&self.path).ok().map(|file| {
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                (file, length)
            });
        }
        if let Some((file, length)) = slot.as_mut()
            && file.write_all(line.as_bytes()).is_ok()
        {
            *length += line.len() as u64;
        }
    }

    /// Begins anew; what was written so far is the previous log.
    pub fn turn(&self) {
        if let Ok(mut slot) = self.file.lock() {
            *slot = None;
            let _ = fs::rename(&self.path, self.path.with_extension("previous.log"));
        }
    }

    /// The instance is gone: what it wrote is kept for a while.
    pub fn close(&self) {
        if self.path.exists() {
            self.turn();
        }
        let _ = fs::remove_file(self.path.with_extension("log.1"));
        prune(self.path.parent().unwrap_or(Path::new(".")));
    }
}

/// The logs of instances whose supervisor is gone become previous ones.
pub fn put_aside(folder: &Folder) {
    let entries = fs::read_dir(folder.logs()).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.strip_suffix(".log") {
            Some(instance) if !instance.contains('.') => {
                let _ = fs::rename(entry.path(), entry.path().with_extension("previous.log"));
            }
            _ => {}
        }
    }
    prune(&folder.logs());
}

/// Takes out the oldest logs of instances that are gone.
fn prune(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut previous: Vec<_> = entries
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .ends_with(".previous.log")
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    previous.sort();
    let excess = previous.len().saturating_sub(KEPT);
    for (_, path) in previous.into_iter().take(excess) {
        let _ = fs::remove_file(path);
    }
}

/// Whether an event is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is.
    Normal,
    /// It is not.
    Warning,
}

/// Records what happened; what cannot be written is lost.
pub fn event(folder: &Folder, about: &str, reason: &str, message: &str, weight: Weight) {
    let event = Event {
        at: Some(now()),
        about: about.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        warning: weight == Weight::Warning,
    };
    let path = folder.events();
    let Ok(mut line) = serde_json::to_vec(&event) else {
        return;
    };
    line.push(b'\n');
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > EVENT_LIMIT) {
        let _ = fs::rename(&path, path.with_extension("jsonl.1"));
    }
    if let Ok(mut file) = append(&path) {
        let _ = file.write_all(&line);
    }
}

/// All events that are kept, oldest first.
pub fn events(folder: &Folder) -> Vec<Event> {
    let path = folder.events();
    [path.with_extension("jsonl.1"), path]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|text| {
            text.lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect::<Vec<Event>>()
        })
        .collect()
}
