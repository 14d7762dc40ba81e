//! Versions: their order, the ranges they lie in, and who speaks of the same problem.
//!
//! Each is held against something written another way: PEP 440 and SemVer as parsed values, the
//! loop of the OSV schema, a closure that is computed step by step.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use xtask::advisory::interval::{Change, Event, contains, of_range, union};
use xtask::advisory::order::key;
use xtask::advisory::{Advisory, Class, Severity, group as groups, matching};
use xtask::lockfile::Ecosystem;
use xtask::pep440;

/// The most lines of an input that are looked at, so that a slow comparison stays cheap.
const MOST_LINES: usize = 40;

/// A version as another reader understands it.
enum Read {
    Python(pep440::Version),
    Semantic(semver::Version),
    /// Text that is no version.
    Text(String),
}

/// `None` where the other reader is stricter than ours is meant to be.
fn read(ecosystem: Ecosystem, text: &str) -> Option<Read> {
    let is_version = key(ecosystem, text).is_valid();
    let other = match ecosystem {
        Ecosystem::Pypi => pep440::Version::parse(text).ok().map(Read::Python),
        Ecosystem::Npm | Ecosystem::CratesIo => semantic(text).map(Read::Semantic),
    };
    match other {
        Some(other) => {
            assert!(is_version, "{text:?} is a version of {ecosystem}");
            Some(other)
        }
        None => (!is_version).then(|| Read::Text(text.to_owned())),
    }
}

fn semantic(text: &str) -> Option<semver::Version> {
    let mut version = semver::Version::parse(text).ok()?;
    version.build = semver::BuildMetadata::EMPTY;
    Some(version)
}

fn compare(one: &Read, other: &Read) -> Ordering {
    match (one, other) {
        (Read::Python(one), Read::Python(other)) => one.cmp(other),
        (Read::Semantic(one), Read::Semantic(other)) => one.cmp_precedence(other),
        (Read::Text(one), Read::Text(other)) => one.cmp(other),
        (Read::Text(_), _) => Ordering::Less,
        (_, Read::Text(_)) => Ordering::Greater,
        _ => unreachable!("two ecosystems at once"),
    }
}

/// The ecosystem in the first line, and the lines behind it.
fn lines(bytes: &[u8]) -> Option<(Ecosystem, Vec<&str>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.split('\n');
    let ecosystem = Ecosystem::of(lines.next()?)?;
    Some((ecosystem, lines.take(MOST_LINES).collect()))
}

/// Keys stand in the order of the versions.
pub fn order(bytes: &[u8]) {
    let Some((ecosystem, lines)) = lines(bytes) else {
        return;
    };
    let read = |text: &&str| read(ecosystem, text).map(|read| (read, key(ecosystem, text)));
    let versions: Vec<_> = lines.iter().filter_map(read).collect();
    for (one, key) in &versions {
        for (other, other_key) in &versions {
            assert_eq!(
                key.cmp(other_key),
                compare(one, other),
                "{key:?} {other_key:?}"
            );
        }
    }
}

/// Intervals say what the loop of the OSV schema says; a suggested fix is free of them.
pub fn interval(bytes: &[u8]) {
    let Some((ecosystem, lines)) = lines(bytes) else {
        return;
    };
    let mut events = Vec::new();
    let mut versions = Vec::new();
    for line in lines {
        let Some((word, version)) = line.split_once(' ') else {
            continue;
        };
        versions.push(version);
        let change = match word {
            "introduced" => Change::Introduced,
            "fixed" => Change::Fixed,
            "last" => Change::LastAffected,
            "limit" => Change::Limit,
            _ => continue,
        };
        events.push(Event { change, version });
    }
    let read = |text: &str| read(ecosystem, text);
    let Some(parsed) = events
        .iter()
        .map(|event| read(event.version))
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let parsed: Vec<(Event<'_>, Read)> = events.iter().copied().zip(parsed).collect();
    let found = union(of_range(ecosystem, &events));
    let advisory = advisory(found);
    super::advisories::check_intervals(&advisory);
    for version in versions {
        let Some(read) = read(version) else { continue };
        let key = key(ecosystem, version);
        let is_affected = contains(&advisory.affected, &key);
        assert_eq!(
            is_affected,
            specification(&parsed, &read),
            "{version:?} of {ecosystem}"
        );
        check_fix(&advisory, ecosystem, version);
    }
}

fn check_fix(advisory: &Advisory, ecosystem: Ecosystem, version: &str) {
    let all = std::slice::from_ref(advisory);
    if let Some(fix) = matching::smallest_fix(all, ecosystem, version) {
        let fixed = key(ecosystem, &fix);
        assert!(
            fixed > key(ecosystem, version),
            "{fix:?} is not above {version:?}"
        );
        assert!(!matching::affects(advisory, &fixed), "{fix:?} is affected");
    }
}

/// OSV schema 1.7, "Evaluation", line by line.
fn specification(events: &[(Event<'_>, Read)], version: &Read) -> bool {
    let is_lowest = |event: &Event<'_>| event.change == Change::Introduced && event.version == "0";
    let mut limits = events
        .iter()
        .filter(|(event, _)| event.change == Change::Limit)
        .peekable();
    let below = |(event, limit): &(Event<'_>, Read)| {
        event.version == "*" || compare(version, limit).is_lt()
    };
    if limits.peek().is_some() && !limits.any(below) {
        return false;
    }
    let mut sorted: Vec<&(Event<'_>, Read)> = events.iter().collect();
    sorted.sort_by(|(one, one_read), (other, other_read)| {
        match (is_lowest(one), is_lowest(other)) {
            (false, false) => compare(one_read, other_read),
            (one, other) => other.cmp(&one),
        }
    });
    let mut vulnerable = false;
    for (event, read) in sorted {
        let order = compare(version, read);
        match event.change {
            Change::Introduced if event.version == "0" || order.is_ge() => vulnerable = true,
            Change::Fixed if order.is_ge() => vulnerable = false,
            Change::LastAffected if order.is_gt() => vulnerable = false,
            _ => {}
        }
    }
    vulnerable
}

fn advisory(affected: Vec<xtask::advisory::Interval>) -> Advisory {
    Advisory {
        id: "A-1".to_owned(),
        aliases: Vec::new(),
        summary: String::new(),
        class: Class::Vulnerability,
        severity: Severity::default(),
        affected,
        modified: String::new(),
        url: None,
    }
}

/// Each line is `ID ALIAS ALIAS`: groups are the closure, whatever the order of the lines.
pub fn group(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let lines = text.split('\n').take(MOST_LINES);
    let records: Vec<Advisory> = lines
        .map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let id = words.next().unwrap_or_default();
            Advisory {
                id,
                aliases: words.collect(),
                ..advisory(Vec::new())
            }
        })
        .collect();
    let forwards: Vec<&Advisory> = records.iter().collect();
    let backwards: Vec<&Advisory> = records.iter().rev().collect();
    let found = groups::groups(&forwards);
    let ids = |found: &[groups::Group]| -> Vec<Vec<String>> {
        found.iter().map(|group| group.ids.clone()).collect()
    };
    assert_eq!(
        ids(&found),
        ids(&groups::groups(&backwards)),
        "the order decides"
    );
    let members: usize = found.iter().map(|group| group.members.len()).sum();
    assert_eq!(
        members,
        records.len(),
        "an advisory is in no group or in two"
    );
    let sets: BTreeSet<BTreeSet<String>> = ids(&found)
        .into_iter()
        .map(|ids| ids.into_iter().collect())
        .collect();
    assert_eq!(sets, closure(&records));
}

fn closure(records: &[Advisory]) -> BTreeSet<BTreeSet<String>> {
    let mut sets: Vec<BTreeSet<String>> = Vec::new();
    for record in records {
        let mut set: BTreeSet<String> = record.aliases.iter().cloned().collect();
        set.insert(record.id.clone());
        let (touching, apart): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|other| !other.is_disjoint(&set));
        set.extend(touching.into_iter().flatten());
        sets = apart;
        sets.push(set);
    }
    sets.into_iter().collect()
}

/// A constraint of Python: what is read is written in a form that reads as the same.
pub fn constraint(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(constraint) = pep440::parse(text, pep440::Context::Distribution) else {
        return;
    };
    if constraint.is_empty() {
        return;
    }
    let shown = constraint.to_string();
    let again = pep440::parse(&shown, pep440::Context::Distribution);
    assert_eq!(
        again.map(|again| again.to_string()),
        Ok(shown),
        "of {text:?}"
    );
}
