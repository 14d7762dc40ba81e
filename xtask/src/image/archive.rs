//! The archive: an OCI image layout in one tar file, which is a docker archive at the same time.
//!
//! `index.json` names the list of platforms once for each tag, as `skopeo` and `podman` look for
//! it; `manifest.json` names the same blobs in the form that `docker load` has always read, for one
//! platform, because it knows one only.
//!
//! Source: OCI image specification 1.1 ("Image Layout", "Image index"); Docker's image
//! specification 1.2 ("Combined Image JSON + Filesystem Changeset Format").

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::Platform;
use super::base::{Base, Descriptor, INDEX_TYPES, LAYER_TYPES, MANIFEST_TYPES, descriptor, whole};
use super::layer::{FIXED_TIME, Layer};
use crate::artifact::Digest;
use crate::error::{Error, Result};
use crate::product::oci::Package;

/// The media type of an image's configuration.
const CONFIGURATION_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// The key of a tag in `index.json`.
const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";

/// The key of the whole name, which engines that keep images in containerd look for: newer Docker,
/// and the nodes of a cluster.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// The file that marks a layout.
pub const LAYOUT_FILE: &str = "oci-layout";

/// The file that names what is in a layout.
pub const INDEX_FILE: &str = "index.json";

/// An image for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// What it is for.
    pub platform: Platform,
    /// What it stands on.
    pub base: Base,
    /// Its configuration.
    pub configuration: Vec<u8>,
    /// Its own layers, from below.
    pub layers: Vec<Layer>,
}

/// A finished archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The digest of the list of platforms, by which the image is known everywhere.
    pub digest: Digest,
}

/// The path of a blob in a layout.
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Blobs by their paths in a layout.
#[derive(Default)]
struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    /// Puts bytes in, and gives what names them in other documents.
    fn put(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.0.insert(blob_path(&digest), bytes.to_vec());
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    }
}

/// Writes the archive of images; engines will call it `repository` with each of these tags.
///
/// # Errors
/// There is no image, or the archive cannot be written.
pub fn write(
    images: &[Built],
    annotations: &BTreeMap<String, String>,
    repository: &str,
    tags: &[String],
) -> Result<Archive> {
    let mut blobs = Blobs::default();
    let mut manifests = Vec::new();
    let mut loaded: Option<(Platform, Value)> = None;
    for image in images {
        let (manifest, mut entry) = put_image(&mut blobs, image, annotations);
        manifests.push(manifest);
        let named = |tag: &String| Value::from(format!("{repository}:{tag}"));
        entry["RepoTags"] = tags.iter().map(named).collect();
        if loaded
            .as_ref()
            .is_none_or(|(platform, _)| image.platform < *platform)
        {
            loaded = Some((image.platform, entry));
        }
    }
    let (_, loaded) = loaded.ok_or_else(|| Error::usage("an image for no platform at all"))?;
    let index = document(&json!({
        "schemaVersion": 2,
        "mediaType": INDEX_TYPES[0],
        "manifests": manifests,
        "annotations": annotations,
    }));
    let list = blobs.put(INDEX_TYPES[0], &index);
    let entry = |tag: &String| {
        let mut entry = list.clone();
        let name = format!("docker.io/library/{repository}:{tag}");
        entry["annotations"] = json!({ CONTAINERD_NAME: name, REFERENCE_NAME: tag });
        entry
    };
    let top = json!({
        "schemaVersion": 2,
        "mediaType": INDEX_TYPES[0],
        "manifests": tags.iter().map(entry).collect::<Vec<_>>(),
    });
    let mut files = blobs.0;
    files.insert(INDEX_FILE.to_owned(), document(&top));
    files.insert("manifest.json".to_owned(), document(&json!([loaded])));
    let version = document(&json!({ "imageLayoutVersion": "1.0.0" }));
    files.insert(LAYOUT_FILE.to_owned(), version);
    Ok(Archive {
        bytes: packed(&files)?,
        digest: Digest::of(&index),
    })
}

/// Puts one image in: what names its manifest, and its entry for `docker load`.
fn put_image(
    blobs: &mut Blobs,
    image: &Built,
    annotations: &BTreeMap<String, String>,
) -> (Value, Value) {
    let configuration = blobs.put(CONFIGURATION_TYPE, &image.configuration);
    let mut layers = Vec::new();
    for layer in &image.base.layers {
        layers.push(blobs.put(&layer.descriptor.media_type, &layer.bytes));
    }
    for layer in &image.layers {
        layers.push(blobs.put(LAYER_TYPES[0], &layer.bytes));
    }
    let path = |named: &Value| {
        let digest = named["digest"].as_str().unwrap_or_default();
        format!("blobs/{}", digest.replace(':', "/"))
    };
    let entry = json!({
        "Config": path(&configuration),
        "RepoTags": [],
        "Layers": layers.iter().map(path).collect::<Vec<_>>(),
    });
    let manifest = document(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPES[0],
        "config": configuration,
        "layers": layers,
        "annotations": annotations,
    }));
    let mut named = blobs.put(MANIFEST_TYPES[0], &manifest);
    named["platform"] = platform(image);
    (named, entry)
}

fn platform(image: &Built) -> Value {
    let mut platform = json!({ "architecture": image.platform.architecture(), "os": "linux" });
    if let Some(variant) = image.base.configuration["variant"].as_str() {
        platform["variant"] = variant.into();
    }
    platform
}

fn document(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers always serialise")
}

/// One tar file of these, with the folders they lie in.
fn packed(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let failed = |cause: std::io::Error| Error::failure(format!("write the archive: {cause}"));
    let total: usize = files.values().map(|bytes| bytes.len() + 1024).sum();
    let mut archive = Builder::new(Vec::with_capacity(total + 4096));
    let mut add = |name: &str, kind: EntryType, mode: u32, bytes: &[u8]| {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(FIXED_TIME);
        header.set_size(bytes.len() as u64);
        archive
            .append_data(&mut header, name, bytes)
            .map_err(failed)
    };
    for folder in ["blobs/", "blobs/sha256/"] {
        add(folder, EntryType::Directory, 0o755, &[])?;
    }
    for (path, bytes) in files {
        add(path, EntryType::Regular, 0o644, bytes)?;
    }
    archive.into_inner().map_err(failed)
}

/// The files of a tar archive by their places in its bytes.
#[derive(Debug)]
pub struct Opened<'bytes> {
    bytes: &'bytes [u8],
    files: BTreeMap<String, Range<usize>>,
}

impl<'bytes> Opened<'bytes> {
    /// Reads the table of an archive; `place` names it in errors.
    ///
    /// # Errors
    /// It is no tar archive.
    pub fn read(bytes: &'bytes [u8], place: &str) -> Result<Opened<'bytes>> {
        let broken = |cause: std::io::Error| {
            Error::refused(format!("{place} is not a sound tar archive: {cause}"))
        };
        let mut files = BTreeMap::new();
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().map_err(broken)? {
            let entry = entry.map_err(broken)?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let start = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
            let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
            let end = start.saturating_add(size);
            if end > bytes.len() {
                return Err(Error::refused(format!("{place}: {name:?} is cut off")));
            }
            files.insert(name.trim_start_matches("./").to_owned(), start..end);
        }
        Ok(Opened { bytes, files })
    }

    /// The bytes of a file.
    pub fn get(&self, path: &str) -> Option<&'bytes [u8]> {
        let range = self.files.get(path)?;
        self.bytes.get(range.clone())
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// There is none.
    pub fn blob(&self, wanted: &Descriptor, place: &str) -> Result<&'bytes [u8]> {
        self.get(&blob_path(&wanted.digest)).ok_or_else(|| {
            let digest = &wanted.digest;
            Error::refused(format!("{place}: the blob {digest} is not in it"))
        })
    }
}

/// What `index.json` of a layout names: one image, or the list of an image's platforms.
///
/// # Errors
/// Nothing, or several when no digest says which; the message lists them.
pub fn top(index: &[u8], wanted: Option<&Digest>, place: &str) -> Result<Descriptor> {
    let value: Value = serde_json::from_slice(index)
        .map_err(|cause| Error::refused(format!("{place}: {INDEX_FILE} is not JSON: {cause}")))?;
    let entries = value["manifests"].as_array();
    let mut found: Vec<Descriptor> = Vec::new();
    for entry in entries.into_iter().flatten() {
        let entry = descriptor(entry, place)?;
        if !found.iter().any(|known| known.digest == entry.digest) {
            found.push(entry);
        }
    }
    let digests: Vec<String> = found.iter().map(|one| one.digest.to_string()).collect();
    if let Some(wanted) = wanted {
        let mut named = found.into_iter().filter(|one| one.digest == *wanted);
        return named.next().ok_or_else(|| {
            Error::refused(format!("{place}: {INDEX_FILE} does not name {wanted}"))
                .hint(format!("it names {}", digests.join(", ")))
        });
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Error::refused(format!(
            "{place}: {INDEX_FILE} names no image"
        ))),
        _ => Err(Error::usage(format!(
            "{place}: {INDEX_FILE} names several images, and the base says not which"
        ))
        .hint(format!(
            "put one behind the path: @{}",
            digests.join(" or @")
        ))),
    }
}

/// An archive of ours as what is sent to a registry: every blob, the manifest of each platform, and
/// the list of them, whose bytes are those in the archive.
///
/// # Errors
/// It is not whole.
pub fn package(bytes: &[u8], place: &str) -> Result<Package> {
    let opened = Opened::read(bytes, place)?;
    let index = opened.get(INDEX_FILE);
    let index = index.ok_or_else(|| Error::refused(format!("{place}: no {INDEX_FILE}")))?;
    let top = top(index, None, place)?;
    let fetch = |wanted: &Descriptor| opened.blob(wanted, place).map(<[u8]>::to_vec);
    let list = whole(&top, place, &fetch)?;
    let value = json_of(&list, place)?;
    let mut package = Package {
        digest: top.digest,
        manifest: list,
        media_type: INDEX_TYPES[0],
        parts: Vec::new(),
        blobs: Vec::new(),
    };
    for entry in value["manifests"].as_array().into_iter().flatten() {
        let entry = descriptor(entry, place)?;
        let manifest = whole(&entry, place, &fetch)?;
        let value = json_of(&manifest, place)?;
        let layers = value["layers"].as_array().into_iter().flatten();
        for blob in layers.chain([&value["config"]]) {
            let blob = descriptor(blob, place)?;
            if package.blobs.iter().all(|(known, _)| *known != blob.digest) {
                let bytes = whole(&blob, place, &fetch)?;
                package.blobs.push((blob.digest, bytes));
            }
        }
        package.parts.push((entry.digest, manifest));
    }
    Ok(package)
}

fn json_of(bytes: &[u8], place: &str) -> Result<Value> {
    serde_json::from_slice(bytes)
        .map_err(|cause| Error::refused(format!("{place}: a manifest is not JSON: {cause}")))
}

#[cfg(test)]
mod tests;
