use std::collections::BTreeMap;

use camino::Utf8Path;

use super::*;
use crate::advisory::test_data::{Random, advisory, provenance};
use crate::advisory::{Advisory, Provenance};
use crate::error::{Kind, Result};

fn packages() -> BTreeMap<String, Vec<Advisory>> {
    let one = |id, versions| advisory(Ecosystem::Pypi, id, "CVE-1 GHSA-1", versions);
    BTreeMap::from([
        ("a".to_owned(), vec![one("A-1", ">=0 <1")]),
        (
            "foo-bar".to_owned(),
            vec![one("A-2", ">=1 <=2"), one("A-3", "=1 =2")],
        ),
        ("z".to_owned(), vec![one("A-4", ">=0"), one("A-5", "")]),
    ])
}

fn bytes() -> Vec<u8> {
    write(&provenance(Ecosystem::Pypi), &packages()).unwrap()
}

fn open(bytes: Vec<u8>) -> Result<Index> {
    Index::of_bytes(bytes, Utf8Path::new("folder/PyPI.index"), Ecosystem::Pypi)
}

/// Puts the right length and checksum on bytes that were changed on purpose.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    bytes[16..24].copy_from_slice(&length);
    let checksum = crc32fast::hash(&bytes[CHECKED_FROM..]).to_le_bytes();
    bytes[CHECKSUM_AT..CHECKED_FROM].copy_from_slice(&checksum);
    bytes
}

#[test]
fn what_was_written_is_found() {
    let index = open(bytes()).unwrap();
    assert_eq!(index.provenance(), &provenance(Ecosystem::Pypi));
    assert_eq!(index.all().unwrap(), packages());
    for (name, advisories) in packages() {
        assert_eq!(index.lookup(&name).unwrap(), advisories, "{name}");
    }
    assert_eq!(index.lookup("Foo__BAR").unwrap().len(), 2);
    for name in ["", "aa", "foo", "foo-bar-", "zz", "0"] {
        assert_eq!(index.lookup(name).unwrap(), [], "{name}");
    }
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_file_is_found_by_its_ecosystem() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    std::fs::write(folder.join("PyPI.index"), bytes()).unwrap();
    std::fs::write(folder.join("npm.index"), bytes()).unwrap();
    let index = Index::open(folder, Ecosystem::Pypi).unwrap();
    assert_eq!(index.lookup("a").unwrap().len(), 1);
    let check = |ecosystem, expected: &str| {
        let error = Index::open(folder, ecosystem).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
        assert_eq!((error.kind, error.hints.len()), (Kind::Database, 1));
    };
    check(Ecosystem::CratesIo, "crates.io.index is missing");
    check(
        Ecosystem::Npm,
        "npm.index holds advisories for PyPI, not for npm",
    );
    std::fs::write(folder.join("npm.index"), "").unwrap();
    check(
        Ecosystem::Npm,
        "npm.index is cut off: 0 bytes of at least 32",
    );
    std::fs::remove_file(folder.join("npm.index")).unwrap();
    std::fs::create_dir(folder.join("npm.index")).unwrap();
    check(Ecosystem::Npm, "cannot read ");
}

#[test]
fn every_kind_of_damage_is_told_apart() {
    let check = |bytes: Vec<u8>, expected: &str| {
        let error = open(bytes).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.contains("folder/PyPI.index"), "{error}");
        assert_eq!((error.kind, error.hints.len()), (Kind::Database, 1));
    };
    let changed = |at: usize, value: u8| {
        let mut bytes = bytes();
        bytes[at] = value;
        bytes
    };
    check(
        b"PK\x03\x04 something else".to_vec(),
        "no index of advisories",
    );
    check(bytes()[..40].to_vec(), "is cut off: 40 bytes of");
    check(
        bytes()[..20].to_vec(),
        "is cut off: 20 bytes of at least 32",
    );
    check([bytes(), vec![0]].concat(), "is damaged");
    check(changed(8, 2), "is of format 2; this tool reads format 1");
    check(changed(13, 0x5a), "its checksum is");
    check(changed(60, 0x5a), "its checksum is");
    check(sealed(changed(24, 0xff)), "its parts do not fit");
    check(sealed(changed(31, 0xff)), "its parts do not fit");
    let nothing = Provenance {
        records: 0,
        ..provenance(Ecosystem::Pypi)
    };
    check(write(&nothing, &packages()).unwrap(), "is empty");
    let none = write(&provenance(Ecosystem::Pypi), &BTreeMap::new()).unwrap();
    check(none, "is empty");
}

#[test]
fn every_cut_and_every_changed_byte_is_noticed() {
    let whole = bytes();
    for length in 0..whole.len() {
        assert!(open(whole[..length].to_vec()).is_err(), "{length}");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert!(open(bytes).is_err(), "byte {at}");
    }
}

#[test]
fn an_index_made_to_hurt_is_an_error_or_an_answer_and_never_a_panic() {
    let mut random = Random(3);
    let whole = bytes();
    for _ in 0..4000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(4) {
            let at = CHECKED_FROM + random.below(bytes.len() - CHECKED_FROM);
            bytes[at] = random.next() as u8;
        }
        if let Ok(index) = open(sealed(bytes)) {
            for name in ["a", "foo-bar", "z", "zz"] {
                let _ = index.lookup(name);
            }
            let _ = index.all();
        }
    }
}
