//! Advisories in OSV form: read, matched by the specification, kept in one index for each
//! ecosystem.
//!
//! `import` reads archives into a `collection` of `record`s, which `store` keeps as one `index`
//! for each ecosystem; `matching` and `group` say what they mean for a version. Only `import`,
//! `store` and `index` touch files; the rest is pure. Nothing here reads the clock, the
//! environment or the network.
//!
//! Source: OSV schema 1.7, "Evaluation" (<https://ossf.github.io/osv-schema/>). A package is
//! affected when its version is listed **or** lies in any range; GIT ranges decide nothing.

pub mod collection;
pub mod group;
pub mod import;
pub mod index;
pub mod interval;
pub mod live;
pub mod matching;
pub mod order;
pub mod record;
pub mod store;
pub mod sync;

#[cfg(test)]
pub(crate) mod test_data;

use serde::{Deserialize, Serialize};

use order::Key;

/// What to do when advisories are missing, damaged or too old.
pub const UPDATE: &str = "fetch the advisories: cargo xtask audit --update";

/// One advisory as it concerns one package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id, `PYSEC-2021-47`.
    pub id: String,
    /// Other ids of the same vulnerability, as the record lists them.
    pub aliases: Vec<String>,
    /// One line for people; empty when the record has neither summary nor details.
    pub summary: String,
    /// What kind of statement it is.
    pub class: Class,
    /// How bad it is.
    pub severity: Severity,
    /// Versions that are affected: disjoint and in order.
    pub affected: Vec<Interval>,
    /// When the record was last changed, as it says (RFC 3339).
    pub modified: String,
    /// The page to read: its first reference of type ADVISORY, or else of type WEB, or else the
    /// first.
    pub url: Option<String>,
}

/// What an advisory states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A vulnerability.
    Vulnerability,
    /// Malicious code, published on purpose (ids that begin with `MAL-`).
    Malware,
    /// A way to undefined behaviour that safe code can reach (RustSec).
    Unsound,
    /// Nobody maintains it any more (RustSec).
    Unmaintained,
    /// Something to know (RustSec).
    Notice,
    /// The version was taken back by its publisher.
    Yanked,
}

/// How bad, by CVSS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Severity {
    /// The highest base score of its vectors, in tenths (98 is 9.8).
    pub tenths: Option<u8>,
    /// The vector of that score.
    pub vector: Option<String>,
    /// The word, from the score or, when there is none, from the record.
    pub level: Level,
}

/// The words for severities (CVSS v3.1, section 5).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// 0.0.
    None,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.0.
    Critical,
    /// Nobody has said; a level of its own, about which the policy decides.
    #[default]
    Unknown,
}

/// A span of affected versions, with bounds as ordering keys (see `order`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The lowest affected version's key.
    pub low: Key,
    /// Where it ends.
    pub high: High,
}

/// The upper end of an interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum High {
    /// There is none: no fix is known.
    Open,
    /// Everything below this key. `fixed` is that version as the record writes it when it is a
    /// fix, and `None` when it is only a limit.
    Below {
        /// The first version that is not affected.
        key: Key,
        /// Its text, if it fixes the problem.
        fixed: Option<String>,
    },
    /// Up to this key, and it too.
    Through(Key),
}

/// One index: what was read, from what, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The ecosystem's OSV name.
    pub ecosystem: String,
    /// Where it came from: an address, or the name of the file that was imported.
    pub source: String,
    /// The sha256 of that source, `sha256:` and hexadecimal.
    pub digest: String,
    /// The state of the data (RFC 3339): when the source said that it was whole and current, or
    /// for an imported file the newest `modified` in it.
    pub date: String,
    /// Records that are in it.
    pub records: u64,
    /// Records left out because they were withdrawn.
    pub withdrawn: u64,
    /// Records left out because they concern other ecosystems or no package.
    pub foreign: u64,
    /// Version strings that are no versions; they sort below all versions.
    pub unparsable: u64,
}
