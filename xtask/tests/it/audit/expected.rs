//! Findings on real lock files against findings that others computed independently.
//!
//! The lock files, advisories and expectations are not part of this repository; the test runs
//! where `XTASK_SHARED_DATA` names their folder, or where it lies beside the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::repository::{Ended, ended, workspace};

/// `package version` → ids of vulnerabilities, and id → kind of what only informs.
type Findings = BTreeMap<String, (BTreeSet<String>, BTreeMap<String, String>)>;

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test has no World"
)]
pub fn shared() -> Option<Utf8PathBuf> {
    let beside = workspace().join("../shared/data");
    let folder = std::env::var("XTASK_SHARED_DATA").map_or(beside, Utf8PathBuf::from);
    if !folder.join("expected").is_dir() {
        eprintln!("left out: XTASK_SHARED_DATA names no folder with locks and expectations");
        return None;
    }
    Some(folder)
}

pub fn audit(database: &Utf8Path, arguments: &[&str]) -> Ended {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tool is run as a user runs it"
    )]
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-xtask"));
    command
        .args(["audit", "--root", workspace().as_str(), "--format", "json"])
        .args(["--max-age", "36000 days"])
        .args(arguments)
        .env("XTASK_DATABASE_DIR", database);
    ended(&mut command)
}

fn read(path: &Utf8Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn texts(list: &Value) -> impl Iterator<Item = String> {
    let list = list.as_array().unwrap().iter();
    list.map(|text| text.as_str().unwrap().to_owned())
}

fn named(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap().to_owned();
    format!("{} {}", text("package"), text("version"))
}

fn expectations(path: &Utf8Path) -> Findings {
    let mut findings = Findings::new();
    for entry in read(path).as_array().unwrap() {
        let (ids, informing) = findings.entry(named(entry)).or_default();
        ids.extend(texts(&entry["ids"]));
        for (id, kind) in entry["informational"].as_object().into_iter().flatten() {
            informing.insert(id.clone(), kind.as_str().unwrap().to_owned());
        }
    }
    findings
}

fn found(report: &Value) -> Findings {
    let mut findings = Findings::new();
    for finding in report["findings"].as_array().unwrap() {
        let (ids, informing) = findings.entry(named(finding)).or_default();
        match finding["class"].as_str().unwrap() {
            "vulnerability" => ids.extend(texts(&finding["matched"])),
            class => {
                let matched = texts(&finding["matched"]);
                informing.extend(matched.map(|id| (id, class.to_owned())));
            }
        }
    }
    // An expectation with a source is about a package that is not from the registry: we list the
    // advisories of its namesake there, and do not claim that they concern it.
    for one in report["unchecked"].as_array().unwrap() {
        let ids: BTreeSet<String> = texts(&one["namesake"]).collect();
        if !ids.is_empty() {
            findings.entry(named(one)).or_default().0.extend(ids);
        }
    }
    findings
}

#[test]
fn every_real_lock_file_gives_exactly_what_is_expected() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let database = Utf8Path::from_path(folder.path()).unwrap();
    let (osv, own) = (shared.join("osv"), workspace().join("Cargo.lock"));
    let imported = audit(
        database,
        &["--update", "--database", osv.as_str(), own.as_str()],
    );
    assert!(matches!(imported.code, Some(0 | 6)), "{}", imported.stderr);
    let mut compared = 0;
    for entry in shared.join("expected").read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let name = entry.path().file_stem().unwrap();
        let lock = lock_of(&shared.join("locks").join(name));
        let audited = audit(database, &[lock.as_str()]);
        assert!(
            matches!(audited.code, Some(0 | 6)),
            "{name}: {}",
            audited.stderr
        );
        let report: Value = serde_json::from_str(&audited.stdout).unwrap();
        compare(name, &found(&report), &expectations(entry.path()));
        compared += 1;
    }
    assert!(compared >= 15, "only {compared} expectations");
}

/// Names the packages that differ, as a whole comparison would fill screens.
fn compare(name: &str, found: &Findings, expected: &Findings) {
    for package in found.keys().chain(expected.keys()) {
        let (found, expected) = (found.get(package), expected.get(package));
        assert_eq!(found, expected, "{name}: {package}");
    }
}

fn lock_of(folder: &Utf8Path) -> Utf8PathBuf {
    let names = [
        "Cargo.lock",
        "package-lock.json",
        "poetry.lock",
        "requirements.txt",
        "uv.lock",
    ];
    let paths = names.map(|name| folder.join(name));
    let mut there = paths.into_iter().filter(|path| path.is_file());
    there
        .next()
        .unwrap_or_else(|| panic!("{folder} holds no lock file"))
}
