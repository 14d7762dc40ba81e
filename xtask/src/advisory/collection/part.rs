//! One ecosystem's part of a collection, for those who keep it up to date themselves.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Collection, newest};
use crate::advisory::Advisory;
use crate::lockfile::Ecosystem;

/// What a collection holds of one ecosystem.
#[derive(Debug)]
pub struct Part {
    /// All records, also those that were withdrawn or concern others, by id.
    pub records: BTreeMap<String, Known>,
    /// Advisories by the normal name of their package, sorted by id.
    pub packages: BTreeMap<String, Vec<Advisory>>,
}

/// What is known of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// When it was last changed.
    pub modified: Timestamp,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// Whether it concerns the ecosystem.
    pub concerns: bool,
    /// How many of its version strings are no versions of the ecosystem.
    pub unparsable: u64,
}

impl Collection {
    /// What it holds of one ecosystem.
    pub fn part(self, ecosystem: Ecosystem) -> Part {
        let mut packages = BTreeMap::new();
        for ((whose, name), states) in self.packages {
            let advisories = newest(states, &self.seen);
            if whose == ecosystem && !advisories.is_empty() {
                packages.insert(name, advisories);
            }
        }
        let records = self.seen.into_iter().map(|(id, seen)| {
            let known = Known {
                modified: seen.modified,
                withdrawn: seen.withdrawn,
                concerns: seen.ecosystems.contains(&ecosystem),
                unparsable: seen.unparsable.get(&ecosystem).copied().unwrap_or_default(),
            };
            (id, known)
        });
        Part {
            records: records.collect(),
            packages,
        }
    }
}
