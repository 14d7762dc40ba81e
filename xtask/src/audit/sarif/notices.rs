//! What a SARIF log says beside its results: lock files left out, packages not checked, the
//! state of the databases. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::phrase::{self, name, sentence};
use super::super::report::{Report, Unchecked};
use crate::sarif::{literal, pascal, place};

/// The kinds of notifications, and what each says.
const KINDS: [(&str, &str); 6] = [
    (
        "database",
        "A database of advisories that was asked, or was not",
    ),
    ("left-out", "Results that did not fit into the log"),
    ("lock-file-note", "What the reader of a lock file noted"),
    ("lock-file-skipped", "A lock file that was not scanned"),
    (
        "package-not-checked",
        "Packages that no advisory can speak of",
    ),
    ("warning", "Something else to know"),
];

/// How many packages a notification names.
const NAMED: usize = 50;

/// The descriptions of the notifications.
pub fn descriptors() -> Value {
    let describe = |(id, says): &(&str, &str)| json!({ "id": id, "name": pascal(id), "shortDescription": { "text": says } });
    KINDS.iter().map(describe).collect()
}

/// The one invocation of a run, with its notifications.
pub fn invocation(report: &Report, left_out: usize) -> Value {
    let mut told = Vec::new();
    if left_out > 0 {
        let text = format!("{left_out} results do not fit into this log; the JSON has them all");
        told.push(notice("left-out", "warning", &text, None));
    }
    let mut locks: Vec<_> = report.locks.iter().collect();
    locks.sort_by_key(|lock| &lock.path);
    for lock in locks {
        if lock.skipped.is_some() {
            let text = format!("{}: {}", name(&lock.path), phrase::lock(lock));
            told.push(notice(
                "lock-file-skipped",
                "warning",
                &text,
                Some((&lock.path, 1)),
            ));
        }
        for note in &lock.notes {
            let text = format!("{}: {}", name(&lock.path), sentence(note));
            told.push(notice(
                "lock-file-note",
                "note",
                &text,
                Some((&lock.path, 1)),
            ));
        }
    }
    told.extend(unchecked(report));
    for text in &report.warnings {
        told.push(notice("warning", "warning", &sentence(text), None));
    }
    for text in phrase::databases(report) {
        told.push(notice("database", "note", &text, None));
    }
    for ecosystem in phrase::unasked(report) {
        let text = format!("no database of {ecosystem} was asked");
        told.push(notice("database", "warning", &text, None));
    }
    json!({ "executionSuccessful": true, "toolExecutionNotifications": told })
}

/// One notification for each lock file and reason, at the first of its packages.
fn unchecked(report: &Report) -> Vec<Value> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Unchecked>> = BTreeMap::new();
    for one in &report.unchecked {
        groups
            .entry((&one.lock, &one.reason))
            .or_default()
            .push(one);
    }
    let mut told = Vec::new();
    for ((lock, reason), mut packages) in groups {
        packages.sort_by_key(|one| (one.line, &one.package, &one.version));
        let named = |one: &&Unchecked| format!("{} {}", name(&one.package), name(&one.version));
        let mut names: Vec<String> = packages.iter().take(NAMED).map(named).collect();
        if packages.len() > NAMED {
            names.push(format!("… and {} more", packages.len() - NAMED));
        }
        let text = format!(
            "{} not checked ({}): {}",
            phrase::count(packages.len(), "package"),
            sentence(reason),
            names.join(", ")
        );
        let namesakes = packages.iter().filter(|one| !one.namesake.is_empty());
        told.extend(namesakes.map(|one| {
            let place = Some((lock, one.line));
            notice(
                "package-not-checked",
                "warning",
                &phrase::namesake(one),
                place,
            )
        }));
        let line = packages.first().map_or(1, |one| one.line);
        told.push(notice(
            "package-not-checked",
            "note",
            &text,
            Some((lock, line)),
        ));
    }
    told
}

fn notice(kind: &str, level: &str, text: &str, at: Option<(&str, usize)>) -> Value {
    let index = KINDS.iter().position(|(id, _)| *id == kind);
    let mut notice = json!({
        "descriptor": { "id": kind, "index": index },
        "level": level,
        "message": { "text": literal(&format!("{text}.")) },
    });
    if let Some((path, line)) = at {
        notice["locations"] = json!([{ "physicalLocation": place(path, line) }]);
    }
    notice
}
