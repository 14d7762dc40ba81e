//! Reads one archive of records, several entries at a time.

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::{has_extension, name, read_bounded, shown, unreadable};
use crate::advisory::collection::{Collection, Source};
use crate::advisory::record;
use crate::error::{Context, Result};

/// Together the entries may be this many times as large as the archive, and some more so that
/// small ones are let in. Records of prose shrink to a third, those of long lists to a twentieth;
/// what is made to hurt shrinks to a thousandth.
const LARGEST_RATIO: u64 = 200;
const ALWAYS_ALLOWED: u64 = 64 << 20;
/// Ten times as many as all ecosystems have together.
const MOST_ENTRIES: usize = 10_000_000;
/// More readers would only wait for each other.
const MOST_READERS: usize = 4;

/// All records of an archive, and how many entries are none.
pub fn read(path: &Utf8Path) -> Result<(Collection, u64)> {
    let archive = open(path)?;
    let size = path.metadata().doing(|| format!("read {path}"))?.len();
    let reading = Reading {
        path,
        left: AtomicU64::new(
            size.saturating_mul(LARGEST_RATIO)
                .saturating_add(ALWAYS_ALLOWED),
        ),
    };
    let count = archive.len();
    drop(archive);
    let readers = std::thread::available_parallelism().map_or(1, usize::from);
    let readers = readers.clamp(1, MOST_READERS);
    let share = count.div_ceil(readers).max(1);
    let (digest, parts) = std::thread::scope(|scope| {
        let reading = &reading;
        let workers: Vec<_> = (0..count)
            .step_by(share)
            .map(|start| scope.spawn(move || reading.part(start..count.min(start + share))))
            .collect();
        let digest = digest(path);
        let parts: Vec<_> = workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect();
        (digest, parts)
    });
    let (mut all, mut ignored) = (Collection::default(), 0);
    for part in parts {
        let (collection, unread) = part?;
        all.merge(collection);
        ignored += unread;
    }
    let source = Source {
        name: name(path),
        digest: digest?,
    };
    Ok((all.from_source(source), ignored))
}

fn open(path: &Utf8Path) -> Result<ZipArchive<BufReader<File>>> {
    let file = File::open(path).doing(|| format!("read {path}"))?;
    let archive = ZipArchive::new(BufReader::new(file))
        .map_err(|cause| unreadable(path.as_str(), &format!("no zip archive: {cause}")))?;
    if archive.has_duplicate_names() {
        let cause = "two of its entries have the same name";
        return Err(unreadable(path.as_str(), &cause));
    }
    if archive.len() > MOST_ENTRIES {
        let cause = format!("{} entries, more than {MOST_ENTRIES}", archive.len());
        return Err(unreadable(path.as_str(), &cause));
    }
    Ok(archive)
}

fn digest(path: &Utf8Path) -> Result<String> {
    let doing = || format!("read {path}");
    let mut file = File::open(path).doing(doing)?;
    let (mut digest, mut chunk) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut chunk).doing(doing)? {
            0 => return Ok(shown(digest)),
            length => digest.update(chunk.get(..length).unwrap_or_default()),
        }
    }
}

struct Reading<'path> {
    path: &'path Utf8Path,
    /// How many bytes the entries may still have, once inflated.
    left: AtomicU64,
}

impl Reading<'_> {
    fn part(&self, entries: Range<usize>) -> Result<(Collection, u64)> {
        let mut archive = open(self.path)?;
        let (mut collection, mut ignored) = (Collection::default(), 0);
        let mut json = Vec::new();
        for index in entries {
            match self.entry(&mut archive, index, &mut json)? {
                Entry::Record(place) => collection.add(&json, &place)?,
                Entry::Folder => {}
                Entry::Other => ignored += 1,
            }
        }
        Ok((collection, ignored))
    }

    fn entry(
        &self,
        archive: &mut ZipArchive<BufReader<File>>,
        index: usize,
        json: &mut Vec<u8>,
    ) -> Result<Entry> {
        let nameless = |cause| unreadable(&format!("{}: entry {index}", self.path), &cause);
        let entry_name = archive
            .name_for_index(index)
            .transpose()
            .map_err(nameless)?;
        let entry_name = entry_name.unwrap_or_default().into_owned();
        if entry_name.ends_with('/') {
            return Ok(Entry::Folder);
        }
        if !has_extension(&entry_name, ".json") {
            return Ok(Entry::Other);
        }
        let place = format!("{}: {}", self.path, record::shown(&entry_name));
        let entry = archive
            .by_index(index)
            .map_err(|cause| unreadable(&place, &cause))?;
        json.clear();
        read_bounded(entry, json).map_err(|cause| unreadable(&place, &cause))?;
        let length = json.len() as u64;
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(length)
            })
            .map_err(|_| {
                let cause = format!(
                    "the entries up to here are more than {LARGEST_RATIO} times as large as the \
                     archive"
                );
                unreadable(&place, &cause)
            })?;
        Ok(Entry::Record(place))
    }
}

enum Entry {
    /// Its text is read; its place names it in errors.
    Record(String),
    Folder,
    Other,
}
