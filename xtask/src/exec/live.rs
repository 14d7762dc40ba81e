//! Asking OSV itself about locked packages, instead of a database on this machine.
//!
//! Its answers say which records to look at. Those are read and matched by the same code as any
//! other, so that live finds nothing that a database would not; what OSV's own comparison of
//! versions misses stays unfound. Whatever fails is an error: no answer is not the same as no
//! finding.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::sync::{each, record_text, require_id};
use crate::advisory::live::{BATCH, Found, Query, first_pages, request};
use crate::advisory::record::{self, Record};
use crate::advisory::{Advisory, Provenance, store};
use crate::artifact::Digest;
use crate::audit::phrase;
use crate::error::{Error, Kind, Result};
use crate::lockfile::Ecosystem;
use crate::world::remote::{Patience, Remote, Request};
use crate::world::{World, files};

/// The variable that names another place for OSV's interface.
pub const VARIABLE: &str = "XTASK_OSV_API_URL";

/// Where OSV answers (<https://google.github.io/osv.dev/api/>).
pub const API: &str = "https://api.osv.dev";

/// The largest answer: OSV itself ends at half of it.
const ANSWER_LIMIT: u64 = 64 << 20;

const QUERY_PATH: &str = "/v1/querybatch";

/// How to ask.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the interface.
    pub base: String,
    /// How long to wait for what.
    pub patience: Patience,
    /// Where records are kept from run to run.
    pub cache: Utf8PathBuf,
}

impl Settings {
    /// What the environment says, or else OSV itself.
    pub fn of(world: &World) -> Settings {
        let folder = store::folder(&world.environment, &world.root);
        Settings {
            base: world.variable(VARIABLE).unwrap_or(API).to_owned(),
            patience: Patience::default(),
            cache: folder.unwrap_or_else(|_| world.private()).join("live"),
        }
    }
}

/// What OSV has about some packages.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Advisories by ecosystem and normal name of their package, sorted by id. A package that
    /// was asked about and is not in it has none.
    pub advisories: BTreeMap<(Ecosystem, String), Vec<Advisory>>,
    /// Where they came from, for each ecosystem that was asked about.
    pub provenance: Vec<Provenance>,
}

/// Asks OSV about locked packages: ecosystem, name, version.
///
/// # Errors
/// Not everything was answered: [`Kind::Database`]. Or the run was interrupted, or the address
/// is none.
pub fn advisories(world: &World, packages: &[(Ecosystem, String, String)]) -> Result<Live> {
    advisories_with(world, packages, &Settings::of(world))
}

/// As [`advisories`], with other settings.
///
/// # Errors
/// As [`advisories`].
pub fn advisories_with(
    world: &World,
    packages: &[(Ecosystem, String, String)],
    settings: &Settings,
) -> Result<Live> {
    let remote = Remote::new(world, &settings.base, VARIABLE, settings.patience.clone())?;
    let now = world.now().to_string();
    let queries: BTreeSet<Query> = packages
        .iter()
        .map(|(ecosystem, name, version)| Query {
            ecosystem: *ecosystem,
            name: record::normal_name(*ecosystem, name),
            version: version.clone(),
        })
        .collect();
    let queries: Vec<Query> = queries.into_iter().collect();
    let asked = format!(
        "asking {} about {}",
        remote.shown(""),
        phrase::count(queries.len(), "package")
    );
    let step = world.terminal.step("advisories", &asked);
    let found = ask(&remote, &queries).map_err(unknown)?;
    let fetched = fetch(&remote, &found, &settings.cache).map_err(unknown)?;
    let live = sum_up(world, &remote, &queries, &found, &fetched, &now);
    step.done(&format!(
        "{} about {}",
        phrase::count(fetched.len(), "record"),
        phrase::count(queries.len(), "package")
    ));
    Ok(live)
}

/// Nothing is known about the packages, which is an answer of its own.
fn unknown(error: Error) -> Error {
    match error.kind {
        Kind::Failure => Error {
            kind: Kind::Database,
            ..error
        },
        _ => error,
    }
}

fn ask(remote: &Remote<'_>, queries: &[Query]) -> Result<Found> {
    let shown = remote.shown(QUERY_PATH);
    let mut found = Found::default();
    let mut pages = first_pages(queries.len());
    while !pages.is_empty() {
        let now: Vec<_> = pages.drain(..BATCH.min(pages.len())).collect();
        let body = request(queries, &now);
        let request = Request {
            path: QUERY_PATH,
            headers: &[],
            body: Some(&body),
        };
        let answer = remote.fetch(request, ANSWER_LIMIT)?.require_ok(&shown)?;
        pages.extend(found.take(&answer.bytes, &now, &shown)?);
    }
    Ok(found)
}

/// The records in the order of what was found, with the digest of each.
fn fetch(remote: &Remote<'_>, found: &Found, cache: &Utf8Path) -> Result<Vec<(Record, Digest)>> {
    let asked: Vec<(&String, &String)> = found.0.iter().map(|(id, hit)| (id, &hit.stamp)).collect();
    each(&asked, |(id, stamp)| {
        let kept = cache.join(file_name(id, stamp));
        if let Some(known) = cached(&kept, id) {
            return Ok(known);
        }
        let path = format!("/v1/vulns/{id}");
        let shown = remote.shown(&path);
        let bytes = record_text(remote, &path)?.ok_or_else(|| {
            Error::database(format!("{shown}: not there, though {QUERY_PATH} names it"))
                .hint("run again")
        })?;
        let record = record::read(&bytes, &shown)?;
        require_id(&record.id, id, &shown)?;
        files::write(&kept, &bytes)?;
        Ok((record, Digest::of(&bytes)))
    })
}

/// A record that was kept; one that cannot be read is fetched again.
fn cached(path: &Utf8Path, id: &str) -> Option<(Record, Digest)> {
    let bytes = files::read(path).ok()?;
    let record = record::read(&bytes, path.as_str()).ok()?;
    (record.id == id).then(|| (record, Digest::of(&bytes)))
}

/// One file for each state of a record. Not every system has colons in names.
fn file_name(id: &str, stamp: &str) -> String {
    format!("{id}@{stamp}.json").replace([':', '/', '\\'], "_")
}

fn sum_up(
    world: &World,
    remote: &Remote<'_>,
    queries: &[Query],
    found: &Found,
    fetched: &[(Record, Digest)],
    now: &str,
) -> Live {
    let mut advisories: BTreeMap<(Ecosystem, String), Vec<Advisory>> = BTreeMap::new();
    let asked: BTreeSet<(Ecosystem, &str)> = queries
        .iter()
        .map(|query| (query.ecosystem, query.name.as_str()))
        .collect();
    for ((record, _), hit) in fetched.iter().zip(found.0.values()) {
        for (ecosystem, name, advisory) in &record.advisories {
            if asked.contains(&(*ecosystem, name.as_str())) {
                let package = (*ecosystem, name.clone());
                advisories
                    .entry(package)
                    .or_default()
                    .push(advisory.clone());
            }
        }
        for query in hit.queries.iter().filter_map(|query| queries.get(*query)) {
            let names = |(ecosystem, name, _): &(Ecosystem, String, Advisory)| {
                *ecosystem == query.ecosystem && *name == query.name
            };
            if !record.withdrawn && !record.advisories.iter().any(names) {
                world.terminal.warn(&format!(
                    "{} is said to affect {} {}, but does not name it",
                    record.id, query.name, query.version
                ));
            }
        }
    }
    let ecosystems: BTreeSet<Ecosystem> = queries.iter().map(|query| query.ecosystem).collect();
    let provenance = ecosystems.into_iter().map(|ecosystem| {
        let source = format!("{} (live)", remote.shown(""));
        provenance(ecosystem, source, fetched, now)
    });
    Live {
        provenance: provenance.collect(),
        advisories,
    }
}

/// The digest is that of the list of all records that were looked at.
fn provenance(
    ecosystem: Ecosystem,
    source: String,
    fetched: &[(Record, Digest)],
    now: &str,
) -> Provenance {
    let ours = || {
        let all = fetched.iter();
        all.filter(|(record, _)| record.ecosystems.contains(&ecosystem))
    };
    let lines = ours().map(|(record, digest)| format!("{digest}  {}\n", record.id));
    let withdrawn = ours().filter(|(record, _)| record.withdrawn).count() as u64;
    let unparsable = ours().filter_map(|(record, _)| record.unparsable.get(&ecosystem));
    Provenance {
        ecosystem: ecosystem.name().to_owned(),
        source,
        digest: Digest::of(lines.collect::<String>().as_bytes()).to_string(),
        date: now.to_owned(),
        records: (ours().count() as u64).saturating_sub(withdrawn),
        withdrawn,
        foreign: 0,
        unparsable: unparsable.sum(),
    }
}
