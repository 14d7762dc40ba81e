//! The archive of an image on this machine: an OCI layout in a tar (OCI image layout specification).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};

/// Larger documents than this are no manifests.
const DOCUMENT_LIMIT: u64 = 4 << 20;

/// The newest file that a pattern names, with `*` allowed in its last part.
///
/// # Errors
/// Its folder is there and cannot be read.
pub fn locate(folder: &Path, pattern: &str) -> Result<Option<PathBuf>> {
    let whole = folder.join(pattern);
    let (Some(parent), Some(last)) = (whole.parent(), whole.file_name().and_then(|n| n.to_str()))
    else {
        return Ok(None);
    };
    let wrong = |error: std::io::Error| Error::invalid(format!("{}: {error}", parent.display()));
    let entries = match std::fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let mut newest: Option<(std::time::SystemTime, PathBuf)> = None;
    for entry in entries {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| matches(last, name)) else {
            continue;
        };
        let changed = entry
            .metadata()
            .and_then(|data| data.modified())
            .map_err(wrong)?;
        let candidate = (changed, parent.join(name));
        if newest.as_ref().is_none_or(|newest| *newest < candidate) {
            newest = Some(candidate);
        }
    }
    Ok(newest.map(|(_, path)| path))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

/// Where each file of an archive is.
pub struct Layout {
    path: PathBuf,
    files: BTreeMap<String, (u64, u64)>,
}

/// One manifest or index, with everything that it names before it.
pub struct Document {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The blobs that it names.
    pub blobs: Vec<String>,
}

impl Layout {
    /// Reads what is in an archive.
    ///
    /// # Errors
    /// It cannot be read, or is no tar.
    pub fn open(path: &Path) -> Result<Layout> {
        let wrong = |error: std::io::Error| Error::invalid(format!("{}: {error}", path.display()));
        let file = std::fs::File::open(path).map_err(wrong)?;
        let mut archive = tar::Archive::new(std::io::BufReader::new(file));
        let mut files = BTreeMap::new();
        for entry in archive.entries_with_seek().map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let name = entry.path().map_err(wrong)?.to_string_lossy().into_owned();
            let place = (entry.raw_file_position(), entry.size());
            files.insert(name.trim_start_matches("./").to_owned(), place);
        }
        Ok(Layout {
            path: path.to_owned(),
            files,
        })
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub fn blob(&self, digest: &str) -> Result<Vec<u8>> {
        self.read(&format!("blobs/{}", digest.replacen(':', "/", 1)), u64::MAX)
    }

    /// The manifests to publish: those of an index first, the index last.
    ///
    /// # Errors
    /// It is no OCI layout.
    pub fn documents(&self) -> Result<Vec<Document>> {
        let index = self.parse(&self.read("index.json", DOCUMENT_LIMIT)?)?;
        let first = index["manifests"]
            .as_array()
            .and_then(|all| all.first())
            .ok_or_else(|| self.wrong("its index names no image"))?;
        let mut documents = Vec::new();
        self.collect(first, &mut documents, 0)?;
        Ok(documents)
    }

    fn collect(&self, named: &Value, documents: &mut Vec<Document>, depth: usize) -> Result<()> {
        let digest = self.text(named, "digest")?;
        let media_type = self.text(named, "mediaType")?;
        let bytes = self.blob(&digest)?;
        let document = self.parse(&bytes)?;
        if depth > 2 {
            return Err(self.wrong("its indexes name each other"));
        }
        for inner in document["manifests"].as_array().into_iter().flatten() {
            self.collect(inner, documents, depth + 1)?;
        }
        let layers = document["layers"].as_array().into_iter().flatten();
        let blobs = document
            .get("config")
            .into_iter()
            .chain(layers)
            .map(|blob| self.text(blob, "digest"))
            .collect::<Result<_>>()?;
        documents.push(Document {
            digest,
            media_type,
            bytes,
            blobs,
        });
        Ok(())
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        use std::io::Seek as _;
        let (start, size) = *self
            .files
            .get(name)
            .ok_or_else(|| self.wrong(&format!("{name} is not in it")))?;
        if size > limit {
            return Err(self.wrong(&format!("{name} is too large")));
        }
        let wrong = |error: std::io::Error| self.wrong(&format!("{name}: {error}"));
        let mut file = std::fs::File::open(&self.path).map_err(wrong)?;
        file.seek(std::io::SeekFrom::Start(start)).map_err(wrong)?;
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes).map_err(wrong)?;
        Ok(bytes)
    }

    fn parse(&self, bytes: &[u8]) -> Result<Value> {
        serde_json::from_slice(bytes).map_err(|error| self.wrong(&error.to_string()))
    }

    fn text(&self, value: &Value, key: &str) -> Result<String> {
        value[key]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| self.wrong(&format!("{key} is missing where it names a blob")))
    }

    fn wrong(&self, why: &str) -> Error {
        Error::invalid(format!("the image archive {}: {why}", self.path.display()))
            .hint("build it anew with `cargo xtask image`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_one_star() {
        assert!(matches("*-image.oci.tar", "a-0.1.0-image.oci.tar"));
        assert!(matches("a.tar", "a.tar"));
        assert!(!matches("a*a.tar", "a.tar"));
        assert!(!matches("*-image.oci.tar", "a.tar"));
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_archive() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(locate(folder.path(), "dist/*.tar").unwrap(), None);
        std::fs::create_dir(folder.path().join("dist")).unwrap();
        std::fs::write(folder.path().join("dist/a b.tar"), "").unwrap();
        let found = locate(folder.path(), "dist/*.tar").unwrap();
        assert_eq!(found, Some(folder.path().join("dist/a b.tar")));
    }
}
