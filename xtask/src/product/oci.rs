//! A release as an OCI artifact: one layer for each file. Pure, and the same bytes each time.
//!
//! Source: OCI image specification 1.1, "Guidelines for artifact usage" and "Image manifest";
//! the title annotation is the one that ORAS and other clients name files by.

use std::collections::BTreeMap;

use serde_json::json;

use crate::artifact::{Artifact, Digest, Kind, MANIFEST_FILE};
use crate::dist::Release;
use crate::error::{Error, Result};

/// What kind of artifact this is.
pub const ARTIFACT_TYPE: &str = "application/vnd.mcp-shipyard.release.v1+json";

/// The media type of the manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media type of an empty configuration, and its bytes.
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const EMPTY: &[u8] = b"{}";

/// A manifest and everything it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The manifest's exact bytes.
    pub manifest: Vec<u8>,
    /// Their digest, which is the identity of the whole.
    pub digest: Digest,
    /// Its media type.
    pub media_type: &'static str,
    /// The manifests that it names, when it is the list of an image's platforms.
    pub parts: Vec<(Digest, Vec<u8>)>,
    /// What the manifests name, by digest, in their order.
    pub blobs: Vec<(Digest, Vec<u8>)>,
}

/// Wraps a release up.
///
/// # Errors
/// The time of its commit is none.
pub fn package(release: &Release) -> Result<Package> {
    let manifest = &release.manifest;
    let epoch = manifest.source.source_date_epoch;
    let created = jiff::Timestamp::from_second(epoch).map_err(|cause| {
        Error::failure(format!("dist/{MANIFEST_FILE}: the commit's time: {cause}"))
    })?;
    let mut blobs = vec![(Digest::of(EMPTY), EMPTY.to_vec())];
    let mut layers = Vec::new();
    let own = manifest.text().into_bytes();
    let mut layer = |name: &str, media_type: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        layers.push(json!({
            "mediaType": media_type,
            "digest": digest.to_string(),
            "size": bytes.len(),
            "annotations": { "org.opencontainers.image.title": name },
        }));
        blobs.push((digest, bytes.to_vec()));
    };
    // An image goes to a registry as an image, to which its layers need not be sent twice.
    let files = manifest.artifacts.iter();
    for artifact in files.filter(|artifact| !artifact.kind.is_image()) {
        let bytes = release.contents.get(&artifact.path);
        let bytes = bytes.map(Vec::as_slice).unwrap_or_default();
        layer(&artifact.path, media_type(artifact), bytes);
    }
    layer(MANIFEST_FILE, "application/json", &own);
    let annotations = BTreeMap::from([
        ("org.opencontainers.image.created", created.to_string()),
        (
            "org.opencontainers.image.revision",
            manifest.source.commit.clone(),
        ),
        ("org.opencontainers.image.title", manifest.name.clone()),
        ("org.opencontainers.image.version", manifest.version.clone()),
    ]);
    let text = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "config": {
            "mediaType": EMPTY_TYPE,
            "digest": Digest::of(EMPTY).to_string(),
            "size": EMPTY.len(),
        },
        "layers": layers,
        "annotations": annotations,
    }));
    let text = text.expect("texts and numbers always serialise");
    Ok(Package {
        digest: Digest::of(&text),
        manifest: text,
        media_type: MANIFEST_TYPE,
        parts: Vec::new(),
        blobs,
    })
}

/// The media type of a file of the release.
pub fn media_type(artifact: &Artifact) -> &'static str {
    match artifact.kind {
        Kind::Wheel | Kind::Vsix => "application/zip",
        Kind::Sdist => "application/gzip",
        Kind::Image | Kind::ProgramImage => "application/x-tar",
        Kind::Requirements => "text/plain",
        Kind::ReleaseNotes | Kind::FindingsMarkdown => "text/markdown",
        Kind::Licenses | Kind::Findings | Kind::ServerJson => "application/json",
        Kind::FindingsSarif => "application/sarif+json",
        Kind::SbomCycloneDx | Kind::Vex | Kind::ImageBill => "application/vnd.cyclonedx+json",
        Kind::SbomSpdx => "application/spdx+json",
        Kind::Provenance => "application/vnd.in-toto+json",
    }
}

/// A version as a tag: at most 128 letters, digits, `_`, `.` and `-`
/// (OCI distribution specification, "Pulling manifests").
pub fn tag(version: &str) -> String {
    let plain = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "_.-".contains(c) => c,
        _ => '-',
    };
    version.chars().map(plain).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Source, seal};

    #[test]
    fn a_release_is_one_manifest_with_a_layer_for_each_file() {
        let source = Source {
            commit: "c".repeat(40),
            dirty: false,
            source_date_epoch: 1_700_000_000,
        };
        let mut release = Release::empty("demo", "1.0.0", source);
        let artifact = seal(
            Kind::Wheel,
            ("demo", "1.0.0"),
            "demo.whl",
            b"PK",
            BTreeMap::new(),
        );
        release.put(artifact, b"PK".to_vec());
        let package = package(&release).unwrap();
        assert_eq!(package, super::package(&release).unwrap());
        assert_eq!(package.digest, Digest::of(&package.manifest));
        let manifest: serde_json::Value = serde_json::from_slice(&package.manifest).unwrap();
        assert_eq!(
            manifest["layers"][0]["digest"],
            Digest::of(b"PK").to_string()
        );
        let title = &manifest["layers"][1]["annotations"]["org.opencontainers.image.title"];
        assert_eq!(title, "manifest.json");
        let created = &manifest["annotations"]["org.opencontainers.image.created"];
        assert_eq!(created, "2023-11-14T22:13:20Z");
        for (digest, bytes) in &package.blobs {
            assert_eq!(*digest, Digest::of(bytes));
        }
        assert_eq!(package.blobs.len(), 3);
    }

    #[test]
    fn a_tag_has_no_plus() {
        assert_eq!(tag("1.0.0+local 1"), "1.0.0-local-1");
    }
}
