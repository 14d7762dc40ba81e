//! What we have: the packages of an index, and what is known of every record behind it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::advisory::collection::Known;
use crate::advisory::record::Record;
use crate::advisory::{Advisory, Provenance};
use crate::artifact::Digest;
use crate::lockfile::Ecosystem;

/// The form of a kept holding.
pub const FORM: u32 = 1;

/// What is known of the records behind an index, so that only changes need to be fetched. The
/// advisories themselves are in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// [`FORM`].
    pub schema: u32,
    /// The address of the archive.
    pub source: String,
    /// The digest that the index has; another index is not the one that this is about.
    pub digest: String,
    /// What the server called the state of the list that was last read.
    pub etag: Option<String>,
    /// All records of the archive, by id.
    pub records: BTreeMap<String, Held>,
}

/// What is known of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// When it was last changed, as the list says.
    pub stamp: String,
    /// What it says to us.
    pub status: Status,
    /// How many of its version strings are no versions.
    pub unparsable: u64,
}

/// What a record says to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It concerns the ecosystem.
    Held,
    /// It was withdrawn.
    Withdrawn,
    /// It concerns other ecosystems or no package.
    Foreign,
    /// It is listed, but nobody has it.
    Vanished,
}

impl Status {
    fn of(concerns: bool, withdrawn: bool) -> Status {
        match (concerns, withdrawn) {
            (false, _) => Status::Foreign,
            (true, true) => Status::Withdrawn,
            (true, false) => Status::Held,
        }
    }
}

impl Held {
    fn of_record(record: &Record, ecosystem: Ecosystem, stamp: String) -> Held {
        let concerns = record.ecosystems.contains(&ecosystem);
        let unparsable = record.unparsable.get(&ecosystem);
        Held {
            stamp,
            status: Status::of(concerns, record.withdrawn),
            unparsable: unparsable.copied().unwrap_or_default(),
        }
    }

    fn of_known(known: &Known) -> Held {
        Held {
            stamp: known.modified.to_string(),
            status: Status::of(known.concerns, known.withdrawn),
            unparsable: known.unparsable,
        }
    }
}

/// A record that was fetched, or that is not there any more.
#[derive(Debug)]
pub struct Fetched {
    /// Its id.
    pub id: String,
    /// When it was last changed, as the list says.
    pub stamp: String,
    /// What it says, and the digest of its text; `None` when the server has it no longer.
    pub record: Option<(Record, Digest)>,
}

impl Holding {
    /// What an archive of this address and digest holds.
    pub fn of_archive(
        source: String,
        digest: String,
        records: &BTreeMap<String, Known>,
    ) -> Holding {
        let held = |(id, known): (&String, &Known)| (id.clone(), Held::of_known(known));
        Holding {
            schema: FORM,
            source,
            digest,
            etag: None,
            records: records.iter().map(held).collect(),
        }
    }

    /// How many records are in this state.
    pub fn count(&self, status: Status) -> u64 {
        let of = self.records.values().filter(|held| held.status == status);
        of.count() as u64
    }

    /// The sum of what is held, as the index says it.
    pub fn provenance(&self, ecosystem: Ecosystem, date: String) -> Provenance {
        let unparsable = self.records.values().map(|held| held.unparsable);
        Provenance {
            ecosystem: ecosystem.name().to_owned(),
            source: self.source.clone(),
            digest: self.digest.clone(),
            date,
            records: self.count(Status::Held),
            withdrawn: self.count(Status::Withdrawn),
            foreign: self.count(Status::Foreign),
            unparsable: unparsable.fold(0, u64::saturating_add),
        }
    }

    /// Takes in what was fetched and takes out what is gone, here and in the packages.
    ///
    /// The new digest is that of the old one and of everything that was done, in order: whoever
    /// begins with the same archive and applies the same changes gets the same.
    pub fn apply(
        &mut self,
        packages: &mut BTreeMap<String, Vec<Advisory>>,
        ecosystem: Ecosystem,
        mut fetched: Vec<Fetched>,
        remove: &BTreeSet<String>,
    ) {
        fetched.sort_by(|one, other| one.id.cmp(&other.id));
        let mut done = format!("{}\n", self.digest);
        let replaced = fetched.iter().map(|one| one.id.clone());
        let outdated: BTreeSet<String> = replaced.chain(remove.iter().cloned()).collect();
        take_out(packages, &outdated);
        for id in remove {
            self.records.remove(id);
            done.push_str(&format!("removed {id}\n"));
        }
        for Fetched { id, stamp, record } in fetched {
            let held = match record {
                Some((record, digest)) => {
                    let held = Held::of_record(&record, ecosystem, stamp);
                    done.push_str(&format!("{digest} {id}\n"));
                    take_in(packages, ecosystem, record);
                    held
                }
                None => {
                    done.push_str(&format!("vanished {id}\n"));
                    Held {
                        stamp,
                        status: Status::Vanished,
                        unparsable: 0,
                    }
                }
            };
            self.records.insert(id, held);
        }
        self.digest = Digest::of(done.as_bytes()).to_string();
    }
}

fn take_out(packages: &mut BTreeMap<String, Vec<Advisory>>, ids: &BTreeSet<String>) {
    packages.retain(|_, advisories| {
        advisories.retain(|advisory| !ids.contains(&advisory.id));
        !advisories.is_empty()
    });
}

fn take_in(packages: &mut BTreeMap<String, Vec<Advisory>>, ecosystem: Ecosystem, record: Record) {
    for (whose, name, advisory) in record.advisories {
        if whose == ecosystem {
            let advisories = packages.entry(name).or_default();
            let place = advisories.partition_point(|other| other.id < advisory.id);
            advisories.insert(place, advisory);
        }
    }
}
