//! What an image is made of, as a file beside it in `dist/`.

use jiff::Timestamp;

use super::base::Found;
use crate::artifact::{Artifact, Digest, Kind, Manifest, seal};
use crate::bom::image::{Base, Image, Part, Platform as Contents, document};
use crate::error::Result;
use crate::exec::documents::text;
use crate::image::Platform;
use crate::image::archive::{self, Archive};
use crate::lockfile::Ecosystem;

/// The bill of an image that was written. `parts` are those of each platform, in the order in which
/// they were written; `image` is the artifact.
///
/// # Errors
/// The archive cannot be read again.
pub fn bill(
    manifest: &Manifest,
    image: &Artifact,
    archive: &Archive,
    base: &Found<'_>,
    parts: Vec<(Platform, Vec<Part>)>,
) -> Result<(Artifact, Vec<u8>)> {
    let package = archive::package(&archive.bytes, &image.path)?;
    let manifests = package.parts.into_iter().map(|(digest, _)| digest);
    let platforms: Vec<Contents> = manifests
        .zip(parts)
        .map(|(digest, (platform, parts))| Contents {
            word: platform.word(),
            digest,
            parts,
        })
        .collect();
    let source = &manifest.source;
    let made = document(&Image {
        name: &image.name,
        version: &image.version,
        digest: &archive.digest,
        commit: &source.commit,
        date: Timestamp::from_second(source.source_date_epoch).unwrap_or_default(),
        base: Base {
            name: base.name.as_deref(),
            digest: base.digest(),
        },
        platforms: &platforms,
    });
    let bytes = text(&made).into_bytes();
    let path = format!("{}-{}-image.cdx.json", image.name, image.version);
    let named = (image.name.as_str(), image.version.as_str());
    let mut inputs = image.inputs.clone();
    inputs.insert("image".to_owned(), image.sha256.to_string());
    let artifact = seal(Kind::ImageBill, named, &path, &bytes, inputs);
    Ok((artifact, bytes))
}

/// A wheel, as its file's name says what it is.
pub fn wheel(file: &str, bytes: &[u8]) -> Part {
    let mut words = file.split('-');
    let mut word = || words.next().unwrap_or_default();
    Part {
        ecosystem: Some(Ecosystem::Pypi),
        name: crate::name::normalize(word()),
        version: word().to_owned(),
        file: Some(file.to_owned()),
        sha256: Some(Digest::of(bytes)),
    }
}
