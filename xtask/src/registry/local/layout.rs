//! An OCI image layout on disk (OCI image specification 1.1, "Image layout").

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::artifact::Digest;
use crate::error::{Error, Result};
use crate::product::oci::{ARTIFACT_TYPE, MANIFEST_TYPE, Package};
use crate::world::files;

/// The annotation that names a tag.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// The path of a blob, from the target's folder.
pub fn blob(digest: &Digest) -> String {
    format!("oci/blobs/sha256/{}", digest.hex())
}

/// The digest that a tag names.
///
/// # Errors
/// The index of the layout cannot be read.
pub fn tagged(folder: &Utf8Path, tag: &str) -> Result<Option<Digest>> {
    let index = index(folder)?;
    let entries = index["manifests"].as_array().into_iter().flatten();
    let mut found = entries.filter(|entry| entry["annotations"][REFERENCE] == tag);
    let digest = found.next().and_then(|entry| entry["digest"].as_str());
    digest.map(Digest::parse).transpose()
}

/// Has a tag name a manifest. The index is replaced as a whole.
///
/// # Errors
/// The folder cannot be written.
pub fn set_tag(folder: &Utf8Path, tag: &str, package: &Package) -> Result<()> {
    let mut index = index(folder)?;
    let entry = json!({
        "mediaType": MANIFEST_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "digest": package.digest.to_string(),
        "size": package.manifest.len(),
        "annotations": { REFERENCE: tag },
    });
    if let Some(entries) = index["manifests"].as_array_mut() {
        entries.retain(|entry| entry["annotations"][REFERENCE] != tag);
        entries.push(entry);
    }
    let layout = json!({ "imageLayoutVersion": "1.0.0" });
    let text = |value: &Value| format!("{value:#}\n").into_bytes();
    files::write_synced(&folder.join("oci/oci-layout"), &text(&layout))?;
    files::write_synced(&folder.join("oci/index.json"), &text(&index))
}

fn index(folder: &Utf8Path) -> Result<Value> {
    let path = folder.join("oci/index.json");
    if !path.exists() {
        let media_type = "application/vnd.oci.image.index.v1+json";
        return Ok(json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": [] }));
    }
    let index: Value = serde_json::from_str(&files::read_text(&path)?)
        .map_err(|cause| Error::failure(format!("{path}: {cause}")))?;
    match index["manifests"].is_array() {
        true => Ok(index),
        false => Err(Error::failure(format!("{path}: no list of manifests"))
            .hint("it is no index of an OCI layout: move it elsewhere")),
    }
}
