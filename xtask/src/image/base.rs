//! A base image, read from the documents that name each other by digest.
//!
//! Source: OCI image specification 1.1 ("Image index", "Image manifest", "Image configuration");
//! Docker's image manifest, version 2, schema 2, whose documents have other media types and mean
//! the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Platform;
use crate::artifact::Digest;
use crate::error::{Error, Result};

/// The media types of a list of platforms.
pub const INDEX_TYPES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// The media types of one image.
pub const MANIFEST_TYPES: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// The media type of a layer that is compressed with gzip, and of one that is not.
pub const LAYER_TYPES: [&str; 2] = [
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar",
];

/// No document of an image is larger.
const DOCUMENT_LIMIT: u64 = 4 << 20;

/// What one document says of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A layer of a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseLayer {
    /// The compressed archive, with the media type of OCI.
    pub descriptor: Descriptor,
    /// The digest of the archive before it was compressed.
    pub diff_id: Digest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The base for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// The configuration.
    pub configuration: Value,
    /// The layers from below.
    pub layers: Vec<BaseLayer>,
}

/// Gives the bytes that a descriptor names; they are judged here.
pub type Fetch<'run> = dyn Fn(&Descriptor) -> Result<Vec<u8>> + 'run;

/// Reads a descriptor.
///
/// # Errors
/// A member is missing or is not what it must be.
pub fn descriptor(value: &Value, place: &str) -> Result<Descriptor> {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    let digest = Digest::parse(text("digest"));
    match (digest, value["size"].as_u64()) {
        (Ok(digest), Some(size)) => Ok(Descriptor {
            media_type: text("mediaType").to_owned(),
            digest,
            size,
        }),
        _ => Err(Error::refused(format!(
            "{place}: something is named without a sha256 and a size"
        ))),
    }
}

/// The bytes of a descriptor, held against its digest.
///
/// # Errors
/// They cannot be had or are others.
pub fn whole(descriptor: &Descriptor, place: &str, fetch: &Fetch<'_>) -> Result<Vec<u8>> {
    let bytes = fetch(descriptor)?;
    let found = Digest::of(&bytes);
    if found == descriptor.digest {
        return Ok(bytes);
    }
    Err(Error::refused(format!(
        "{place}: the blob {} has other bytes: {}",
        descriptor.digest.short(),
        found.short()
    ))
    .hint("the base is damaged or was tampered with: fetch it again"))
}

fn document(descriptor: &Descriptor, place: &str, fetch: &Fetch<'_>) -> Result<Value> {
    if descriptor.size > DOCUMENT_LIMIT {
        return Err(Error::refused(format!(
            "{place}: the document {} has {} bytes, and none has more than {DOCUMENT_LIMIT}",
            descriptor.digest.short(),
            descriptor.size
        )));
    }
    let bytes = whole(descriptor, place, fetch)?;
    serde_json::from_slice(&bytes).map_err(|cause| {
        Error::refused(format!(
            "{place}: {} is not JSON: {cause}",
            descriptor.digest.short()
        ))
    })
}

/// The base for a platform. `top` names an image or a list of platforms; `place` names the base in
/// errors.
///
/// # Errors
/// It has nothing for the platform, is damaged, or has layers of a kind that is not read here.
pub fn read(top: &Descriptor, platform: Platform, place: &str, fetch: &Fetch<'_>) -> Result<Base> {
    let manifest = manifest(top, platform, place, fetch)?;
    let configuration = document(&descriptor(&manifest["config"], place)?, place, fetch)?;
    let found = (
        configuration["os"].as_str().unwrap_or_default(),
        configuration["architecture"].as_str().unwrap_or_default(),
    );
    if found != ("linux", platform.architecture()) {
        return Err(Error::refused(format!(
            "{place}: is for {}/{}, not for {}",
            found.0,
            found.1,
            platform.word()
        ))
        .hint(format!(
            "leave that platform out: --platform {}/{}",
            found.0, found.1
        )));
    }
    let diff_ids = list(&configuration["rootfs"]["diff_ids"]);
    let layers = list(&manifest["layers"]);
    if layers.len() != diff_ids.len() {
        return Err(Error::refused(format!(
            "{place}: {} layers, and the configuration names {}",
            layers.len(),
            diff_ids.len()
        )));
    }
    let mut found = Vec::new();
    for (layer, diff_id) in layers.iter().zip(diff_ids) {
        let mut descriptor = descriptor(layer, place)?;
        descriptor.media_type = layer_type(&descriptor.media_type, place)?.to_owned();
        let diff_id = Digest::parse(diff_id.as_str().unwrap_or_default())
            .map_err(|error| Error::refused(format!("{place}: a diff_id: {}", error.message)))?;
        let bytes = whole(&descriptor, place, fetch)?;
        found.push(BaseLayer {
            descriptor,
            diff_id,
            bytes,
        });
    }
    Ok(Base {
        configuration,
        layers: found,
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The manifest for a platform, through lists that may name further lists.
fn manifest(top: &Descriptor, platform: Platform, place: &str, fetch: &Fetch<'_>) -> Result<Value> {
    let mut next = top.clone();
    for _ in 0..4 {
        let value = document(&next, place, fetch)?;
        if value["layers"].is_array() {
            return Ok(value);
        }
        let entries = list(&value["manifests"]);
        let of_platform = |entry: &&Value| {
            entry["platform"]["os"] == "linux"
                && entry["platform"]["architecture"] == platform.architecture()
        };
        // The only image of a list need not say what it is for; its configuration does.
        let only = entries.len() == 1 && entries[0]["platform"].is_null();
        let chosen = match only {
            true => entries.first(),
            false => entries.iter().find(of_platform),
        };
        next = descriptor(
            chosen.ok_or_else(|| absent(entries, platform, place))?,
            place,
        )?;
    }
    Err(Error::refused(format!(
        "{place}: lists that name lists that name lists, and no image"
    )))
}

fn absent(entries: &[Value], platform: Platform, place: &str) -> Error {
    let mut known: BTreeMap<String, ()> = BTreeMap::new();
    for entry in entries {
        let word = |key: &str| {
            entry["platform"][key]
                .as_str()
                .unwrap_or("unknown")
                .to_owned()
        };
        known.insert(format!("{}/{}", word("os"), word("architecture")), ());
    }
    let known: Vec<String> = known.into_keys().take(12).collect();
    let word = platform.word();
    Error::refused(format!(
        "{place}: has nothing for {word}; it is for {}",
        crate::printable::line(&known.join(", "), 300)
    ))
    .hint("name a base that has it, or leave the platform out with --platform")
}

/// The media type of OCI for a layer.
fn layer_type(media_type: &str, place: &str) -> Result<&'static str> {
    match media_type {
        "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Ok(LAYER_TYPES[0]),
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.docker.image.rootfs.diff.tar" => Ok(LAYER_TYPES[1]),
        other => Err(Error::refused(format!(
            "{place}: a layer is of the kind {:?}, and only tar archives with or without gzip are \
             read",
            crate::printable::line(other, 120)
        ))
        .hint("older engines cannot load others either; name another base")),
    }
}

#[cfg(test)]
mod tests;
