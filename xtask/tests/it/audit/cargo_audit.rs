//! What cargo-audit finds in a Cargo.lock with the same advisories. Our own side of it runs
//! always, the comparison where cargo-audit is installed.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::expected::{audit, shared};
use super::rustsec::{self, Found};
use crate::repository::{ended, workspace};

/// Advisories in both forms.
struct Advisories {
    _folder: tempfile::TempDir,
    /// A checkout as cargo-audit wants it.
    checkout: Utf8PathBuf,
    /// Our own database.
    database: Utf8PathBuf,
}

/// `osv` is what we import, and `records` the same again.
fn advisories(osv: &Utf8Path, records: &[Value]) -> Advisories {
    let folder = tempfile::tempdir().unwrap();
    let place = Utf8Path::from_path(folder.path()).unwrap();
    let (checkout, database) = (place.join("advisory-db"), place.join("database"));
    rustsec::checkout(&checkout, records);
    let own = workspace().join("Cargo.lock");
    let imported = audit(
        &database,
        &["--update", "--database", osv.as_str(), own.as_str()],
    );
    assert!(matches!(imported.code, Some(0 | 6)), "{}", imported.stderr);
    Advisories {
        _folder: folder,
        checkout,
        database,
    }
}

fn ours(database: &Utf8Path, lock: &Utf8Path) -> Found {
    let ended = audit(database, &[lock.as_str()]);
    assert!(
        matches!(ended.code, Some(0 | 6)),
        "{lock}: {}",
        ended.stderr
    );
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    rustsec::found_by_us(&report)
}

/// What cargo-audit finds, or `None` with a word about it when there is no cargo-audit.
#[expect(clippy::disallowed_macros, reason = "the test runner shows it")]
fn theirs(checkout: &Utf8Path, lock: &Utf8Path) -> Option<Found> {
    let Some(cargo_audit) = rustsec::on_path("cargo-audit") else {
        eprintln!("left out: no cargo-audit on the path to compare with");
        return None;
    };
    let mut command = rustsec::command(&cargo_audit, checkout, lock);
    let ended = ended(command.arg("--json"));
    assert!(
        matches!(ended.code, Some(0 | 1)),
        "{lock}: {}",
        ended.stderr
    );
    Some(rustsec::found(
        &serde_json::from_str(&ended.stdout).unwrap(),
    ))
}

#[test]
fn real_advisories_give_the_same_on_real_lock_files() {
    let Some(shared) = shared() else { return };
    let archive = shared.join("osv/crates.io.zip");
    let advisories = advisories(&shared.join("osv"), &rustsec::records(&archive));
    let mut compared = 0;
    for folder in shared.join("locks").read_dir_utf8().unwrap() {
        let lock = folder.unwrap().path().join("Cargo.lock");
        if !lock.is_file() {
            continue;
        }
        let ours = ours(&advisories.database, &lock);
        assert!(!ours.is_empty(), "{lock}: nothing found");
        if let Some(theirs) = theirs(&advisories.checkout, &lock) {
            assert_eq!(ours, theirs, "{lock}");
        }
        compared += 1;
    }
    assert_eq!(compared, 4, "lock files of cargo");
}

#[test]
fn advisories_by_hand_give_the_same_on_our_own_lock_file() {
    let own = workspace().join("Cargo.lock");
    let text = std::fs::read_to_string(&own).unwrap();
    let (records, expected) = by_hand(&from_registry(&text));
    let folder = tempfile::tempdir().unwrap();
    let osv = Utf8Path::from_path(folder.path()).unwrap();
    for record in &records {
        let name = format!("{}.json", record["id"].as_str().unwrap());
        std::fs::write(osv.join(name), record.to_string()).unwrap();
    }
    let advisories = advisories(osv, &records);
    assert_eq!(ours(&advisories.database, &own), expected);
    if let Some(theirs) = theirs(&advisories.checkout, &own) {
        assert_eq!(theirs, expected);
    }
}

/// Names and versions of a Cargo.lock that are there once and are no members.
fn from_registry(lock: &str) -> Vec<(String, String)> {
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let name = |package: &toml::Value| package["name"].as_str().unwrap().to_owned();
    packages
        .iter()
        .filter(|package| package.get("source").is_some())
        .filter(|package| {
            let same = packages.iter().filter(|one| name(one) == name(package));
            same.count() == 1
        })
        .map(|package| (name(package), package["version"].as_str().unwrap().into()))
        .collect()
}

/// The forms an advisory may have for a package at the version `@`, and whether it is found.
const FORMS: [(&str, &str, bool); 16] = [
    (">=0", "vulnerability", true),
    (">=0", "unmaintained", true),
    (">=0", "unsound", true),
    (">=0", "notice", true),
    (">=0", "withdrawn", false),
    (">=@", "vulnerability", true),
    (">=0 <@", "vulnerability", false),
    (">=0.0.0-0 <@", "unsound", false),
    (">=0.0.0-0 <9999.0.0", "vulnerability", true),
    (">=@ <9999.0.0", "vulnerability", true),
    (">=@ <@", "vulnerability", false),
    (">=@ <@ >=9998.0.0 <9999.0.0", "vulnerability", false),
    (">=0.0.0-0 <0.0.0 >=@ <9999.0.0-rc.1", "vulnerability", true),
    (">=0.0.0-0 <0.0.0 >=9999.0.0-rc.1", "vulnerability", false),
    (">=0 <@-rc.1", "vulnerability", false),
    (">=@-rc.1 <@-rc.2", "vulnerability", false),
];

/// One advisory of each form, each for a package of its own, and what is to be found.
fn by_hand(packages: &[(String, String)]) -> (Vec<Value>, Found) {
    let packages = packages.iter().filter(|(_, version)| {
        // These forms say something of plain versions only.
        version.bytes().all(|b| b.is_ascii_digit() || b == b'.') && version != "0.0.0"
    });
    let (mut records, mut expected) = (Vec::new(), Found::new());
    for (index, ((events, kind, is_found), (name, version))) in
        FORMS.into_iter().zip(packages).enumerate()
    {
        let id = format!("RUSTSEC-2026-{:04}", 9000 + index);
        records.push(record(&id, name, kind, &events.replace('@', version)));
        if is_found {
            expected.insert((name.clone(), version.clone(), id, kind.to_owned()));
        }
    }
    assert_eq!(records.len(), FORMS.len(), "too few packages");
    (records, expected)
}

fn record(id: &str, package: &str, kind: &str, events: &str) -> Value {
    let events: Vec<Value> = events
        .split(' ')
        .map(|event| match event.strip_prefix(">=") {
            Some(introduced) => json!({ "introduced": introduced }),
            None => json!({ "fixed": event.trim_start_matches('<') }),
        })
        .collect();
    let informational = Some(kind).filter(|kind| !["vulnerability", "withdrawn"].contains(kind));
    let mut record = json!({
        "id": id,
        "modified": "2026-01-02T00:00:00Z",
        "published": "2026-01-02T00:00:00Z",
        "summary": "By hand",
        "affected": [{
            "package": { "ecosystem": "crates.io", "name": package },
            "ranges": [{ "type": "SEMVER", "events": events }],
            "database_specific": { "informational": informational },
        }],
    });
    if kind == "withdrawn" {
        record["withdrawn"] = json!("2026-01-03T00:00:00Z");
    }
    record
}
