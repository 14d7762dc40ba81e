//! Artifacts and the manifest that names them by digest. Pure: bytes and values only.
//!
//! `dist/manifest.json` is the only hand-over between verbs. It says what was made, from
//! which commit, by which inputs; a later verb hashes a file anew before it uses it.
//! Nothing in it depends on when or where the run took place.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// The manifest's file name inside `dist/`.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The manifest format this version writes and reads.
pub const MANIFEST_SCHEMA: u32 = 1;

/// A sha256 (FIPS 180-4) as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(
            Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// Reads 64 hexadecimal digits, with or without the prefix `sha256:`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Digest> {
        let digits = text
            .strip_prefix("sha256:")
            .unwrap_or(text)
            .to_ascii_lowercase();
        if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Digest(digits))
        } else {
            Err(Error::usage(format!(
                "{text:?} is not a sha256: 64 hexadecimal digits"
            )))
        }
    }

    /// All 64 digits.
    pub fn hex(&self) -> &str {
        &self.0
    }

    /// The beginning, for lines people read: `sha256:919b2f6c8d41…`.
    pub fn short(&self) -> String {
        format!("sha256:{}…", &self.0[..12])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.0)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Digest> {
        Digest::parse(&text)
    }
}

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A built distribution (PyPA binary distribution format).
    Wheel,
    /// A source distribution (PEP 625).
    Sdist,
    /// The lock-derived, hash-locked requirements of the wheel.
    Requirements,
    /// A VS Code extension package.
    Vsix,
    /// The container image of the server, as an OCI archive.
    Image,
    /// The container image of a program that Cargo builds, likewise; there may be several.
    ProgramImage,
    /// What changed in this version.
    ReleaseNotes,
    /// The licenses of what the wheel's requirements install, from their own metadata.
    Licenses,
    /// What the audit found, as JSON (`docs/audit.schema.json`).
    Findings,
    /// The same as SARIF 2.1.0.
    FindingsSarif,
    /// The same for people.
    FindingsMarkdown,
    /// The bill of materials, CycloneDX 1.6.
    SbomCycloneDx,
    /// The bill of materials, SPDX 2.3.
    SbomSpdx,
    /// The bill of materials of an image, CycloneDX 1.6; one for each image.
    ImageBill,
    /// What the findings mean for this release, CycloneDX 1.6 VEX.
    Vex,
    /// What a registry of MCP servers is told about the server.
    ServerJson,
    /// What everything else was made from: an in-toto statement, unsigned.
    Provenance,
}

impl Kind {
    /// Whether it is an image of containers, which is made after the release and is not sent with it.
    pub fn is_image(self) -> bool {
        matches!(self, Kind::Image | Kind::ProgramImage)
    }

    /// Whether it says something about the release instead of being installed with it.
    pub fn is_document(self) -> bool {
        match self {
            Kind::Wheel
            | Kind::Sdist
            | Kind::Requirements
            | Kind::Vsix
            | Kind::Image
            | Kind::ProgramImage => false,
            Kind::ReleaseNotes
            | Kind::Licenses
            | Kind::Findings
            | Kind::FindingsSarif
            | Kind::FindingsMarkdown
            | Kind::SbomCycloneDx
            | Kind::SbomSpdx
            | Kind::Vex
            | Kind::ImageBill
            | Kind::ServerJson
            | Kind::Provenance => true,
        }
    }

    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Wheel => "wheel",
            Kind::Sdist => "sdist",
            Kind::Requirements => "requirements",
            Kind::Vsix => "vsix",
            Kind::Image => "image",
            Kind::ProgramImage => "program-image",
            Kind::ReleaseNotes => "notes",
            Kind::Licenses => "licenses",
            Kind::Findings => "findings",
            Kind::FindingsSarif => "findings-sarif",
            Kind::FindingsMarkdown => "findings-markdown",
            Kind::SbomCycloneDx => "sbom-cyclonedx",
            Kind::SbomSpdx => "sbom-spdx",
            Kind::Vex => "vex",
            Kind::ImageBill => "image-bill",
            Kind::ServerJson => "server-json",
            Kind::Provenance => "provenance",
        }
    }
}

/// One finished file in `dist/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// What it is.
    pub kind: Kind,
    /// The distribution or extension it belongs to.
    pub name: String,
    /// The version it carries.
    pub version: String,
    /// Its path relative to `dist/`, with forward slashes.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// What it was made from, each by a digest or an exact version. Equal inputs mean that
    /// the file need not be made again.
    pub inputs: BTreeMap<String, String>,
}

/// Where everything in the release came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The full commit id.
    pub commit: String,
    /// Whether the working tree was built instead of the commit. Never published.
    pub dirty: bool,
    /// The commit's time, seconds since 1970-01-01 UTC; the time stamp of everything made.
    pub source_date_epoch: i64,
}

/// One thing `prove` found to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// A stable name, such as `stdio-stdout`.
    pub name: String,
    /// What was seen, in a few words.
    pub detail: String,
}

/// The evidence that one exact wheel starts and answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The wheel that was proved.
    pub wheel: Digest,
    /// The requirements it was proved with.
    pub requirements: Digest,
    /// What the proof itself depends on (its settings, the interpreter).
    pub inputs: BTreeMap<String, String>,
    /// Everything that was checked and held.
    pub checks: Vec<Check>,
    /// The names of the tools that the server listed, sorted.
    #[serde(default)]
    pub tools: Vec<String>,
}

/// The content of `dist/manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: u32,
    /// The release's name.
    pub name: String,
    /// The one version of everything in it.
    pub version: String,
    /// Where it came from.
    pub source: Source,
    /// What was made, sorted by kind and path.
    pub artifacts: Vec<Artifact>,
    /// The proof of the wheel, once `prove` has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

impl Manifest {
    /// Reads a manifest; `place` names it in errors.
    ///
    /// # Errors
    /// Not JSON, another schema, or unknown or missing fields.
    pub fn parse(text: &str, place: &str) -> Result<Manifest> {
        let remedy = "make it anew: `cargo xtask release`";
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|cause| Error::failure(format!("{place}: not JSON: {cause}")).hint(remedy))?;
        match value.get("schema").and_then(serde_json::Value::as_u64) {
            Some(schema) if schema == u64::from(MANIFEST_SCHEMA) => {}
            Some(schema) => {
                return Err(Error::failure(format!(
                    "{place}: schema {schema}; this tool reads schema {MANIFEST_SCHEMA}"
                ))
                .hint("use the version of the tool that wrote it, or make it anew"));
            }
            None => {
                return Err(Error::failure(format!("{place}: no \"schema\" number")).hint(remedy));
            }
        }
        let manifest: Manifest = serde_json::from_value(value)
            .map_err(|cause| Error::failure(format!("{place}: {cause}")).hint(remedy))?;
        let odd = |artifact: &&Artifact| !is_plain(&artifact.path);
        match manifest.artifacts.iter().find(odd) {
            None => Ok(manifest),
            Some(artifact) => Err(Error::failure(format!(
                "{place}: the path {:?} is not the plain name of a file in dist/",
                artifact.path
            ))
            .hint(remedy)),
        }
    }

    /// The manifest's text: two-space indented JSON with a final line break.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("strings, numbers and string-keyed maps always serialise") + "\n"
    }

    /// The first artifact of a kind.
    pub fn find(&self, kind: Kind) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.kind == kind)
    }

    /// The artifact of a kind, when there is exactly one.
    ///
    /// # Errors
    /// None or several; the message says which verb makes it.
    pub fn only(&self, kind: Kind) -> Result<&Artifact> {
        let mut found = self
            .artifacts
            .iter()
            .filter(|artifact| artifact.kind == kind);
        let word = kind.word();
        match (found.next(), found.next()) {
            (Some(artifact), None) => Ok(artifact),
            (None, _) => Err(
                Error::precondition(format!("dist/{MANIFEST_FILE} names no {word}"))
                    .hint("make it: `cargo xtask release`"),
            ),
            (Some(first), Some(second)) => Err(Error::conflict(format!(
                "dist/{MANIFEST_FILE} names two artifacts of the kind {word}: {} and {}",
                first.path, second.path
            ))),
        }
    }

    /// The artifact of a kind of which there may be several, by its name.
    pub fn named(&self, kind: Kind, name: &str) -> Option<&Artifact> {
        let is_it = |one: &&Artifact| one.kind == kind && one.name == name;
        self.artifacts.iter().find(is_it)
    }

    /// The one in whose place an artifact is put: of its kind, and of its name where there may be
    /// several of the kind.
    pub fn older(&self, artifact: &Artifact) -> Option<&Artifact> {
        match artifact.kind {
            Kind::ProgramImage | Kind::ImageBill => self.named(artifact.kind, &artifact.name),
            kind => self.find(kind),
        }
    }

    /// Puts an artifact in, in place of an older one.
    pub fn put(&mut self, artifact: Artifact) {
        let several = matches!(artifact.kind, Kind::ProgramImage | Kind::ImageBill);
        let is_older =
            |old: &Artifact| old.kind == artifact.kind && (!several || old.name == artifact.name);
        self.artifacts.retain(|old| !is_older(old));
        self.artifacts.push(artifact);
        self.artifacts
            .sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
    }
}

/// A name that cannot lead anywhere else than to a file of that name.
fn is_plain(path: &str) -> bool {
    !matches!(path, "" | "." | "..") && !path.contains(['/', '\\', ':', '\0'])
}

/// Describes finished bytes as an artifact.
pub fn seal(
    kind: Kind,
    (name, version): (&str, &str),
    path: &str,
    bytes: &[u8],
    inputs: BTreeMap<String, String>,
) -> Artifact {
    Artifact {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        path: path.to_owned(),
        size: bytes.len() as u64,
        sha256: Digest::of(bytes),
        inputs,
    }
}

/// The bundle folder's `manifest.json`: what the extension reads before it installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BundleManifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: u32,
    /// The distribution's name.
    pub name: String,
    /// The wheel's version.
    pub version: String,
    /// The commit the wheel was built from.
    pub commit: String,
    /// Whether the working tree was built instead of the commit.
    pub dirty: bool,
    /// The console script that starts the server.
    pub console_script: String,
    /// The wheel beside this manifest.
    pub wheel: BundledFile,
    /// The requirements beside this manifest.
    pub requirements: BundledFile,
}

/// A file of the bundle folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledFile {
    /// A plain file name.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
}

impl BundleManifest {
    /// Reads a bundle manifest; `place` names it in errors.
    ///
    /// # Errors
    /// Not JSON, unknown or missing fields, or another schema.
    pub fn parse(text: &str, place: &str) -> Result<BundleManifest> {
        let manifest: BundleManifest = serde_json::from_str(text)
            .map_err(|cause| Error::failure(format!("{place}: {cause}")))?;
        if manifest.schema == MANIFEST_SCHEMA {
            Ok(manifest)
        } else {
            Err(Error::failure(format!(
                "{place}: schema {}; this tool reads schema {MANIFEST_SCHEMA}",
                manifest.schema
            )))
        }
    }

    /// The manifest's text: two-space indented JSON with a final line break.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("plain fields always serialise") + "\n"
    }
}
