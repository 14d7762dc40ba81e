//! Gathers records until they become indexes. Pure.
//!
//! A record may come more than once: from the archives of two ecosystems that it concerns, or
//! again in a newer state. The newest state counts; a record that was withdrawn, or no longer
//! names a package, takes its older state with it.

mod part;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::index;
use super::record::{self, Record};
use super::{Advisory, Provenance};
use crate::artifact::Digest;
use crate::error::Result;
use crate::lockfile::Ecosystem;
pub use part::{Known, Part};

/// Records in the making of indexes.
#[derive(Debug, Default)]
pub struct Collection {
    sources: Vec<Source>,
    seen: HashMap<String, Seen>,
    packages: BTreeMap<(Ecosystem, String), Vec<(Timestamp, Advisory)>>,
}

/// Where records came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// An address or the name of a file.
    pub name: String,
    /// Its sha256: `sha256:` and hexadecimal.
    pub digest: String,
}

/// The newest state of a record.
#[derive(Debug)]
struct Seen {
    modified: Timestamp,
    withdrawn: bool,
    ecosystems: Vec<Ecosystem>,
    unparsable: BTreeMap<Ecosystem, u64>,
    source: usize,
}

/// Of when the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// They were whole and current then.
    Known(Timestamp),
    /// Nobody has said; when the newest of them was changed stands for it. Some records are
    /// dated in the future, where nothing would ever be too old, and these do not count: this is
    /// the time now.
    Newest(Timestamp),
}

/// An index that is ready to be saved.
#[derive(Debug)]
pub struct Made {
    /// Whose packages.
    pub ecosystem: Ecosystem,
    /// The whole file.
    pub bytes: Vec<u8>,
    /// What is in it, as it says itself.
    pub provenance: Provenance,
}

impl Collection {
    /// Reads a record and takes it in. `place` names it in errors.
    ///
    /// # Errors
    /// It is no record; see [`record::read`].
    pub fn add(&mut self, json: &[u8], place: &str) -> Result<()> {
        let record = record::read(json, place)?;
        let source = self.sources.len().saturating_sub(1);
        self.take(record, source);
        Ok(())
    }

    fn take(&mut self, record: Record, source: usize) {
        let known = self.seen.get(&record.id);
        if known.is_some_and(|seen| seen.modified >= record.modified) {
            return;
        }
        for (ecosystem, name, advisory) in record.advisories {
            let packages = self.packages.entry((ecosystem, name)).or_default();
            packages.push((record.modified, advisory));
        }
        let seen = Seen {
            modified: record.modified,
            withdrawn: record.withdrawn,
            ecosystems: record.ecosystems,
            unparsable: record.unparsable,
            source,
        };
        self.seen.insert(record.id, seen);
    }

    /// Takes in all that another one holds.
    pub fn merge(&mut self, other: Collection) {
        let before = self.sources.len();
        self.sources.extend(other.sources);
        for (id, mut seen) in other.seen {
            seen.source += before;
            match self.seen.get(&id) {
                Some(known) if known.modified >= seen.modified => {}
                _ => {
                    self.seen.insert(id, seen);
                }
            }
        }
        for (package, advisories) in other.packages {
            self.packages.entry(package).or_default().extend(advisories);
        }
    }

    /// Gives all records another source, the one that they really came from.
    #[must_use]
    pub fn from_source(mut self, source: Source) -> Collection {
        self.sources = vec![source];
        self.seen.values_mut().for_each(|seen| seen.source = 0);
        self
    }

    /// Whether there is no record of any of our ecosystems in it.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// The indexes of all ecosystems of which there are advisories.
    ///
    /// # Errors
    /// One would be too large.
    pub fn indexes(self, date: AsOf) -> Result<Vec<Made>> {
        let mut packages: BTreeMap<Ecosystem, BTreeMap<String, Vec<Advisory>>> = BTreeMap::new();
        for ((ecosystem, name), states) in self.packages {
            let advisories = newest(states, &self.seen);
            if !advisories.is_empty() {
                packages
                    .entry(ecosystem)
                    .or_default()
                    .insert(name, advisories);
            }
        }
        packages
            .into_iter()
            .map(|(ecosystem, packages)| {
                let provenance = provenance(ecosystem, date, &self.sources, &self.seen);
                Ok(Made {
                    ecosystem,
                    bytes: index::write(&provenance, &packages)?,
                    provenance,
                })
            })
            .collect()
    }
}

/// A package's advisories by id, each in its newest state.
fn newest(states: Vec<(Timestamp, Advisory)>, seen: &HashMap<String, Seen>) -> Vec<Advisory> {
    let mut advisories: Vec<Advisory> = states
        .into_iter()
        .filter(|(modified, advisory)| {
            let newest = seen.get(&advisory.id);
            newest.is_some_and(|seen| !seen.withdrawn && seen.modified == *modified)
        })
        .map(|(_, advisory)| advisory)
        .collect();
    advisories.sort_by(|one, other| one.id.cmp(&other.id));
    advisories.dedup_by(|one, other| one.id == other.id);
    advisories
}

/// Sums up the sources that hold records of the ecosystem; what is in the others says nothing
/// about it.
fn provenance(
    ecosystem: Ecosystem,
    date: AsOf,
    sources: &[Source],
    seen: &HashMap<String, Seen>,
) -> Provenance {
    let concerns = |seen: &&Seen| seen.ecosystems.contains(&ecosystem);
    let numbers: BTreeSet<usize> = seen
        .values()
        .filter(concerns)
        .map(|seen| seen.source)
        .collect();
    let used: Vec<&Source> = numbers
        .iter()
        .filter_map(|&number| sources.get(number))
        .collect();
    let ours = || seen.values().filter(concerns);
    let foreign = seen
        .values()
        .filter(|seen| numbers.contains(&seen.source) && !concerns(seen));
    let Source { name, digest } = together(&used);
    let newest = |until: Timestamp| {
        let dates = ours().map(|seen| seen.modified);
        dates.filter(|date| *date <= until).max()
    };
    let date = match date {
        AsOf::Known(date) => date,
        AsOf::Newest(now) => newest(now)
            .or_else(|| newest(Timestamp::MAX))
            .unwrap_or_default(),
    };
    let unparsable = ours().filter_map(|seen| seen.unparsable.get(&ecosystem));
    Provenance {
        ecosystem: ecosystem.name().to_owned(),
        source: name,
        digest,
        date: date.to_string(),
        records: ours().filter(|seen| !seen.withdrawn).count() as u64,
        withdrawn: ours().filter(|seen| seen.withdrawn).count() as u64,
        foreign: foreign.count() as u64,
        unparsable: unparsable.sum(),
    }
}

/// Several sources as one: their names, and the digest of the list of their digests.
fn together(sources: &[&Source]) -> Source {
    if let [only] = sources {
        return (*only).clone();
    }
    let lines = sources
        .iter()
        .map(|source| format!("{}  {}\n", source.digest, source.name));
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    Source {
        name: names.join(", "),
        digest: Digest::of(lines.collect::<String>().as_bytes()).to_string(),
    }
}

#[cfg(test)]
mod tests;
