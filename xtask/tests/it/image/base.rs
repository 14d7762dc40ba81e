//! Small bases as OCI layouts: an interpreter that is none, which is enough to be built on.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::{Value, json};
use xtask::artifact::Digest;
use xtask::image::layer::{Entries, Entry, FIXED_TIME, with_parents, write};

/// The files of a layout by their paths in it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A layout with an image for each of these architectures, whose interpreter is `python`.
pub fn layout(architectures: &[&str], python: &str) -> Files {
    let mut files = Files::new();
    let images = architectures
        .iter()
        .map(|one| image(&mut files, one, python));
    let images: Vec<Value> = images.collect();
    let index = json!({ "schemaVersion": 2, "manifests": images });
    let mut top = put(&mut files, "index.v1+json", index.to_string().as_bytes());
    top["annotations"] = json!({ "org.opencontainers.image.ref.name": "base" });
    let index = json!({ "schemaVersion": 2, "manifests": [top] });
    files.insert("index.json".to_owned(), index.to_string().into_bytes());
    let version = json!({ "imageLayoutVersion": "1.0.0" });
    files.insert("oci-layout".to_owned(), version.to_string().into_bytes());
    files
}

fn put(files: &mut Files, kind: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes);
    files.insert(format!("blobs/sha256/{}", digest.hex()), bytes.to_vec());
    json!({
        "mediaType": format!("application/vnd.oci.image.{kind}"),
        "digest": digest.to_string(),
        "size": bytes.len(),
    })
}

fn image(files: &mut Files, architecture: &str, python: &str) -> Value {
    let passwd = b"root:x:0:0:root:/root:/bin/sh\n".to_vec();
    let entries = Entries::from([
        (
            format!("usr/local/bin/{python}"),
            Entry::program(architecture.as_bytes().to_vec()),
        ),
        ("etc/passwd".to_owned(), Entry::file(passwd)),
    ]);
    let layer = write(&with_parents(entries), FIXED_TIME).unwrap();
    let configuration = json!({
        "architecture": architecture,
        "os": "linux",
        "config": { "Env": ["PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8"] },
        "rootfs": { "type": "layers", "diff_ids": [layer.diff_id.to_string()] },
    });
    let layer = put(files, "layer.v1.tar+gzip", &layer.bytes);
    let configuration = put(
        files,
        "config.v1+json",
        configuration.to_string().as_bytes(),
    );
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": configuration,
        "layers": [layer],
    });
    let mut named = put(files, "manifest.v1+json", manifest.to_string().as_bytes());
    named["platform"] = json!({ "os": "linux", "architecture": architecture });
    named
}

/// Writes a layout as a folder.
pub fn folder(files: &Files, place: &Utf8Path) {
    for (path, bytes) in files {
        let path = place.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// A layout as one tar file.
pub fn archive(files: &Files) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("./{path}");
        archive
            .append_data(&mut header, path, bytes.as_slice())
            .unwrap();
    }
    archive.into_inner().unwrap()
}
