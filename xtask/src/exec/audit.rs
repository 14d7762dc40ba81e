//! An audit of a repository: its lock files read, looked up, and what was found said.

use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;

use super::advisories::{Advisories, Wanted};
use crate::artifact::Digest;
use crate::audit::discover::{Found, Listed, beside, discover};
use crate::audit::examine::{Extent, Scanned, Subject, examine};
use crate::audit::license::{Known, judge};
use crate::audit::policy::Policy;
use crate::audit::report::{LockFile, Report};
use crate::audit::table;
use crate::audit::{json, markdown, phrase, sarif};
use crate::config::Config;
use crate::error::{Context, Error, Result};
use crate::lockfile::{self, Input};
use crate::source;
use crate::world::terminal::{Detail, Format};
use crate::world::{World, files};

/// The largest lock file that is read; the largest known ones have a tenth of it.
const SIZE_LIMIT: u64 = 64 << 20;

/// Reads every lock file of the repository, or the ones that are named.
///
/// # Errors
/// A lock file that cannot be read, or no lock file at all.
pub fn inventory(world: &World, config: &Config, named: &[Utf8PathBuf]) -> Result<Subject> {
    let subject = subject(world, &config.audit, &config.server.groups, named)?;
    if !subject.scanned.is_empty() {
        return Ok(subject);
    }
    Err(
        Error::precondition("there is no lock file to audit, and an audit of nothing says nothing")
            .hint("lock the server's dependencies and add the lock file to git: poetry lock")
            .hint("or name one: cargo xtask audit FILE"),
    )
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
    let found = match named {
        [] => discover(&listed(world)?, &policy.skips),
        named => self::named(world, named)?,
    };
    let (skipped, wanted): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| found.skipped.is_some());
    Ok(Subject {
        scanned: read_all(world, groups, &wanted)?,
        skipped: skipped.into_iter().map(left_out).collect(),
        extent: match named {
            [] => Extent::Whole,
            _ => Extent::Part,
        },
    })
}

/// All files of the repository below the root, and those that lie in it without being ignored.
fn listed(world: &World) -> Result<Vec<Listed>> {
    let output = source::git(world)
        .args(["ls-files", "-z", "-t", "--cached", "--others"])
        .arg("--exclude-standard")
        .run()
        .map_err(|error| {
            error.hint("lock files are found among what git tracks; or name them: audit FILE…")
        })?
        .stdout;
    Ok(output.split('\0').filter_map(listed_file).collect())
}

/// `H path` for a tracked file, `? path` for another one.
fn listed_file(line: &str) -> Option<Listed> {
    let (tag, path) = line.split_once(' ')?;
    Some(Listed {
        path: path.to_owned(),
        tracked: tag != "?",
    })
}

fn named(world: &World, paths: &[Utf8PathBuf]) -> Result<Vec<Found>> {
    let find = |path: &Utf8PathBuf| {
        let absolute = world.resolve(path);
        let name = absolute.file_name().unwrap_or_default();
        let kind = lockfile::kind_of(name).ok_or_else(|| {
            let known: Vec<&str> = lockfile::KINDS.iter().map(|kind| kind.name).collect();
            Error::usage(format!("{path}: no lock file goes by this name"))
                .hint(format!("known are {}", known.join(", ")))
        })?;
        Ok(Found {
            path: world.show(&absolute).to_string(),
            kind,
            skipped: None,
        })
    };
    paths.iter().map(find).collect()
}

fn left_out(found: Found) -> LockFile {
    LockFile {
        path: found.path,
        kind: found.kind.name.to_owned(),
        ecosystem: Some(found.kind.ecosystem),
        format: String::new(),
        packages: 0,
        checked: 0,
        skipped: found.skipped,
        notes: Vec::new(),
    }
}

/// Reads side by side on as many threads as there are processors; the order stays.
fn read_all(world: &World, groups: &[String], wanted: &[Found]) -> Result<Vec<Scanned>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(found) = wanted.get(index) else {
                return done;
            };
            done.push((index, read(&world.root, groups, found)));
        }
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

fn read(root: &Utf8Path, groups: &[String], found: &Found) -> Result<Scanned> {
    let file = root.join(&found.path);
    let size = std::fs::metadata(&file)
        .doing(|| format!("read {}", found.path))?
        .len();
    if size > SIZE_LIMIT {
        return Err(Error::failure(format!(
            "{}: {size} bytes; a lock file may have {SIZE_LIMIT}",
            found.path
        ))
        .hint("if it is no lock file, leave it out with [[audit.skip]] in release.toml"));
    }
    let text = files::read_text(&file)?;
    let path = Utf8Path::new(&found.path);
    // A file outside of the repository is read with what lies in its own folder.
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let (root, folder) = match folder.is_absolute() {
        true => (folder, ""),
        false => (root, folder.as_str()),
    };
    let input = Input {
        text: &text,
        path,
        shipping_groups: groups,
        beside: &|name| neighbour(root, folder, name),
    };
    let lock = (found.kind.read)(&input)?;
    Ok(Scanned {
        path: found.path.clone(),
        kind: found.kind,
        lock,
        sha256: Digest::of(text.as_bytes()),
    })
}

fn neighbour(root: &Utf8Path, folder: &str, name: &str) -> Option<String> {
    let path = root.join(beside(folder, name)?);
    let is_small = std::fs::metadata(&path).is_ok_and(|found| found.len() <= SIZE_LIMIT);
    is_small.then(|| files::read_text(&path).ok()).flatten()
}
