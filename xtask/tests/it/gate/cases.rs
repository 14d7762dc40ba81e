//! Every rule has cases that fail by that rule alone.

mod bundle;
mod container;
mod content;

use std::collections::BTreeSet;

use xtask::gate::{RULES, Report};

use super::package::*;

/// A rule, what breaks it, and how to get there from the correct package.
type Case = (&'static str, &'static str, Spoil);

/// One change to the correct package.
enum Spoil {
    /// A file more, which the allow-list would let in.
    Add(&'static str, &'static [u8]),
    Remove(&'static str),
    Replace(&'static str, &'static [u8]),
    /// A piece of text that occurs once, by another.
    Edit(&'static str, &'static str, &'static str),
    /// A file more in the wheel, which the release knows.
    InWheel(&'static str, &'static [u8]),
    Package(fn(&mut Package)),
    /// A change to the finished container.
    Bytes(fn(Vec<u8>) -> Vec<u8>),
    /// None, but judged without a release to compare with.
    Unverified,
}

fn all() -> impl Iterator<Item = &'static Case> {
    container::CASES
        .iter()
        .chain(bundle::CASES)
        .chain(content::CASES)
}

fn judged(spoil: &Spoil) -> Report {
    let mut package = Package::correct();
    match spoil {
        Spoil::Add(name, bytes) => {
            package.add_allowed(name, bytes);
        }
        Spoil::Remove(name) => {
            package.remove(name);
        }
        Spoil::Replace(name, bytes) => {
            package.replace(name, bytes);
        }
        Spoil::Edit(name, from, to) => {
            package.edit(name, from, to);
        }
        Spoil::InWheel(name, bytes) => package = Package::with_wheel(&wheel(&[(name, bytes)])),
        Spoil::Package(change) => change(&mut package),
        Spoil::Bytes(damage) => return package.judge_bytes(&damage(package.bytes())),
        Spoil::Unverified => return package.judge_against(&package.bytes(), None),
    }
    package.judge()
}

#[test]
fn the_correct_package_passes() {
    let report = Package::correct().judge();
    assert_eq!(report.text(), "");
    assert_eq!(report.entries, 10);
    assert!(report.clone().into_result().is_ok());
}

#[test]
fn each_case_fails_by_its_rule_alone() {
    let mut wrong = Vec::new();
    for (rule, name, spoil) in all() {
        let report = judged(spoil);
        if broken(&report) != [*rule] {
            wrong.push(format!(
                "{rule}, {name}: {:?}\n{}",
                broken(&report),
                report.text()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

#[test]
fn every_rule_has_a_case() {
    let covered: BTreeSet<&str> = all().map(|(rule, ..)| *rule).collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(covered, rules);
    assert_eq!(rules.len(), RULES.len(), "ids are unique");
}

#[test]
fn findings_show_where_nested_things_lie() {
    let mut package = Package::correct();
    let inner = gzip(&tar(&[
        ("pkg-1.0/src/a.py", b"x"),
        ("pkg-1.0/pyproject.toml", b"x"),
    ]));
    package.add("extension/media/photo.png", zip(&[("deep/b.dat", inner)]));
    let paths: Vec<String> = package
        .judge()
        .findings
        .into_iter()
        .map(|finding| finding.path)
        .collect();
    let expected = [
        "extension/media/photo.png!deep/b.dat!pkg-1.0/pyproject.toml",
        "extension/media/photo.png!deep/b.dat!pkg-1.0/src/a.py",
    ];
    assert_eq!(paths, expected);
}
