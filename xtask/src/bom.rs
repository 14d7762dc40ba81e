//! Bills of materials: what a release is made of, in the forms that other tools read. Pure.
//!
//! A [`Bill`] is plain data that the caller gathers: the product, the artifacts that were built,
//! the lock files and which artifact carries which of them. From it come a CycloneDX 1.6 bill
//! ([`cyclonedx::document`]), an SPDX 2.3 document ([`spdx::document`]) and, together with an
//! audit's report, a CycloneDX 1.6 VEX document ([`vex::document`]). All three are values of
//! their input alone: sorted, with the commit's time and without the place they were made in.
//!
//! What ships and what does not: packages of scope [`crate::lockfile::Scope::Ships`] in a lock
//! file that an artifact carries are required. All others (development groups, and the whole of
//! a lock file that no artifact carries, such as that of a build tool) are there too, marked as
//! excluded (CycloneDX) or as development dependency or build tool (SPDX), because readers of
//! such documents filter by that mark; [`Development::LeftOut`] leaves them out.
//!
//! Nothing secret is copied: addresses lose their credentials, query and fragment, and paths
//! that lead out of the repository lose their folders.

mod address;
pub mod cyclonedx;
mod hash;
mod identity;
pub mod image;
pub mod license;
mod model;
pub mod purl;
pub mod spdx;
pub mod vex;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::artifact::{Artifact, Kind};
use crate::audit::license::{Declared, PackageKey};
use crate::lockfile::{Lock, Source};

/// Everything a bill of materials is made from.
#[derive(Debug, Clone)]
pub struct Bill<'input> {
    /// What the bill is about.
    pub product: Product,
    /// What was built, in any order; empty when nothing was.
    pub artifacts: &'input [Artifact],
    /// Which artifacts are inside of which others: the extension holds wheel and requirements.
    pub embedded: &'input [Embedded],
    /// The lock files, in any order.
    pub locks: &'input [LockFile<'input>],
    /// Licenses found elsewhere than in a lock file. They go before those in the lock file,
    /// because they come from the package itself.
    pub licenses: &'input BTreeMap<PackageKey, Declared>,
    /// What becomes of packages that do not ship.
    pub development: Development,
}

/// What a bill is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The release's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The full commit id it was built from.
    pub commit: String,
    /// The address of the source repository, when it is known.
    pub repository: Option<String>,
    /// The commit's time: the time stamp of the documents.
    pub date: Timestamp,
    /// What its manifest says about its license.
    pub license: Option<String>,
}

/// An artifact inside of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// The one that holds the other.
    pub outer: Kind,
    /// The one that is inside.
    pub inner: Kind,
}

/// A lock file and where its packages go.
#[derive(Debug, Clone)]
pub struct LockFile<'input> {
    /// Its path from the root, with slashes.
    pub path: String,
    /// What it says.
    pub lock: &'input Lock,
    /// The artifacts that carry its shipping packages or install them; empty when none does, as
    /// for the lock file of a build tool. When none of these was built, the product itself
    /// depends on the packages.
    pub carried_by: Vec<Kind>,
}

/// What becomes of packages that do not ship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Development {
    /// They are in the document, marked as not shipping.
    #[default]
    Marked,
    /// They are not in the document, which then says that it is incomplete.
    LeftOut,
}

/// The name of an artifact in a document: that of the distribution or extension, or of the file
/// when it is no more than a file.
fn artifact_name(artifact: &Artifact) -> &str {
    match artifact.kind == Kind::Requirements || artifact.kind.is_document() {
        true => &artifact.path,
        false => &artifact.name,
    }
}

/// The package URL of an artifact that has one: a Python distribution by its file's name, an
/// extension by its publisher where its name holds that (`publisher.name`), else its digest.
fn artifact_purl(artifact: &Artifact) -> Option<String> {
    let (name, version) = (artifact.name.as_str(), artifact.version.as_str());
    match artifact.kind {
        Kind::Wheel | Kind::Sdist => {
            let name = crate::name::normalize(name);
            let purl = purl::Purl::new("pypi", &name, version);
            Some(purl.with("file_name", &artifact.path).to_string())
        }
        Kind::Vsix => {
            let checksum = artifact.sha256.to_string();
            let generic = purl::Purl::new(purl::GENERIC, name, version).with("checksum", checksum);
            let Some((publisher, name)) = name.split_once('.') else {
                return Some(generic.to_string());
            };
            let mut purl = purl::Purl::new("vscode-extension", name, version);
            purl.namespace = Some(publisher.to_owned());
            Some(purl.to_string())
        }
        Kind::Requirements
        | Kind::Image
        | Kind::ProgramImage
        | Kind::ReleaseNotes
        | Kind::Licenses
        | Kind::Findings
        | Kind::FindingsSarif
        | Kind::FindingsMarkdown
        | Kind::SbomCycloneDx
        | Kind::SbomSpdx
        | Kind::Vex
        | Kind::ImageBill
        | Kind::ServerJson
        | Kind::Provenance => None,
    }
}

/// An object of values that are moved, where `json!` would copy them.
fn object<const COUNT: usize>(entries: [(&str, Value); COUNT]) -> Value {
    Value::Object(
        entries
            .map(|(key, value)| (key.to_owned(), value))
            .into_iter()
            .collect(),
    )
}

/// A moment in whole seconds, as both specifications write it: `2026-01-02T03:04:05Z`.
fn moment(date: Timestamp) -> String {
    let seconds = Timestamp::from_second(date.as_second());
    seconds.unwrap_or(date).to_string()
}

/// Where a package comes from, in a word.
fn source_word(source: &Source) -> &'static str {
    match source {
        Source::Registry { .. } => "registry",
        Source::Git { .. } => "git",
        Source::Path { .. } => "path",
        Source::Url { .. } => "url",
        Source::Workspace { .. } => "workspace",
        Source::Bundled { .. } => "bundled",
    }
}

#[cfg(test)]
mod tests;
