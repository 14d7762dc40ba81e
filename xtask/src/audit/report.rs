//! What an audit found: the one value that every output is made from.

use serde::Serialize;

use crate::advisory::{Class, Level, Provenance};
use crate::lockfile::{Ecosystem, Scope, Source};

/// Everything an audit has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The form of this value: 1.
    pub schema: u32,
    /// Every lock file that was found, by path.
    pub locks: Vec<LockFile>,
    /// The databases that were asked, by ecosystem.
    pub databases: Vec<Provenance>,
    /// Findings, worst first; ignored and tolerated ones too.
    pub findings: Vec<Finding>,
    /// Packages that no advisory can speak of, by lock file and line.
    pub unchecked: Vec<Unchecked>,
    /// Licenses that the policy does not allow, or does not know.
    pub licenses: Vec<LicenseFinding>,
    /// Entries of `[[audit.ignore]]` that need attention.
    pub ignores: Vec<IgnoreNotice>,
    /// Other things to know, each a sentence.
    pub warnings: Vec<String>,
    /// The sums.
    pub summary: Summary,
}

/// A lock file that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockFile {
    /// From the root, with slashes.
    pub path: String,
    /// The kind's name, `poetry.lock`.
    pub kind: String,
    /// Whose packages; `None` for what is of no kind that is read.
    pub ecosystem: Option<Ecosystem>,
    /// The version of its format.
    pub format: String,
    /// How many packages it locks.
    pub packages: usize,
    /// How many of them were looked up.
    pub checked: usize,
    /// Why it was not scanned; `None` when it was.
    pub skipped: Option<String>,
    /// What the reader noted.
    pub notes: Vec<String>,
}

/// One problem of one locked package: all advisories that are aliases of each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The lock file, from the root.
    pub lock: String,
    /// The line of the package in it, counted from 1.
    pub line: usize,
    /// Whose package.
    pub ecosystem: Ecosystem,
    /// The package's name in the registry.
    pub package: String,
    /// The locked version.
    pub version: String,
    /// Whether it ships.
    pub scope: Scope,
    /// The groups that bring it.
    pub groups: Vec<String>,
    /// A shortest way to it from what the project asks for: `name version` each, the package
    /// itself last; only itself when nothing says who brings it.
    pub chain: Vec<String>,
    /// The id to name it by.
    pub id: String,
    /// All ids, aliases included, that id first, the rest sorted.
    pub ids: Vec<String>,
    /// The ids of the records that matched, sorted.
    pub matched: Vec<String>,
    /// What kind of statement.
    pub class: Class,
    /// How bad.
    pub level: Level,
    /// The score, if any record has one.
    pub score: Option<f64>,
    /// Its vector.
    pub vector: Option<String>,
    /// One line for people.
    pub summary: String,
    /// The page to read.
    pub url: Option<String>,
    /// What would mend it.
    pub fix: Fix,
    /// What the policy says.
    pub verdict: Verdict,
    /// Why, in a few words: `high at or above the threshold medium`.
    pub because: String,
}

/// What would mend a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Fix {
    /// The smallest version that no vulnerability affects, nor what the finding says.
    Version {
        /// That version.
        version: String,
        /// Whether everything that asks for the package lets it in; `None` when nothing says it.
        allowed: Option<bool>,
        /// Who does not let it in, and by which constraint: `pyproject.toml: ^1.0`.
        blocked_by: Option<String>,
        /// The command to paste.
        command: String,
    },
    /// No version is known to be free of it.
    None,
}

/// What the policy says about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Verdict {
    /// It stops the release.
    Denied,
    /// It is reported, and stops nothing.
    Warned,
    /// An entry of `[[audit.ignore]]` accepts it.
    Ignored {
        /// The entry's reason.
        reason: String,
        /// The last day on which it holds, `2027-01-31`.
        until: String,
    },
}

/// A package that was not looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unchecked {
    /// The lock file, from the root.
    pub lock: String,
    /// The line of the package in it.
    pub line: usize,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Where it comes from.
    pub source: Source,
    /// Why nothing can be said: `comes from git`.
    pub reason: String,
    /// Ids of advisories about the registry's package of this name and version, sorted. Whether
    /// they concern this one, a fork for instance, is for a person to say.
    pub namesake: Vec<String>,
}

/// A license that is not on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LicenseFinding {
    /// The lock file, from the root.
    pub lock: String,
    /// The line of the package in it.
    pub line: usize,
    /// Whose package.
    pub ecosystem: Ecosystem,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// What its metadata say; `None` when there are none.
    pub license: Option<String>,
    /// Where that was read.
    pub origin: Option<String>,
    /// What the policy says.
    pub verdict: Verdict,
    /// Why.
    pub because: String,
}

/// An entry of `[[audit.ignore]]` that needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IgnoreNotice {
    /// The id it names.
    pub id: String,
    /// The package it names.
    pub package: String,
    /// Its line in `release.toml`.
    pub line: usize,
    /// What is the matter.
    pub state: IgnoreState,
    /// Whether this alone stops the release.
    pub denied: bool,
}

/// What is the matter with an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum IgnoreState {
    /// Its day is over; the finding has come back.
    Expired {
        /// That day.
        until: String,
    },
    /// Nothing was found that it accepts.
    Unused,
}

/// The sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Summary {
    /// Lock files scanned.
    pub locks: usize,
    /// Lock files left out.
    pub skipped_locks: usize,
    /// Packages looked up.
    pub checked: usize,
    /// Packages not looked up.
    pub unchecked: usize,
    /// Findings that stop the release.
    pub denied: usize,
    /// Findings that are reported only.
    pub warned: usize,
    /// Findings that an entry accepts.
    pub ignored: usize,
    /// Licenses that stop the release.
    pub licenses_denied: usize,
}
