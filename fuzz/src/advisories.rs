//! What comes from OSV, and what is kept of it.

use std::collections::BTreeMap;

use camino::Utf8Path;
use xtask::advisory::collection::{AsOf, Collection};
use xtask::advisory::import::archive as zipped;
use xtask::advisory::index::{Index, file_name, write};
use xtask::advisory::live::{Found, first_pages};
use xtask::advisory::sync::{Change, FORM, Held, Holding, Status, change, is_id, read_listing};
use xtask::advisory::{Advisory, High, interval, record as osv};
use xtask::lockfile::Ecosystem;

use super::files::{Files, check_error};

/// A record: an error with its name, or advisories whose intervals are disjoint and in order,
/// and that an index gives back as they are.
pub fn record(bytes: &[u8]) {
    let record = match osv::read(bytes, "A-1.json") {
        Ok(record) => record,
        Err(error) => return check_error(&error, "A-1.json"),
    };
    for (_, _, advisory) in &record.advisories {
        check_intervals(advisory);
    }
    let mut collection = Collection::default();
    collection
        .add(bytes, "A-1.json")
        .expect("it was read before");
    let made = collection.indexes(AsOf::Newest(record.modified));
    for one in made.expect("one record fits into an index") {
        let path = file_name(one.ecosystem);
        let index = Index::of_bytes(one.bytes, Utf8Path::new(&path), one.ecosystem);
        let index = index.expect("what was written can be opened");
        for (ecosystem, name, advisory) in &record.advisories {
            if *ecosystem == one.ecosystem {
                let found = index.lookup(name).expect("what was written can be read");
                assert_eq!(found, std::slice::from_ref(advisory), "{name}");
            }
        }
    }
}

/// Intervals are disjoint, in order and not empty.
pub fn check_intervals(advisory: &Advisory) {
    let united = interval::union(advisory.affected.clone());
    assert_eq!(united, advisory.affected, "not disjoint or not in order");
    for one in &advisory.affected {
        let is_sound = match &one.high {
            High::Open => true,
            High::Below { key, .. } => one.low < *key,
            High::Through(key) => one.low <= *key,
        };
        assert!(is_sound, "an empty interval: {one:?}");
    }
}

/// An index: as it is, and with a header that fits, so that what is behind the checksum is tried.
pub fn index(bytes: &[u8]) {
    for ecosystem in Ecosystem::ALL {
        open(bytes.to_vec(), ecosystem);
        open(with_header(bytes), ecosystem);
    }
}

fn open(bytes: Vec<u8>, ecosystem: Ecosystem) {
    let index = match Index::of_bytes(bytes, Utf8Path::new("some.index"), ecosystem) {
        Ok(index) => index,
        Err(error) => return check_error(&error, "some.index"),
    };
    for name in ["a", "left-pad", "no such package"] {
        if let Err(error) = index.lookup(name) {
            check_error(&error, "some.index");
        }
    }
    let all: BTreeMap<String, Vec<Advisory>> = match index.all() {
        Ok(all) => all,
        Err(error) => return check_error(&error, "some.index"),
    };
    // Keys of a foreign hand may be in any order; nobody may fall over them.
    let key = xtask::advisory::order::key(ecosystem, "1.0.0");
    for advisory in all.values().flatten() {
        interval::contains(&advisory.affected, &key);
    }
    write(index.provenance(), &all).expect("what was read can be written");
}

/// The bytes with the magic, the format, the checksum and the length that they must have.
fn with_header(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = (bytes.len() as u64).to_le_bytes();
    if let Some(head) = bytes.get_mut(..12) {
        head.copy_from_slice(b"XTASKADV\x01\0\0\0");
    }
    if let Some(field) = bytes.get_mut(16..24) {
        field.copy_from_slice(&length);
    }
    let checksum = bytes.get(16..).map(crc32fast::hash);
    if let (Some(checksum), Some(field)) = (checksum, bytes.get_mut(12..16)) {
        field.copy_from_slice(&checksum.to_le_bytes());
    }
    bytes
}

/// The lists of when records were changed, an old one and a new one: what is fetched is in the
/// new one, what is removed is only in the old one.
pub fn listing(bytes: &[u8]) {
    let Some(files) = Files::of(bytes) else {
        return;
    };
    let listing = match read_listing(files.first().as_bytes(), "modified_id.csv") {
        Ok(listing) => listing,
        Err(error) => return check_error(&error, "modified_id.csv"),
    };
    assert!(listing.0.keys().all(|id| is_id(id)), "an id that is none");
    let old = files.get("old").unwrap_or_default();
    let Ok(old) = read_listing(old.as_bytes(), "old") else {
        return;
    };
    let held = |stamp| Held {
        stamp,
        status: Status::Held,
        unparsable: 0,
    };
    let holding = Holding {
        schema: FORM,
        source: String::new(),
        digest: String::new(),
        etag: None,
        records: old
            .0
            .into_iter()
            .map(|(id, stamp)| (id, held(stamp)))
            .collect(),
    };
    let Change::Some { fetch, remove } = change(&holding, &listing, usize::MAX) else {
        let same = holding.records.keys().eq(listing.0.keys());
        return assert!(same, "no change between two lists that differ");
    };
    assert!(fetch.iter().all(|id| listing.0.contains_key(id)));
    assert!(remove.iter().all(|id| !listing.0.contains_key(id)));
}

/// An answer of OSV's interface: the first byte says to how many queries.
pub fn live(bytes: &[u8]) {
    let Some((count, answer)) = bytes.split_first() else {
        return;
    };
    let queries = usize::from(count % 8);
    let mut found = Found::default();
    match found.take(answer, &first_pages(queries), "https://osv.example") {
        Err(error) => check_error(&error, "https://osv.example"),
        Ok(next) => {
            assert!(
                next.iter()
                    .all(|page| page.query < queries && page.number == 1)
            );
            let mut hits = found.0.iter();
            assert!(
                hits.all(|(id, hit)| is_id(id) && hit.queries.iter().all(|&one| one < queries))
            );
        }
    }
}

/// An archive of records, as a file: nothing of it is passed over in silence.
pub fn archive(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for the archive");
    let path = Utf8Path::from_path(folder.path())
        .expect("a path in UTF-8")
        .join("all.zip");
    std::fs::write(&path, bytes).expect("the archive is written");
    match zipped::read(&path) {
        Err(error) => check_error(&error, "all.zip"),
        Ok((collection, _)) => {
            let made = collection.indexes(AsOf::Newest(
                "2026-01-01T00:00:00Z".parse().expect("a date"),
            ));
            made.expect("a small archive fits into an index");
        }
    }
}
