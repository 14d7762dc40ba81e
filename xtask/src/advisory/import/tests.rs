use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use zip::write::SimpleFileOptions;

use super::*;
use crate::advisory::index::Index;
use crate::advisory::test_data::{record, shared};
use crate::advisory::{Class, matching, order};
use crate::error::Kind;
use crate::lockfile::Ecosystem;

/// As [`super::import`], at some time after all records but those of the future.
fn import(source: &Utf8Path) -> Result<Import> {
    super::import(source, "2026-11-20T00:00:00Z".parse().unwrap())
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A folder with these files; it goes away with the first value.
fn folder_of(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().to_owned();
    for (name, content) in files {
        let file = path.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    (folder, path)
}

fn python(id: &str) -> Vec<u8> {
    record(id, "2026-01-01", Ecosystem::Pypi, "a", "").into_bytes()
}

#[test]
fn archives_and_folders_are_imported() {
    let check = |files: &[(&str, &[u8])], source: &str, records: u64, from: &str, ignored: u64| {
        let (_keep, folder) = folder_of(files);
        let import = import(&folder.join(source)).unwrap();
        let [made] = &import.indexes[..] else {
            panic!("{import:?}");
        };
        let provenance = &made.provenance;
        assert_eq!(
            (provenance.records, import.ignored),
            (records, ignored),
            "{files:?}"
        );
        assert_eq!(provenance.source, from);
        assert_eq!(provenance.digest.len(), 71);
    };
    let (one, two, npm) = (python("A-1"), python("A-2"), python("A-3"));
    let archive = zip(&[("A-1.json", &one), ("deep/er/A-2.JSON", &two)]);
    check(&[("PyPI.zip", &archive)], "PyPI.zip", 2, "PyPI.zip", 0);
    check(&[("f/PyPI.zip", &archive)], "f", 2, "PyPI.zip", 0);
    check(
        &[
            ("f/a.zip", &archive),
            ("f/b.zip", &zip(&[("A-3.json", &npm)])),
            ("f/README", b"x"),
        ],
        "f",
        3,
        "a.zip, b.zip",
        1,
    );
    check(
        &[("f/A-1.json", &one), ("f/g/h/A-2.json", &two)],
        "f",
        2,
        "f",
        0,
    );
    check(
        &[("f/A-1.json", &one), ("f/g/not-read.zip", b"x")],
        "f",
        1,
        "f",
        1,
    );
    let nested = zip(&[
        ("A-1.json", &one),
        ("inner.zip", &archive),
        ("LICENSE", b"MIT"),
    ]);
    check(&[("x.zip", &nested)], "x.zip", 1, "x.zip", 2);
}

#[test]
fn the_digest_is_that_of_the_file() {
    let archive = zip(&[("A-1.json", &python("A-1"))]);
    let (_keep, folder) = folder_of(&[("PyPI.zip", &archive)]);
    let import = import(&folder.join("PyPI.zip")).unwrap();
    let expected = crate::artifact::Digest::of(&archive).to_string();
    assert_eq!(import.indexes[0].provenance.digest, expected);
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let check = |name: &str, content: &[u8], expected: &[&str]| {
        let (_keep, folder) = folder_of(&[(name, content)]);
        let top = name.split('/').next().unwrap();
        let error = import(&folder.join(top)).unwrap_err();
        for part in expected {
            assert!(error.message.contains(part), "{error}");
        }
        assert_eq!(error.kind, Kind::Database, "{error}");
        assert!(!error.hints.is_empty(), "{error}");
    };
    let one = python("A-1");
    check(
        "x.zip",
        &zip(&[("A-1.json", &one), ("B.json", b"{")]),
        &["x.zip: B.json: not an OSV"],
    );
    check(
        "f/B.json",
        b"{\"id\": 1}",
        &["f/B.json: not an OSV record: invalid type"],
    );
    check("x.zip", &zip(&[]), &["x.zip is empty"]);
    check("x.zip", &zip(&[("README", b"x")]), &["x.zip is empty"]);
    let debian = record("A", "2026-01-01", Ecosystem::Pypi, "a", "").replace("PyPI", "Debian");
    check(
        "x.zip",
        &zip(&[("A.json", debian.as_bytes())]),
        &["x.zip is empty"],
    );
    check("f/none.txt", b"", &["f is empty"]);
    check("x.zip", b"", &["x.zip: no zip archive"]);
    check("x.zip", b"not a zip", &["x.zip: no zip archive"]);
    let whole = zip(&[("A-1.json", &one)]);
    check(
        "x.zip",
        &whole[..whole.len() - 5],
        &["x.zip: no zip archive"],
    );
    let mut changed = whole.clone();
    changed[60] ^= 0xff;
    check("x.zip", &changed, &["x.zip: A-1.json: "]);
    let control = zip(&[("A\x1b[2J.json", b"")]);
    check("x.zip", &control, &["x.zip: A [2J.json: not an OSV record"]);
    let (_keep, folder) = folder_of(&[]);
    let error = import(&folder.join("nothing.zip")).unwrap_err();
    assert!(error.message.ends_with("nothing.zip is missing"), "{error}");
}

#[test]
fn bombs_are_refused() {
    let check = |entries: &[(&str, &[u8])], expected: &str| {
        let (_keep, folder) = folder_of(&[("x.zip", &zip(entries))]);
        let error = import(&folder.join("x.zip")).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
        assert_eq!(error.kind, Kind::Database);
    };
    let large = vec![b' '; (LARGEST_RECORD + 1) as usize];
    check(
        &[("A.json", &large)],
        "A.json: a record of more than 16 MiB",
    );
    // Each is small enough, but together they are not.
    let mut padded = python("A-1");
    padded.resize(LARGEST_RECORD as usize, b' ');
    let names: Vec<String> = (0..6).map(|number| format!("{number}.json")).collect();
    let entries: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &padded[..])).collect();
    check(&entries, "more than 200 times as large as the archive");
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let mut bytes = zip(&[("A-1.json", &python("A-1")), ("A-2.json", &python("A-2"))]);
    while let Some(at) = bytes.windows(8).position(|window| window == b"A-2.json") {
        bytes[at + 2] = b'1';
    }
    let (_keep, folder) = folder_of(&[("x.zip", &bytes)]);
    let error = import(&folder.join("x.zip")).unwrap_err();
    assert!(error.message.contains("the same name"), "{error}");
}

#[test]
fn a_record_in_a_folder_is_bounded_too() {
    let large = vec![b' '; (LARGEST_RECORD + 1) as usize];
    let (_keep, folder) = folder_of(&[("f/A.json", &large)]);
    let error = import(&folder.join("f")).unwrap_err();
    assert!(
        error
            .message
            .contains("f/A.json: a record of more than 16 MiB"),
        "{error}"
    );
}

/// The ids of vulnerabilities, and of other statements with their class.
type Hits = (BTreeSet<String>, BTreeMap<String, String>);

fn hits(index: &Index, package: &str, version: &str) -> Hits {
    let key = order::key(index.ecosystem(), version);
    let (mut ids, mut others) = Hits::default();
    for advisory in index.lookup(package).unwrap() {
        if matching::affects(&advisory, &key) {
            match advisory.class {
                Class::Vulnerability | Class::Malware => {
                    ids.insert(advisory.id);
                }
                class => {
                    let word = serde_json::to_value(class).unwrap();
                    others.insert(advisory.id, word.as_str().unwrap().to_owned());
                }
            }
        }
    }
    (ids, others)
}

#[test]
fn real_advisories_hit_what_independent_tools_found() {
    let Some(shared) = shared() else { return };
    let import = import(&shared.join("osv")).unwrap();
    let counts: Vec<(&str, u64, u64, u64)> = import
        .indexes
        .iter()
        .map(|made| &made.provenance)
        .map(|p| {
            (
                p.ecosystem.as_str(),
                p.records + p.withdrawn,
                p.withdrawn,
                p.foreign,
            )
        })
        .collect();
    let expected = [
        ("PyPI", 7080, 269, 0),
        ("npm", 467, 0, 0),
        ("crates.io", 1206, 13, 0),
    ];
    let date = |index: usize| import.indexes[index].provenance.date.as_str();
    assert!(date(0).starts_with("2026-07-23T"), "{}", date(0));
    assert_eq!((counts.as_slice(), import.ignored), (&expected[..], 0));
    let indexes: BTreeMap<Ecosystem, Index> = import
        .indexes
        .into_iter()
        .map(|made| {
            let path = Utf8Path::new("memory");
            (
                made.ecosystem,
                Index::of_bytes(made.bytes, path, made.ecosystem).unwrap(),
            )
        })
        .collect();
    let mut pairs = 0;
    for file in shared.join("expected").read_dir_utf8().unwrap() {
        let path = file.unwrap().into_path();
        let ecosystem = match path.file_name().unwrap().split('-').next().unwrap() {
            "cargo" => Ecosystem::CratesIo,
            "npm" => Ecosystem::Npm,
            _ => Ecosystem::Pypi,
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        for entry in list.as_array().unwrap() {
            let text = |field: &str| entry[field].as_str().unwrap();
            let ids = serde_json::from_value(entry["ids"].clone()).unwrap();
            let others = entry.get("informational").cloned();
            let others = others
                .map(|o| serde_json::from_value(o).unwrap())
                .unwrap_or_default();
            let (package, version) = (text("package"), text("version"));
            let found = hits(&indexes[&ecosystem], package, version);
            assert_eq!(found, (ids, others), "{path}: {package} {version}");
            pairs += 1;
        }
    }
    assert!(pairs > 300, "{pairs}");
}
