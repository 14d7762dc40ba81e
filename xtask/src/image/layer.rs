//! A layer: files as a compressed tar archive that is the same for the same files.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::artifact::Digest;
use crate::error::{Error, Result};

/// The time of files that belong to no commit: the first that a zip archive can state.
pub const FIXED_TIME: u64 = 315_532_800;

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A folder.
    Folder,
    /// A file with these bytes.
    File(Vec<u8>),
}

/// One file or folder of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub content: Content,
    /// Its permissions.
    pub mode: u32,
    /// The user and group it belongs to.
    pub owner: u32,
}

impl Entry {
    /// A file of root that everybody may read.
    pub fn file(bytes: Vec<u8>) -> Entry {
        Entry {
            content: Content::File(bytes),
            mode: 0o644,
            owner: 0,
        }
    }

    /// A program of root that everybody may run.
    pub fn program(bytes: Vec<u8>) -> Entry {
        Entry {
            mode: 0o755,
            ..Entry::file(bytes)
        }
    }

    /// A folder of a user.
    pub fn folder(owner: u32) -> Entry {
        Entry {
            content: Content::Folder,
            mode: 0o755,
            owner,
        }
    }
}

/// Everything in a layer, by path without a slash in front.
pub type Entries = BTreeMap<String, Entry>;

/// A finished layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The compressed archive.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
    /// The digest of the archive before it was compressed.
    pub diff_id: Digest,
}

/// Puts in the folders that its files lie in.
pub fn with_parents(mut entries: Entries) -> Entries {
    let paths: Vec<String> = entries.keys().cloned().collect();
    for path in paths {
        let mut rest = path.as_str();
        while let Some((parent, _)) = rest.rsplit_once('/') {
            if !entries.contains_key(parent) {
                entries.insert(parent.to_owned(), Entry::folder(0));
            }
            rest = parent;
        }
    }
    entries
}

/// Writes a layer; every file in it has the same time.
///
/// # Errors
/// A path that no archive can hold.
pub fn write(entries: &Entries, time: u64) -> Result<Layer> {
    let mut archive = Builder::new(Vec::new());
    for (path, entry) in entries {
        let mut header = Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_uid(u64::from(entry.owner));
        header.set_gid(u64::from(entry.owner));
        header.set_mtime(time);
        let (kind, name, bytes) = match &entry.content {
            Content::Folder => (EntryType::Directory, format!("{path}/"), [].as_slice()),
            Content::File(bytes) => (EntryType::Regular, path.clone(), bytes.as_slice()),
        };
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        archive
            .append_data(&mut header, &name, bytes)
            .map_err(|cause| Error::failure(format!("put {name:?} into a layer: {cause}")))?;
    }
    let finished = archive.into_inner();
    let plain = finished.map_err(|cause| Error::failure(format!("write a layer: {cause}")))?;
    let bytes = compress(&plain)?;
    Ok(Layer {
        digest: Digest::of(&bytes),
        diff_id: Digest::of(&plain),
        bytes,
    })
}

/// gzip with no name, no time and no system in its header.
fn compress(plain: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::new(6));
    let written = writer.write_all(plain).and_then(|()| writer.finish());
    written.map_err(|cause| Error::failure(format!("compress a layer: {cause}")))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_layer_is_sorted_owned_and_the_same_each_time() {
        let long = format!("app/{}/ä b.py", "deep/".repeat(40).trim_end_matches('/'));
        let entries = Entries::from([
            (long.clone(), Entry::file(b"x = 1\n".to_vec())),
            ("app/bin/run".to_owned(), Entry::program(b"#!\n".to_vec())),
            ("data".to_owned(), Entry::folder(10001)),
        ]);
        let entries = with_parents(entries);
        let layer = write(&entries, FIXED_TIME).unwrap();
        assert_eq!(layer, write(&entries, FIXED_TIME).unwrap());
        let mut plain = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(layer.bytes.as_slice());
        reader.read_to_end(&mut plain).unwrap();
        assert_eq!(Digest::of(&plain), layer.diff_id);
        let mut archive = tar::Archive::new(plain.as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), FIXED_TIME);
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            seen.push((path, header.mode().unwrap(), header.uid().unwrap()));
        }
        assert_eq!(seen.first().unwrap().0, "app/");
        assert!(seen.contains(&(long, 0o644, 0)), "{seen:?}");
        assert!(seen.contains(&("app/bin/run".to_owned(), 0o755, 0)));
        assert_eq!(seen.last().unwrap(), &("data/".to_owned(), 0o755, 10001));
    }
}
