//! Reads one record in OSV form and keeps what matching and reporting need. Pure.
//!
//! Source: OSV schema 1.7 (<https://ossf.github.io/osv-schema/>). A record that does not say what
//! the schema makes it say is an error that names it; nothing is left out in silence. What a
//! database adds on its own (`database_specific`) may have any shape, and is looked at only for
//! the few words that are known.

mod form;
mod severity;
mod text;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::interval::{self, Change, Event};
use super::order;
use super::{Advisory, Class, Interval, Severity};
use crate::error::{Error, Result};
use crate::lockfile::Ecosystem;
pub(super) use text::shown;

use form::{Affected, Package, Range, Specific};

/// What a record says to us.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// When it was last changed.
    pub modified: Timestamp,
    /// The ecosystems of ours that it concerns; of a withdrawn one too.
    pub ecosystems: Vec<Ecosystem>,
    /// Whether it was taken back. It then has no advisories.
    pub withdrawn: bool,
    /// What it says of each package, whose name is in its normal form.
    pub advisories: Vec<(Ecosystem, String, Advisory)>,
    /// Its version strings that are no versions, by ecosystem.
    pub unparsable: BTreeMap<Ecosystem, u64>,
}

/// The name under which the registry knows a package: for Python in its normal form.
pub fn normal_name(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::Pypi => crate::name::normalize(name),
        Ecosystem::Npm | Ecosystem::CratesIo => name.to_owned(),
    }
}

/// Reads a record. `place` names it in errors: the archive and the entry.
///
/// # Errors
/// It is no JSON, or not what the schema describes.
pub fn read(json: &[u8], place: &str) -> Result<Record> {
    let wrong = |what: String| {
        Error::database(format!("{place}: {what}"))
            .hint("fetch the advisories again, or report the record to those who publish it")
    };
    let form: form::Record<'_> = serde_json::from_slice(json).map_err(|cause| {
        let text = cause.to_string();
        let what = text
            .rsplit_once(" at line ")
            .map_or(&*text, |(what, _)| what);
        let (line, column) = (cause.line(), cause.column());
        wrong(format!(
            "not an OSV record: {} at {line}:{column}",
            shown(what)
        ))
    })?;
    interpret(&form).map_err(wrong)
}

/// The most versions and events of one record. The packages with the longest history have some
/// thousand versions.
const MOST_VERSIONS: usize = 200_000;
/// How much the packages of one record may repeat of what they have in common, in bytes.
const MOST_REPEATED: usize = 64 << 20;

/// What several packages of a record have in common.
struct Common<'form> {
    form: &'form form::Record<'form>,
    aliases: Vec<String>,
    summary: String,
    url: Option<String>,
    severity: severity::Stated,
}

impl Common<'_> {
    /// The bytes that each package of the record repeats.
    fn size(&self) -> usize {
        let texts = self.aliases.iter().chain([&self.summary]).chain(&self.url);
        texts.map(|text| text.len() + size_of::<String>()).sum()
    }
}

/// The parts of one package, which a record may spread over several entries.
#[derive(Default)]
struct Parts {
    intervals: Vec<Interval>,
    severity: Option<Severity>,
    class: Option<Class>,
}

fn interpret(form: &form::Record<'_>) -> std::result::Result<Record, String> {
    let id = text::id(&form.id)?;
    let modified: Timestamp = form
        .modified
        .parse()
        .map_err(|_| format!("`modified` is no date and time: {}", shown(&form.modified)))?;
    let mut record = Record {
        id,
        modified,
        ecosystems: Vec::new(),
        withdrawn: form.withdrawn.as_deref().is_some_and(|at| !at.is_empty()),
        advisories: Vec::new(),
        unparsable: BTreeMap::new(),
    };
    let mut packages: BTreeMap<(Ecosystem, String), Parts> = BTreeMap::new();
    let common = common(form)?;
    let mut versions = 0;
    for affected in form.affected.iter().flatten() {
        let Some((ecosystem, name)) = package(affected.package.as_ref())? else {
            continue;
        };
        record.ecosystems.push(ecosystem);
        if !record.withdrawn {
            versions += affected.size();
            if versions > MOST_VERSIONS {
                return Err(format!("more than {MOST_VERSIONS} versions"));
            }
            let parts = packages.entry((ecosystem, name)).or_default();
            let unparsable = record.unparsable.entry(ecosystem).or_default();
            add(parts, ecosystem, affected, &common, unparsable)?;
        }
    }
    if packages.len().saturating_mul(common.size()) > MOST_REPEATED {
        let count = packages.len();
        return Err(format!("too many aliases for each of {count} packages"));
    }
    record.ecosystems.sort_unstable();
    record.ecosystems.dedup();
    record.advisories = packages
        .into_iter()
        .map(|((ecosystem, name), parts)| (ecosystem, name, advisory(parts, &common)))
        .collect();
    Ok(record)
}

fn common<'form>(form: &'form form::Record<'form>) -> std::result::Result<Common<'form>, String> {
    let mut aliases = Vec::new();
    let mut known = HashSet::from([&*form.id]);
    for alias in form.aliases.iter().flatten() {
        if known.insert(alias) {
            aliases.push(text::id(alias)?);
        }
    }
    Ok(Common {
        form,
        aliases,
        summary: text::summary(form.summary.as_deref(), form.details.as_deref()),
        url: text::url(form.references.as_deref().unwrap_or_default()),
        severity: severity::stated(
            form.severity.as_deref().unwrap_or_default(),
            &Specific::read(form.database_specific)?,
        ),
    })
}

/// Whose package an entry is about; `None` when it is about none of our ecosystems.
fn package(
    package: Option<&Package<'_>>,
) -> std::result::Result<Option<(Ecosystem, String)>, String> {
    let Some(package) = package else {
        return Ok(None);
    };
    let Some(ecosystem) = Ecosystem::of(&package.ecosystem) else {
        return Ok(None);
    };
    let name = normal_name(ecosystem, &package.name);
    if name.is_empty() || name.len() > text::LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(format!("no name of a package: `{}`", shown(&package.name)));
    }
    Ok(Some((ecosystem, name)))
}

fn add(
    parts: &mut Parts,
    ecosystem: Ecosystem,
    affected: &Affected<'_>,
    common: &Common<'_>,
    unparsable: &mut u64,
) -> std::result::Result<(), String> {
    for range in affected.ranges.iter().flatten() {
        let events = events(range)?;
        *unparsable += count_unparsable(ecosystem, &events);
        parts
            .intervals
            .extend(interval::of_range(ecosystem, &events));
    }
    for version in affected.versions.iter().flatten() {
        let version = bounded(version)?;
        let key = order::key(ecosystem, version);
        *unparsable += u64::from(!key.is_valid());
        parts.intervals.push(interval::point(key));
    }
    let specific = Specific::read(affected.database_specific)?;
    let stated = severity::stated(affected.severity.as_deref().unwrap_or_default(), &specific);
    let severity = severity::of(&stated, &common.severity);
    if parts
        .severity
        .as_ref()
        .is_none_or(|old| severity::is_worse(&severity, old))
    {
        parts.severity = Some(severity);
    }
    let class = class(&common.form.id, &specific);
    parts.class = Some(parts.class.map_or(class, |old| old.min(class)));
    Ok(())
}

/// The events of a range of versions; those of a range of commits are none of ours.
fn events<'range>(range: &'range Range<'_>) -> std::result::Result<Vec<Event<'range>>, String> {
    match &*range.kind {
        "GIT" => return Ok(Vec::new()),
        "SEMVER" | "ECOSYSTEM" => {}
        other => {
            return Err(format!("a range of the unknown type `{}`", shown(other)));
        }
    }
    let mut events = Vec::new();
    for event in range.events.iter().flatten() {
        let before = events.len();
        for (change, version) in [
            (Change::Introduced, &event.introduced),
            (Change::Fixed, &event.fixed),
            (Change::LastAffected, &event.last_affected),
            (Change::Limit, &event.limit),
        ] {
            if let Some(version) = version {
                let version = bounded(version)?;
                events.push(Event { change, version });
            }
        }
        if events.len() == before {
            return Err("an event that is none of introduced, fixed, last_affected, limit".into());
        }
    }
    Ok(events)
}

fn bounded(version: &str) -> std::result::Result<&str, String> {
    match version.len() > order::LONGEST {
        true => Err(format!(
            "a version of {} characters, more than {}",
            version.len(),
            order::LONGEST
        )),
        false => Ok(version),
    }
}

fn count_unparsable(ecosystem: Ecosystem, events: &[Event<'_>]) -> u64 {
    let is_marker = |event: &Event<'_>| match event.change {
        Change::Introduced => event.version == "0",
        Change::Limit => event.version == "*",
        Change::Fixed | Change::LastAffected => false,
    };
    let is_unparsable = |event: &&Event<'_>| !is_marker(event) && !event.key(ecosystem).is_valid();
    events.iter().filter(is_unparsable).count() as u64
}

/// RustSec says in `informational` that an advisory is no vulnerability, and what it is instead.
fn class(id: &str, specific: &Specific) -> Class {
    match specific.informational.as_deref() {
        _ if id.starts_with("MAL-") => Class::Malware,
        None => Class::Vulnerability,
        Some("unsound") => Class::Unsound,
        Some("unmaintained") => Class::Unmaintained,
        Some(_) => Class::Notice,
    }
}

fn advisory(parts: Parts, common: &Common<'_>) -> Advisory {
    Advisory {
        id: common.form.id.to_string(),
        aliases: common.aliases.clone(),
        summary: common.summary.clone(),
        class: parts.class.unwrap_or(Class::Vulnerability),
        severity: parts.severity.unwrap_or_default(),
        affected: interval::union(parts.intervals),
        modified: common.form.modified.to_string(),
        url: common.url.clone(),
    }
}

#[cfg(test)]
mod tests;
