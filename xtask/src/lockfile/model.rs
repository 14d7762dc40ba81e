//! What every lock file says, whatever its kind: packages, where they come from, why they are
//! there.

use std::fmt;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::{Act, Update};
use crate::error::Result;

/// A world of packages with its own names, versions and advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ecosystem {
    /// Python packages.
    #[serde(rename = "PyPI")]
    Pypi,
    /// Node.js packages.
    #[serde(rename = "npm")]
    Npm,
    /// Rust crates.
    #[serde(rename = "crates.io")]
    CratesIo,
}

impl Ecosystem {
    /// All of them.
    pub const ALL: [Ecosystem; 3] = [Ecosystem::Pypi, Ecosystem::Npm, Ecosystem::CratesIo];

    /// The name in OSV records (OSV schema, "Defined ecosystems").
    pub fn name(self) -> &'static str {
        match self {
            Ecosystem::Pypi => "PyPI",
            Ecosystem::Npm => "npm",
            Ecosystem::CratesIo => "crates.io",
        }
    }

    /// The type in a package URL (purl specification, "Known purl types").
    pub fn purl_type(self) -> &'static str {
        match self {
            Ecosystem::Pypi => "pypi",
            Ecosystem::Npm => "npm",
            Ecosystem::CratesIo => "cargo",
        }
    }

    /// The ecosystem of an OSV name, without the suffix behind a colon.
    pub fn of(name: &str) -> Option<Ecosystem> {
        let name = name.split(':').next().unwrap_or(name);
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A kind of lock file.
#[derive(Debug)]
pub struct Kind {
    /// The name people know it by: `poetry.lock`.
    pub name: &'static str,
    /// Whose packages it locks.
    pub ecosystem: Ecosystem,
    /// The command that writes it anew.
    pub remedy: &'static str,
    /// Whether a file of this name (without folders) is one.
    pub matches: fn(&str) -> bool,
    /// Reads one.
    ///
    /// # Errors
    /// Damage, an unknown version of the format, or a package without what every package has;
    /// each names file and line.
    pub read: fn(&Input<'_>) -> Result<Lock>,
    /// What a person does to take another version of a package into it.
    pub update: fn(&Update<'_>) -> Act,
}

/// What a reader is given.
pub struct Input<'input> {
    /// The whole text of the lock file.
    pub text: &'input str,
    /// Where it is, from the root; names it in errors.
    pub path: &'input Utf8Path,
    /// The dependency groups that ship, in their normal form; `main` unless the repository says
    /// otherwise. Only kinds that have named groups look at it.
    pub shipping_groups: &'input [String],
    /// The text of another file by its path from the lock file's folder (a manifest, an included
    /// requirements file); `None` when there is none.
    pub beside: &'input dyn Fn(&str) -> Option<String>,
}

/// A lock file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Whose packages it locks.
    pub ecosystem: Ecosystem,
    /// The version of its format, as the file says it: `2.1`, `3`; empty where there is none.
    pub format: String,
    /// All locked packages, in the order of the file. The project itself and other members of
    /// its workspace are in it, with [`Source::Workspace`].
    pub packages: Vec<Package>,
    /// What the project itself asks for: the beginnings of all chains.
    pub roots: Vec<Dependency>,
    /// What the file leaves open, for people, each a sentence: a missing manifest, for instance.
    pub notes: Vec<String>,
}

/// One locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name as the registry knows it: for Python in its normal form; for an npm alias the
    /// package it stands for.
    pub name: String,
    /// The other name under which it is installed, if there is one (npm aliases).
    pub alias: Option<String>,
    /// The locked version, as written.
    pub version: String,
    /// The line on which its entry begins, counted from 1.
    pub line: usize,
    /// Where it comes from.
    pub source: Source,
    /// The groups that bring it, in their normal form; empty where the kind has none.
    pub groups: Vec<String>,
    /// Whether it ships.
    pub scope: Scope,
    /// What it depends on, where the lock file says so.
    pub dependencies: Vec<Dependency>,
    /// Digests of its files: `sha256:` and hexadecimal, or `sha512-` and base64 as npm writes
    /// them (Subresource Integrity).
    pub digests: Vec<String>,
    /// The license expression or name, where the lock file holds it.
    pub license: Option<String>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Source {
    /// A registry: the only source that advisories speak of.
    Registry {
        /// Its address, when the lock file names another than the ecosystem's own.
        url: Option<String>,
    },
    /// A git repository.
    Git {
        /// The repository.
        url: String,
        /// The commit, if it is locked.
        commit: Option<String>,
    },
    /// A folder or an archive on the disk.
    Path {
        /// From the lock file's folder.
        path: String,
    },
    /// An archive at an address.
    Url {
        /// The address.
        url: String,
    },
    /// The project itself or another member of its workspace.
    Workspace {
        /// The member's folder from the lock file's; empty or `.` for the same one.
        path: String,
    },
    /// Inside of another package's archive (npm `bundleDependencies`).
    Bundled {
        /// The package that carries it.
        by: String,
    },
}

/// Whether a package reaches users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// It ships. Also said of packages of which it is not known.
    Ships,
    /// Only those who work on the project install it.
    Development,
}

/// An arrow to another package of the same lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The index of the package in [`Lock::packages`].
    pub package: usize,
    /// What was asked for, as written (`^1.2`, `>=2,<3`); `None` where nothing says it.
    pub constraint: Option<String>,
    /// The group that asks (`main`, `dev`), in the normal form; only of a root.
    pub group: Option<String>,
}
