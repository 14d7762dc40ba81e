//! Advisories in OSV form as a checkout of RustSec's database, so that cargo-audit can be asked
//! about the very advisories that we have; and what it then finds.

use std::collections::BTreeSet;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use toml_edit::{Array, DocumentMut, Item, Table, value};

/// What is found: package, version, id, and what the advisory says, such as `unsound`.
pub type Found = BTreeSet<(String, String, String, String)>;

/// A program, when it is on the path: `cargo-audit`.
pub fn on_path(name: &str) -> Option<Utf8PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let places = std::env::split_paths(&path).map(|folder| folder.join(&name));
    let mut found = places.filter(|place| place.is_file());
    Utf8PathBuf::from_path_buf(found.next()?).ok()
}

/// Asks cargo-audit about a lock file: no network, no look at what is yanked.
#[expect(
    clippy::disallowed_methods,
    reason = "it is started as a user starts it"
)]
pub fn command(cargo_audit: &Utf8Path, database: &Utf8Path, lock: &Utf8Path) -> Command {
    let mut command = Command::new(cargo_audit);
    command
        .args(["audit", "--no-fetch", "--stale", "--no-yanked"])
        .args(["--db", database.as_str(), "--file", lock.as_str()])
        // Its settings are looked for in the current folder.
        .current_dir(database);
    command
}

/// What cargo-audit says as JSON.
pub fn found(report: &Value) -> Found {
    let warnings = report["warnings"].as_object().into_iter().flatten();
    let lists = warnings.map(|(_, list)| list);
    let lists = lists.chain([&report["vulnerabilities"]["list"]]);
    let entries = lists.flat_map(|list| list.as_array().into_iter().flatten());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries
        .map(|entry| {
            let kind = entry["advisory"]["informational"].as_str();
            (
                text(&entry["package"]["name"]),
                text(&entry["package"]["version"]),
                text(&entry["advisory"]["id"]),
                kind.unwrap_or("vulnerability").to_owned(),
            )
        })
        .collect()
}

/// What our own report says as JSON.
pub fn found_by_us(report: &Value) -> Found {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found = Found::new();
    for finding in report["findings"].as_array().unwrap() {
        for id in finding["matched"].as_array().unwrap() {
            found.insert((
                text(&finding["package"]),
                text(&finding["version"]),
                text(id),
                text(&finding["class"]),
            ));
        }
    }
    found
}

/// Every record of an archive of OSV.
pub fn records(archive: &Utf8Path) -> Vec<Value> {
    let file = std::fs::File::open(archive).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    (0..archive.len())
        .map(|index| serde_json::from_reader(archive.by_index(index).unwrap()).unwrap())
        .collect()
}

/// Writes records as advisories of RustSec into a git repository with one commit.
pub fn checkout(folder: &Utf8Path, records: &[Value]) {
    for record in records {
        for affected in record["affected"].as_array().unwrap() {
            let package = affected["package"]["name"].as_str().unwrap();
            let place = folder.join("crates").join(package);
            std::fs::create_dir_all(&place).unwrap();
            let name = format!("{}.md", record["id"].as_str().unwrap());
            std::fs::write(place.join(name), document(record, affected)).unwrap();
        }
    }
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "--all"]);
    git(
        folder,
        &["commit", "--quiet", "--message", "Add advisories"],
    );
}

#[expect(clippy::disallowed_methods, reason = "there is no World here")]
fn git(folder: &Utf8Path, arguments: &[&str]) {
    let ended = Command::new("git")
        .args(["-C", folder.as_str(), "-c", "gc.auto=0"])
        .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
        .args(["-c", "commit.gpgsign=false"])
        .args(arguments)
        .status()
        .unwrap();
    assert!(ended.success(), "git {arguments:?}");
}

/// An advisory as RustSec writes it: a table of facts, a title, a text.
fn document(record: &Value, affected: &Value) -> String {
    let mut advisory = Table::new();
    let mut set = |key: &str, text: Option<&str>| {
        if let Some(text) = text {
            advisory[key] = value(text);
        }
    };
    let day = |key: &str| record[key].as_str().and_then(|date| date.get(..10));
    set("id", record["id"].as_str());
    set("package", affected["package"]["name"].as_str());
    set("date", day("published").or(day("modified")));
    set("withdrawn", day("withdrawn"));
    let specific = &affected["database_specific"];
    set("informational", specific["informational"].as_str());
    set("cvss", record["severity"][0]["score"].as_str());
    let aliases = record["aliases"].as_array().into_iter().flatten();
    advisory["aliases"] = value(aliases.filter_map(Value::as_str).collect::<Array>());
    let mut document = DocumentMut::new();
    document["advisory"] = Item::Table(advisory);
    document["versions"] = Item::Table(versions(affected));
    let title = record["summary"].as_str().unwrap_or("Nothing is said");
    format!("```toml\n{document}```\n\n# {title}\n\nA text.\n")
}

/// RustSec says what is not affected, OSV what is: the gaps between the intervals.
fn versions(affected: &Value) -> Table {
    let mut patched = Array::new();
    let mut unaffected = Array::new();
    let intervals = intervals(affected);
    // Without a word RustSec takes every version for affected.
    let mut clean_from = intervals.is_empty().then(|| "0.0.0-0".to_owned());
    for (introduced, fixed) in intervals {
        match (introduced.as_str(), clean_from.take()) {
            ("0" | "0.0.0-0", _) => {}
            (introduced, None) => unaffected.push(format!("< {introduced}")),
            (introduced, Some(from)) => patched.push(format!(">= {from}, < {introduced}")),
        }
        clean_from = fixed;
    }
    if let Some(from) = clean_from {
        patched.push(format!(">= {from}"));
    }
    let mut versions = Table::new();
    versions["patched"] = value(patched);
    versions["unaffected"] = value(unaffected);
    versions
}

/// From where on and up to where it is affected, without what is empty. The events of these
/// records are in order.
fn intervals(affected: &Value) -> Vec<(String, Option<String>)> {
    let mut intervals = Vec::new();
    let mut open: Option<String> = None;
    let ranges = affected["ranges"].as_array().into_iter().flatten();
    let events = ranges.flat_map(|range| range["events"].as_array().unwrap());
    for event in events {
        if let Some(introduced) = event["introduced"].as_str() {
            open.get_or_insert_with(|| introduced.to_owned());
        } else if let Some(fixed) = event["fixed"].as_str() {
            let from = open.take().filter(|from| from != fixed);
            intervals.extend(from.map(|from| (from, Some(fixed.to_owned()))));
        }
    }
    intervals.extend(open.map(|from| (from, None)));
    intervals
}
