//! From archives or folders of records to indexes.
//!
//! An archive is what OSV publishes for an ecosystem: a zip of `ID.json`. It is read as if a
//! stranger had made it: every entry is inflated with a bound and in memory, one at a time, and
//! nothing is unpacked onto the disk. A record that cannot be read stops the import; it is never
//! passed over.

pub mod archive;

use std::fs::File;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::collection::{AsOf, Collection, Made, Source};
use crate::error::{Context, Error, Result};

/// The largest record: OSV's largest ones have some megabytes.
const LARGEST_RECORD: u64 = 16 << 20;
/// How deep below the given folder records are looked for.
const DEEPEST_FOLDER: usize = 8;

/// What was imported.
#[derive(Debug)]
pub struct Import {
    /// One index for each ecosystem of which there are advisories.
    pub indexes: Vec<Made>,
    /// How many files or entries were left unread because they are no `ID.json`: other
    /// archives inside of one, for instance.
    pub ignored: u64,
}

/// Imports a zip of records, or a folder with such archives or with records, also in folders
/// below it. They are as old as the newest of them that was not changed after `now`.
///
/// # Errors
/// There is nothing of that name, no advisory of our ecosystems in it, a record that cannot be
/// read, or more than a sound archive would hold.
pub fn import(source: &Utf8Path, now: Timestamp) -> Result<Import> {
    let (collection, ignored) = if source.is_dir() {
        folder(source)?
    } else if source.is_file() {
        archive::read(source)?
    } else if source.exists() {
        let problem = "a pipe or a device, which cannot be searched as an archive must be";
        return Err(Error::database(format!("{source} is {problem}"))
            .hint("name a zip of OSV records, or a folder with such archives or records"));
    } else {
        return Err(Error::database(format!("{source} is missing"))
            .hint("name a zip of OSV records, or a folder with such archives or records"));
    };
    let indexes = collection.indexes(AsOf::Newest(now))?;
    if indexes.is_empty() {
        return Err(Error::database(format!(
            "{source} is empty: it holds no advisory for PyPI, npm or crates.io"
        ))
        .hint("name a zip of OSV records, or a folder with such archives or records"));
    }
    Ok(Import { indexes, ignored })
}

fn folder(folder: &Utf8Path) -> Result<(Collection, u64)> {
    let mut files = Files::default();
    list(folder, 0, &mut files)?;
    let (mut collection, mut ignored) = (Collection::default(), files.ignored);
    for path in &files.archives {
        let (archive, unread) = archive::read(path)?;
        collection.merge(archive);
        ignored += unread;
    }
    if !files.records.is_empty() {
        collection.merge(records(folder, &files.records)?);
    }
    Ok((collection, ignored))
}

/// The files of a folder, sorted.
#[derive(Default)]
struct Files {
    archives: Vec<Utf8PathBuf>,
    records: Vec<Utf8PathBuf>,
    ignored: u64,
}

/// Archives count in the folder itself, records also below it. Links to folders are not
/// followed: they may lead in circles.
fn list(folder: &Utf8Path, depth: usize, files: &mut Files) -> Result<()> {
    let doing = || format!("list {folder}");
    let mut paths = Vec::new();
    for entry in folder.read_dir_utf8().doing(doing)? {
        let entry = entry.doing(doing)?;
        paths.push((entry.into_path(), depth));
    }
    paths.sort();
    for (path, _) in paths {
        let found = path.symlink_metadata().doing(|| format!("read {path}"))?;
        if found.is_dir() && depth < DEEPEST_FOLDER {
            list(&path, depth + 1, files)?;
        } else if !path.is_file() {
            files.ignored += 1;
        } else if has_extension(path.as_str(), ".json") {
            files.records.push(path);
        } else if depth == 0 && has_extension(path.as_str(), ".zip") {
            files.archives.push(path);
        } else {
            files.ignored += 1;
        }
    }
    Ok(())
}

fn has_extension(name: &str, extension: &str) -> bool {
    let start = name.len().saturating_sub(extension.len());
    name.get(start..)
        .is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

fn records(folder: &Utf8Path, paths: &[Utf8PathBuf]) -> Result<Collection> {
    let mut collection = Collection::default();
    let mut digest = Sha256::new();
    let mut json = Vec::new();
    for path in paths {
        let file = File::open(path).doing(|| format!("read {path}"))?;
        json.clear();
        read_bounded(file, &mut json).map_err(|cause| unreadable(path.as_str(), &cause))?;
        collection.add(&json, path.as_str())?;
        let name = path.strip_prefix(folder).unwrap_or(path);
        digest.update(format!("{name}\0{}\0", json.len()));
        digest.update(&json);
    }
    Ok(collection.from_source(Source {
        name: name(folder),
        digest: shown(digest),
    }))
}

/// Reads to the end, or until it is certain that this is no record.
fn read_bounded(reader: impl Read, into: &mut Vec<u8>) -> std::io::Result<()> {
    reader.take(LARGEST_RECORD + 1).read_to_end(into)?;
    match into.len() as u64 > LARGEST_RECORD {
        true => Err(std::io::Error::other(format!(
            "a record of more than {} MiB",
            LARGEST_RECORD >> 20
        ))),
        false => Ok(()),
    }
}

/// The name that a report gives a source: not where it lay on this machine.
fn name(path: &Utf8Path) -> String {
    path.file_name().unwrap_or(path.as_str()).to_owned()
}

fn shown(digest: Sha256) -> String {
    let digits = digest.finalize();
    let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

fn unreadable(place: &str, cause: &dyn std::fmt::Display) -> Error {
    Error::database(format!("{place}: {cause}")).hint("fetch the advisories again")
}

#[cfg(test)]
mod tests;
