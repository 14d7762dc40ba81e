//! Where indexes lie, and whether they are recent enough.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};

use super::collection::Made;
use super::index::{self, Index};
use super::{Provenance, UPDATE};
use crate::error::{Context, Error, Result};
use crate::lockfile::Ecosystem;
use crate::world::files;

/// The variable that names the folder.
pub const VARIABLE: &str = "XTASK_DATABASE_DIR";

/// The indexes of a folder.
#[derive(Debug)]
pub struct Database {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// The indexes that are there.
    pub indexes: BTreeMap<Ecosystem, Index>,
}

impl Database {
    /// Opens all indexes of a folder.
    ///
    /// # Errors
    /// There is none, or one of them is damaged.
    pub fn open(folder: &Utf8Path) -> Result<Database> {
        let there: Vec<Ecosystem> = Ecosystem::ALL
            .into_iter()
            .filter(|one| folder.join(index::file_name(*one)).exists())
            .collect();
        if there.is_empty() {
            return Err(Error::database(format!("no advisories in {folder}")).hint(UPDATE));
        }
        Database::open_for(folder, &there)
    }

    /// Opens the indexes of these ecosystems and no others.
    ///
    /// # Errors
    /// One of them is missing or damaged.
    pub fn open_for(folder: &Utf8Path, ecosystems: &[Ecosystem]) -> Result<Database> {
        let open = |&one: &Ecosystem| Ok((one, Index::open(folder, one)?));
        Ok(Database {
            folder: folder.to_owned(),
            indexes: ecosystems.iter().map(open).collect::<Result<_>>()?,
        })
    }

    /// The index of an ecosystem.
    ///
    /// # Errors
    /// There is none: nothing can be said about its packages.
    pub fn index(&self, ecosystem: Ecosystem) -> Result<&Index> {
        self.indexes.get(&ecosystem).ok_or_else(|| {
            let path = self.folder.join(index::file_name(ecosystem));
            Error::database(format!("no advisories for {ecosystem}: {path} is missing"))
                .hint(UPDATE)
        })
    }

    /// Indexes that were just made and lie in no folder.
    ///
    /// # Errors
    /// As [`Index::of_bytes`].
    pub fn of_made(made: Vec<Made>, source: &Utf8Path) -> Result<Database> {
        let index = |one: Made| {
            let index = Index::of_bytes(one.bytes, source, one.ecosystem)?;
            Ok((one.ecosystem, index))
        };
        Ok(Database {
            folder: source.to_owned(),
            indexes: made.into_iter().map(index).collect::<Result<_>>()?,
        })
    }

    /// What each index says of itself.
    pub fn provenances(&self) -> Vec<Provenance> {
        self.indexes
            .values()
            .map(|index| index.provenance().clone())
            .collect()
    }

    /// The age of the oldest index; `None` when there is none.
    ///
    /// # Errors
    /// An index does not say its date.
    pub fn age(&self, now: Timestamp) -> Result<Option<SignedDuration>> {
        let ages = self
            .indexes
            .values()
            .map(|index| age(index.provenance(), now));
        Ok(ages.collect::<Result<Vec<_>>>()?.into_iter().max())
    }

    /// Refuses the database when one of its indexes is older than `limit`.
    ///
    /// # Errors
    /// As [`require_recent`].
    pub fn require_recent(&self, now: Timestamp, limit: SignedDuration) -> Result<()> {
        let mut indexes = self.indexes.values();
        indexes.try_for_each(|index| require_recent(index.provenance(), now, limit))
    }
}

/// How old the data is.
///
/// # Errors
/// Its date cannot be read.
pub fn age(provenance: &Provenance, now: Timestamp) -> Result<SignedDuration> {
    let date: Timestamp = provenance.date.parse().map_err(|_| {
        Error::database(format!(
            "the advisories for {} have no date that can be read: {:?}",
            provenance.ecosystem, provenance.date
        ))
        .hint(UPDATE)
    })?;
    Ok(now.duration_since(date))
}

/// Refuses data that is older than `limit`, and data from the future: with a clock that is wrong
/// nothing would ever be too old.
///
/// # Errors
/// As said.
pub fn require_recent(
    provenance: &Provenance,
    now: Timestamp,
    limit: SignedDuration,
) -> Result<()> {
    let day = SignedDuration::from_hours(24);
    let age = age(provenance, now)?;
    let Provenance {
        ecosystem, date, ..
    } = provenance;
    if age > limit {
        return Err(Error::database(format!(
            "the advisories for {ecosystem} are too old: of {date}, {} ago, with {} allowed",
            spoken(age),
            spoken(limit)
        ))
        .hint(UPDATE)
        .hint(
            "or allow more: audit.max-age in release.toml, for one audit --max-age \"30 days\"",
        ));
    }
    if age < -day {
        return Err(Error::database(format!(
            "the advisories for {ecosystem} are of {date}, which is still to come"
        ))
        .hint("set the clock of this machine"));
    }
    Ok(())
}

/// `3 days`, or `5 hours` below two days.
fn spoken(age: SignedDuration) -> String {
    match age.as_hours() {
        hours @ ..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

/// The folder in which the indexes lie: `XTASK_DATABASE_DIR`, from the repository's root when it
/// is not absolute; or else in the user's cache, since advisories are the same for every
/// repository.
///
/// # Errors
/// No variable says where the user's files are.
pub fn folder(environment: &BTreeMap<String, String>, root: &Utf8Path) -> Result<Utf8PathBuf> {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable(VARIABLE) {
        return Ok(root.join(folder));
    }
    // The XDG base directory specification has relative paths ignored.
    let caches = variable("XDG_CACHE_HOME")
        .map(Utf8PathBuf::from)
        .filter(|folder| folder.is_absolute());
    let home = || variable("HOME").map(Utf8PathBuf::from);
    let caches = if cfg!(windows) {
        caches.or_else(|| variable("LOCALAPPDATA").map(Utf8PathBuf::from))
    } else if cfg!(target_os = "macos") {
        caches.or_else(|| Some(home()?.join("Library/Caches")))
    } else {
        caches.or_else(|| Some(home()?.join(".cache")))
    };
    match caches {
        Some(caches) => Ok(caches.join("cargo-xtask").join("advisories")),
        None => Err(Error::precondition(
            "find the folder of the advisory database: HOME is not set",
        )
        .hint(format!("say where it is: {VARIABLE}=FOLDER"))),
    }
}

/// Refuses a folder that nothing can be written to, before minutes are spent on what would be lost.
///
/// # Errors
/// It cannot be made or written.
pub fn require_writable(folder: &Utf8Path) -> Result<()> {
    let beside = |error: Error| {
        error.hint(format!(
            "or keep the advisories elsewhere: {VARIABLE}=FOLDER"
        ))
    };
    files::create_folder(folder).map_err(beside)?;
    tempfile::Builder::new()
        .prefix(".xtask-")
        .tempfile_in(folder)
        .doing(|| format!("write to {folder}"))
        .map(drop)
        .map_err(beside)
}

/// Saves an index: written beside its place, flushed to the disk, then renamed. Whoever has the
/// old one mapped keeps it whole, and a crash leaves one of the two.
///
/// # Errors
/// The folder cannot be written or the disk is full; the old index then stays.
pub fn save(folder: &Utf8Path, ecosystem: Ecosystem, bytes: &[u8]) -> Result<Utf8PathBuf> {
    let path = folder.join(index::file_name(ecosystem));
    files::write_synced(&path, bytes)?;
    Ok(path)
}

#[cfg(test)]
mod tests;
