//! An audit of a repository: its lock files read, looked up, and what was found said.

pub mod read;

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;

use super::advisories::{Advisories, Wanted};
use crate::audit::discover::{Discovered, Found, Listed, State, discover};
use crate::audit::examine::{Extent, Scanned, Subject, examine};
use crate::audit::license::{Known, judge};
use crate::audit::policy::Policy;
use crate::audit::report::Report;
use crate::audit::table;
use crate::audit::{annotation, json, markdown, phrase, sarif};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::lockfile;
use crate::source;
use crate::world::World;
use crate::world::terminal::{Detail, Format};

/// Reads every lock file of the repository, or the ones that are named.
///
/// # Errors
/// A lock file that cannot be read, or no lock file at all.
pub fn inventory(world: &World, config: &Config, named: &[Utf8PathBuf]) -> Result<Subject> {
    let subject = subject(world, &config.audit, &config.server.groups, named)?;
    if !subject.scanned.is_empty() {
        return Ok(subject);
    }
    Err(nothing_to_scan(&subject))
}

/// Holds what was read against advisories and policy.
///
/// # Errors
/// No usable advisories.
pub fn audit(
    world: &World,
    config: &Config,
    wanted: Wanted<'_>,
    subject: &Subject,
) -> Result<Report> {
    let policy = &config.audit;
    let advisories = Advisories::open(world, config, wanted, subject)?;
    let lookup = |ecosystem, name: &str| advisories.lookup(ecosystem, name);
    let today = world.now().to_zoned(TimeZone::UTC).date();
    examine(subject, advisories.provenances(), &lookup, policy, today)
}

/// Adds what the policy says about licenses to a report.
pub fn judge_licenses(config: &Config, subject: &Subject, known: &Known, report: &mut Report) {
    report.licenses = judge(subject, known, &config.audit);
    report.count();
}

fn nothing_to_scan(subject: &Subject) -> Error {
    let mut message =
        "there is no lock file to audit, and an audit of nothing says nothing".to_owned();
    for lock in subject.skipped.iter().take(20) {
        let (path, why) = (phrase::name(&lock.path), phrase::lock(lock));
        message.push_str(&format!("\n       {path}: {why}"));
    }
    Error::precondition(message)
        .hint("lock the server's dependencies and add the lock file to git: poetry lock")
        .hint("or name one: cargo xtask audit FILE")
}

/// Prints a report in the format that was asked for.
pub fn say(world: &World, report: &Report) {
    let terminal = &world.terminal;
    match terminal.format {
        Format::Text if terminal.detail == Detail::Quiet && report.passes() => {}
        Format::Text => say_text(world, report),
        Format::Json => terminal.json(&json::value(report)),
        Format::Sarif => terminal.json(&sarif::log(report)),
        Format::Markdown => terminal.document(&markdown::text(report)),
    }
}

/// Annotates the lines that were found, and adds the report to the summary, in GitHub Actions.
pub fn tell_actions(world: &World, report: &Report) {
    world.annotate(
        &annotation::all(report),
        "the summary of this step has all of them",
    );
    world.summarise(|| markdown::text(report));
}

/// Prints a report for people beside the result of another verb.
pub fn say_text(world: &World, report: &Report) {
    let terminal = &world.terminal;
    terminal.text(&table::text(report, terminal.detail.into()));
}

/// Says in one line that a report lets a release go on, and warns of what it only tolerates.
pub fn sum_up(world: &World, report: &Report) {
    let (mark, _) = phrase::outcome(report);
    let sums = phrase::sums(report);
    world.terminal.done("audit", &sums);
    if mark != "✓" {
        let text = "the audit passes with warnings: cargo xtask audit, or dist/findings.md";
        world.terminal.warn(text);
    }
}

/// Refuses what the policy denies.
///
/// # Errors
/// The policy denies a finding, a license or an unused exception.
pub fn require_passing(report: &Report) -> Result<()> {
    if report.passes() {
        return Ok(());
    }
    Err(
        Error::refused(format!("the audit refuses this: {}", phrase::sums(report)))
            .hint("take the fixed versions that it names, and audit again")
            .hint(
                "accept a finding for a while with [[audit.ignore]] in release.toml: id, \
                 package, reason, until",
            ),
    )
}

/// Reads every lock file of the repository, or the ones that are named.
///
/// # Errors
/// git fails, or everything that is wrong with the lock files, all in one error.
pub fn subject(
    world: &World,
    policy: &Policy,
    groups: &[String],
    named: &[Utf8PathBuf],
) -> Result<Subject> {
    let discovered = match named {
        [] => discover(&listed(world)?, &policy.skips),
        named => Discovered {
            wanted: self::named(world, named)?,
            left_out: Vec::new(),
        },
    };
    Ok(Subject {
        scanned: read_all(world, groups, &discovered.wanted)?,
        skipped: discovered.left_out,
        extent: match named {
            [] => Extent::Whole,
            _ => Extent::Part,
        },
    })
}

/// All files of the repository below the root, and those that lie in it without being ignored.
fn listed(world: &World) -> Result<Vec<Listed>> {
    let output = source::git(world)
        .args(["ls-files", "-z", "-t", "--stage", "--cached", "--others"])
        .arg("--exclude-standard")
        .run()
        .map_err(|error| {
            error.hint("lock files are found among what git tracks; or name them: audit FILE…")
        })?
        .stdout;
    Ok(output.split('\0').filter_map(listed_file).collect())
}

/// `H 100644 … 0<TAB>path` for a tracked file, `? path` for another one.
fn listed_file(line: &str) -> Option<Listed> {
    let (tag, rest) = line.split_once(' ')?;
    let (path, state) = match tag {
        "?" => (rest, State::Untracked),
        _ => {
            let (entry, path) = rest.split_once('\t')?;
            let is_commit = entry.starts_with("160000 ");
            let state = match is_commit {
                true => State::Submodule,
                false => State::Tracked,
            };
            (path, state)
        }
    };
    Some(Listed {
        path: path.to_owned(),
        state,
    })
}

/// What the caller named, each once, however it was written.
fn named(world: &World, paths: &[Utf8PathBuf]) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    for path in paths {
        let one = named_file(world, path)?;
        if !found.iter().any(|other| other.path == one.path) {
            found.push(one);
        }
    }
    Ok(found)
}

fn named_file(world: &World, path: &Utf8Path) -> Result<Found> {
    let absolute = world.resolve(path);
    let name = absolute.file_name().unwrap_or_default();
    let kind = lockfile::kind_of(name).ok_or_else(|| {
        let known: Vec<&str> = lockfile::KINDS.iter().map(|kind| kind.name).collect();
        Error::usage(format!("{path}: no lock file goes by this name"))
            .hint(format!("known are {}", known.join(", ")))
    })?;
    // Without `..` and links in its folders; what is in no folder is reported when it is read.
    let parent = absolute.parent().map(Utf8Path::canonicalize_utf8);
    let real = match parent {
        Some(Ok(parent)) => parent.join(name),
        _ => absolute.clone(),
    };
    let root = world.root.canonicalize_utf8();
    let root = root.as_deref().unwrap_or(&world.root);
    let path = match real.strip_prefix(root) {
        Ok(inside) => {
            let parts: Vec<&str> = inside.components().map(|part| part.as_str()).collect();
            parts.join("/")
        }
        Err(_) => real.to_string(),
    };
    Ok(Found { path, kind })
}

/// Reads side by side on as many threads as there are processors, the largest first, so that
/// none of them is left with a large one at the end; the order stays.
fn read_all(world: &World, groups: &[String], wanted: &[Found]) -> Result<Vec<Scanned>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut queue: Vec<(usize, &Found)> = wanted.iter().enumerate().collect();
    queue.sort_by_cached_key(|(_, found)| {
        let file = std::fs::metadata(world.root.join(&found.path));
        Reverse(file.map_or(0, |file| file.len()))
    });
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((index, found)) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*index, read::lock(&world.root, groups, found)));
        }
        done
    };
    let mut results = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(wanted.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut results = work();
        for other in others {
            results.extend(other.join().expect("reading a lock file does not panic"));
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    let (read, failed): (Vec<_>, Vec<_>) = results
        .into_iter()
        .map(|(_, result)| result)
        .partition(Result::is_ok);
    match Error::together(failed.into_iter().filter_map(Result::err).collect()) {
        Some(error) => Err(error),
        None => Ok(read.into_iter().filter_map(Result::ok).collect()),
    }
}
