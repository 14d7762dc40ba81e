//! All servers of the mock; in memory, or in a file that several processes share.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Identity;

use super::fault::Faults;
use super::server::Server;

/// All servers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Servers {
    /// Counts changes of anything.
    pub version: u64,
    pub servers: BTreeMap<String, Server>,
    /// The earliest moment at which something happens by itself.
    pub due: Option<Timestamp>,
}

impl Servers {
    /// Lets happen what is due until `now`.
    pub fn advance(&mut self, now: Timestamp, faults: &Faults) {
        if self.due.is_some_and(|due| due <= now) {
            for server in self.servers.values_mut() {
                server.advance(now, faults);
            }
        }
    }

    /// Takes note of what changed, after work that may have changed something.
    pub fn settle(&mut self) -> Vec<Identity> {
        let mut changed = Vec::new();
        for server in self.servers.values_mut().filter(|server| server.dirty) {
            server.dirty = false;
            server.seen = None;
            changed.push(server.identity.clone());
        }
        if !changed.is_empty() {
            self.version += 1;
            self.servers.retain(|_, server| !server.gone());
            self.due = self.servers.values().filter_map(Server::due).min();
        }
        changed
    }
}

/// A file with all servers; whoever works with it holds a lock.
#[derive(Debug, Clone)]
pub(super) struct Store(pub PathBuf);

impl Store {
    /// Waits until nobody else works with the file.
    pub fn lock(&self) -> Result<File> {
        let folder = self.0.parent().unwrap_or_else(|| Path::new("."));
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| self.failed(&error))?;
        let lock = private(&self.0.with_extension("lock")).map_err(|error| self.failed(&error))?;
        lock.lock().map_err(|error| self.failed(&error))?;
        Ok(lock)
    }

    /// Reads it; empty when there is none.
    pub fn read(&self) -> Result<Servers> {
        let mut text = String::new();
        match File::open(&self.0).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Servers::default());
            }
            Err(error) => return Err(self.failed(&error)),
        }
        serde_json::from_str(&text).map_err(|error| {
            Error::internal(format!("{}: {error}", self.0.display()))
                .hint("remove the file: it holds only what the mock was told")
        })
    }

    /// Writes it; whoever reads it sees the old or the new text.
    pub fn write(&self, servers: &Servers) -> Result<()> {
        let text = serde_json::to_vec(servers)
            .map_err(|error| Error::internal(format!("{}: {error}", self.0.display())))?;
        let new = self.0.with_extension("new");
        private(&new)
            .and_then(|mut file| {
                file.set_len(0)?;
                file.write_all(&text)
            })
            .and_then(|()| std::fs::rename(&new, &self.0))
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::internal(format!("{}: {error}", self.0.display()))
            .hint("choose another file with MCP_MOCK_STATE")
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
