//! What is wanted of one server, as it is stored: the record in the open, its secrets apart.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Secrets, Spec};

use super::folder::{self, Folder};

/// The wheel that a specification comes to on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wheel {
    /// A file, with its sha256.
    File {
        /// Where it was found.
        path: String,
        /// Its sha256; the environment is named after it.
        sha256: String,
    },
    /// `name==version` of the package index that pip is set up for.
    Index(String),
}

/// What is wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// 1.
    pub schema: u32,
    /// A random word, so that a server of the same name that is made later is another one.
    pub incarnation: String,
    /// Counts every write; part of the token.
    pub changes: u64,
    /// Counts changes of what is wanted.
    pub generation: u64,
    /// What runs.
    pub spec: Spec,
    /// What to go back to.
    pub previous: Option<Spec>,
    /// How many instances are wanted now.
    pub replicas: u32,
    /// What `start` finds.
    pub remembered: Option<u32>,
    /// Counts requests to replace every instance.
    pub replaced: u64,
    /// Whether new sessions are kept away.
    pub draining: bool,
    /// Whether it is on its way out.
    pub removing: bool,
    /// The wheel of `spec`.
    pub wheel: Option<Wheel>,
    /// The wheel of `previous`.
    pub previous_wheel: Option<Wheel>,
    /// Since when it exists.
    pub created: Timestamp,
    /// The latest write.
    pub changed: Timestamp,
}

impl Record {
    /// For compare-and-swap.
    pub fn token(&self) -> String {
        format!("{}-{}", self.incarnation, self.changes)
    }

    /// What an instance must carry to be of the wanted kind: the revision, the wheel, and how often
    /// all were replaced.
    pub fn stamp(&self) -> String {
        let wheel = match &self.wheel {
            Some(Wheel::File { sha256, .. }) => sha256.get(..10).unwrap_or(sha256),
            Some(Wheel::Index(_)) | None => "",
        };
        format!("{}.{wheel}.{}", self.spec.revision(), self.replaced)
    }
}

/// Reads the record; none when there is no such server.
///
/// # Errors
/// A file cannot be read or understood.
pub fn read(folder: &Folder) -> Result<Option<Record>> {
    let Some(text) = folder::read(&folder.record())? else {
        return Ok(None);
    };
    let mut record: Record = serde_json::from_str(&text).map_err(|error| {
        Error::internal(format!("{}: {error}", folder.record().display())).hint(
            "the file was written by another version, or changed by hand; move its folder away and deploy again",
        )
    })?;
    let mut store = read_secrets(folder)?;
    let mut take = |id: &str| {
        if id.is_empty() {
            return Secrets::default();
        }
        store
            .remove(id)
            .map_or_else(Secrets::default, Secrets::from_store)
    };
    if let Some(previous) = &mut record.previous
        && previous.secrets_id != record.spec.secrets_id
    {
        previous.secrets = take(&previous.secrets_id);
    }
    record.spec.secrets = take(&record.spec.secrets_id);
    if let Some(previous) = &mut record.previous
        && previous.secrets_id == record.spec.secrets_id
    {
        previous.secrets = record.spec.secrets.clone();
    }
    Ok(Some(record))
}

type Store = BTreeMap<String, BTreeMap<String, String>>;

fn read_secrets(folder: &Folder) -> Result<Store> {
    let path = folder.secrets();
    match folder::read(&path)? {
        None => Ok(Store::new()),
        // The message of the parser could show a part of the text.
        Some(text) => serde_json::from_str(&text)
            .map_err(|_| Error::internal(format!("{}: is not understood", path.display()))),
    }
}

/// Writes the record. The secrets come first: a record never names secrets that are not there.
///
/// # Errors
/// There is no room; then what was there before still is.
pub fn write(folder: &Folder, record: &Record) -> Result<()> {
    let mut store = Store::new();
    for spec in record.previous.iter().chain([&record.spec]) {
        if !spec.secrets.id.is_empty() {
            store.insert(spec.secrets.id.clone(), spec.secrets.to_store());
        }
    }
    let present = read_secrets(folder).unwrap_or_default();
    if store != present {
        let mut both = present;
        both.extend(store.clone());
        save(folder, &both)?;
    }
    let text = serde_json::to_vec_pretty(record)
        .map_err(|error| Error::internal(format!("{}: {error}", record.spec.identity)))?;
    folder::write(&folder.record(), &text)?;
    if read_secrets(folder).unwrap_or_default() != store {
        save(folder, &store)?;
    }
    Ok(())
}

fn save(folder: &Folder, store: &Store) -> Result<()> {
    let path = folder.secrets();
    let text = serde_json::to_vec(store)
        .map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    folder::write(&path, &text)
}
