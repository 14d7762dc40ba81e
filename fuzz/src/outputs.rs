//! What is written: text for people without anything invisible in it, and sound JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use xtask::advisory::collection::{AsOf, Collection};
use xtask::advisory::{Advisory, Class, Level, Provenance};
use xtask::artifact::{Artifact, Digest, Kind};
use xtask::audit::examine::{Extent, Scanned, Subject, examine};
use xtask::audit::policy::Policy;
use xtask::audit::report::*;
use xtask::audit::{json, markdown, sarif, table};
use xtask::bom::{self, Bill, Development, Product, cyclonedx, spdx, vex};
use xtask::lockfile::{Ecosystem, Input, Lock, Scope, Source, kind_of};
use xtask::printable;

use super::files::Files;

/// Lock files and records (`-- NAME.osv --`) through the whole audit: everything that a stranger
/// can write comes out in every form.
pub fn audit(bytes: &[u8]) {
    let Some(files) = Files::of(bytes) else {
        return;
    };
    let mut collection = Collection::default();
    let mut scanned = Vec::new();
    for (name, text) in files.named() {
        if name.ends_with(".osv") {
            // A record that cannot be read is what another target is for.
            let _ = collection.add(text.as_bytes(), name);
        } else if let Some(kind) = kind_of(name)
            && let Ok(lock) = (kind.read)(&Input {
                text,
                path: name.into(),
                shipping_groups: &["main".to_owned()],
                beside: &|name| files.get(name).map(str::to_owned),
            })
        {
            scanned.push(Scanned {
                path: name.to_owned(),
                kind,
                lock,
                sha256: Digest::of(text.as_bytes()),
            });
        }
    }
    let made = collection
        .indexes(AsOf::Newest(Timestamp::UNIX_EPOCH))
        .expect("small indexes");
    let indexes: BTreeMap<Ecosystem, _> = made
        .into_iter()
        .map(|made| {
            let index = xtask::advisory::index::Index::of_bytes(
                made.bytes,
                "some.index".into(),
                made.ecosystem,
            );
            (
                made.ecosystem,
                index.expect("what was written can be opened"),
            )
        })
        .collect();
    let lookup = |ecosystem, name: &str| match indexes.get(&ecosystem) {
        Some(index) => index.lookup(name),
        None => Ok(Vec::<Advisory>::new()),
    };
    let subject = Subject {
        scanned,
        skipped: Vec::new(),
        extent: Extent::Whole,
    };
    let provenances = indexes
        .values()
        .map(|index| index.provenance().clone())
        .collect();
    let today = jiff::civil::date(2026, 1, 1);
    let report = examine(&subject, provenances, &lookup, &Policy::default(), today);
    let report = report.expect("the indexes are whole");
    check_report(&report);
    for scanned in &subject.scanned {
        check_bill(&scanned.path, &scanned.lock, &report);
    }
}

/// Reports of nothing but foreign text: the input's parts between `%%` in turn.
pub fn report(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parts: Vec<&str> = text.split("%%").collect();
    let mut next = 0;
    let mut take = || {
        next += 1;
        parts[(next - 1) % parts.len()].to_owned()
    };
    let mut report = Report {
        schema: 1,
        locks: Vec::new(),
        databases: Vec::new(),
        findings: Vec::new(),
        unchecked: Vec::new(),
        licenses: Vec::new(),
        ignores: Vec::new(),
        warnings: vec![take()],
        summary: Summary::default(),
    };
    for class in [
        Class::Malware,
        Class::Vulnerability,
        Class::Unsound,
        Class::Yanked,
    ] {
        report.findings.push(finding(class, &mut take));
    }
    fill(&mut report, &mut take);
    report.count();
    check_report(&report);
}

fn finding(class: Class, take: &mut dyn FnMut() -> String) -> Finding {
    Finding {
        lock: take(),
        line: 1,
        ecosystem: Ecosystem::Npm,
        package: take(),
        version: take(),
        scope: Scope::Ships,
        groups: vec![take()],
        chain: vec![take(), take(), take()],
        id: take(),
        ids: vec![take(), take()],
        matched: vec![take()],
        class,
        level: Level::High,
        score: Some(7.5),
        vector: Some(take()),
        summary: take(),
        url: Some(take()),
        fix: Fix::Version {
            version: take(),
            allowed: Some(false),
            blocked_by: Some(take()),
            command: take(),
        },
        verdict: Verdict::Ignored {
            reason: take(),
            until: take(),
        },
        because: take(),
    }
}

fn fill(report: &mut Report, take: &mut dyn FnMut() -> String) {
    report.locks.push(LockFile {
        path: take(),
        kind: take(),
        ecosystem: Some(Ecosystem::Npm),
        format: take(),
        packages: 1,
        checked: 1,
        skipped: Some(take()),
        notes: vec![take()],
    });
    report.databases.push(Provenance {
        ecosystem: take(),
        source: take(),
        digest: take(),
        date: take(),
        records: 1,
        withdrawn: 0,
        foreign: 0,
        unparsable: 0,
    });
    let sources = [
        Source::Git {
            url: take(),
            commit: Some(take()),
        },
        Source::Path { path: take() },
        Source::Registry { url: Some(take()) },
        Source::Bundled { by: take() },
    ];
    for source in sources {
        report.unchecked.push(Unchecked {
            lock: take(),
            line: 2,
            package: take(),
            version: take(),
            source,
            reason: take(),
            namesake: vec![take()],
        });
    }
    report.licenses.push(LicenseFinding {
        lock: take(),
        line: 3,
        ecosystem: Ecosystem::Npm,
        package: take(),
        version: take(),
        license: Some(take()),
        origin: Some(take()),
        verdict: Verdict::Denied,
        because: take(),
    });
    report.ignores.push(IgnoreNotice {
        id: take(),
        package: take(),
        line: 4,
        state: IgnoreState::Expired { until: take() },
        denied: true,
    });
}

fn check_report(report: &Report) {
    for extent in [table::Extent::Short, table::Extent::Whole] {
        check_text(&table::text(
            report,
            table::Layout {
                extent,
                columns: 80,
            },
        ));
    }
    check_text(&markdown::text(report));
    let text = json::text(report);
    check_text(&text);
    let back: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(back, json::value(report));
    check_json(&sarif::log(report));
}

/// Nothing steers a terminal, hides itself or turns a line around.
fn check_text(text: &str) {
    let wrong = text
        .chars()
        .find(|&one| one != '\n' && printable::is_invisible(one));
    assert_eq!(wrong, None, "in {text:?}");
}

/// As it is printed and written: the same value comes back.
fn check_json(value: &Value) {
    let text = serde_json::to_string_pretty(value).expect("a value is plain data");
    let text = printable::json(&text);
    check_text(&text);
    let back: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(back, *value);
}

fn check_bill(path: &str, lock: &Lock, report: &Report) {
    let artifact = Artifact {
        kind: Kind::Wheel,
        name: "demo".to_owned(),
        version: "1.0".to_owned(),
        path: "demo-1.0-py3-none-any.whl".to_owned(),
        size: 1,
        sha256: Digest::of(b"x"),
        inputs: BTreeMap::new(),
    };
    let locks = [bom::LockFile {
        path: path.to_owned(),
        lock,
        carried_by: vec![Kind::Wheel],
    }];
    let bill = Bill {
        product: Product {
            name: "demo".to_owned(),
            version: "1.0".to_owned(),
            commit: "0".repeat(40),
            repository: None,
            date: Timestamp::UNIX_EPOCH,
            license: None,
        },
        artifacts: &[artifact],
        embedded: &[],
        locks: &locks,
        licenses: &BTreeMap::new(),
        development: Development::Marked,
    };
    check_json(&cyclonedx::document(&bill));
    check_json(&spdx::document(&bill));
    check_json(&vex::document(report, &bill));
}
