//! `verify`: what was published is what is in `dist/`, byte for byte, and its files fit together.

use clap::Args;

use crate::config::publish::LOCAL;
use crate::error::Result;
use crate::exec::publish as exec;
use crate::exec::publish::verify::{self, Link, Report, Verified};
use crate::github::summary::{self, Row};
use crate::publish::Selection;
use crate::registry::Level;
use crate::world::World;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Download from every target of this profile of release.toml
    #[arg(long, value_name = "PROFILE", default_value = LOCAL)]
    to: String,
    /// Download from this target alone
    #[arg(long, value_name = "TARGET", conflicts_with = "to")]
    from: Option<String>,
    /// The SHA-256 that dist/manifest.json must have, as the job that built it stated it
    #[arg(long, value_name = "SHA256")]
    manifest_digest: Option<String>,
}

/// Downloads, compares, follows what the files say of each other, and prints all of it.
///
/// # Errors
/// Other bytes or a broken chain (4); something is missing or could not be had (1); something is
/// not visible yet (3).
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let profile = match &arguments.from {
        Some(target) => verify::only(&config, target)?,
        None => exec::profile(&config, &arguments.to)?.clone(),
    };
    exec::require_manifest(world, arguments.manifest_digest.as_deref())?;
    let release = verify::release(world)?;
    let session = exec::open(world, &config, &release, &profile, Selection::All)?;
    let report = session.examine()?;
    say(world, &report);
    let release = &report.release;
    let title = format!("Verify {} {}", release.name, release.version);
    world.summarise(|| summary::checks(&title, "target", &rows(&report)));
    for skip in &profile.skips {
        let text = format!("left out by release.toml: {}", skip.reason);
        world.terminal.same(&skip.target, &text);
    }
    world.terminal.json(&report);
    report.require_whole()
}

/// A line for each target, and one for everything that does not hold.
fn say(world: &World, report: &Report) {
    let terminal = &world.terminal;
    for from in &report.from {
        let (same, level) = from.same();
        let by = match level {
            Level::Bytes => "the same bytes",
            Level::Digest => "the same digests",
            Level::Payload => "the same contents in another container",
        };
        let detail = format!("{same} of {}: {by}", from.items.len());
        match same == from.items.len() {
            true => terminal.done(&from.target, &detail),
            false => terminal.failed(&from.target, &detail),
        }
        let problems = from.items.iter().filter_map(Verified::problem);
        for (_, what) in problems {
            terminal.failed(&from.target, &what);
        }
        for link in &from.chain {
            follow(world, &from.target, link);
        }
    }
    for link in &report.chain {
        follow(world, "dist", link);
    }
}

/// The same for the summary of a step.
fn rows(report: &Report) -> Vec<Row> {
    let row = |name: &str, mark, detail: String| Row {
        name: name.to_owned(),
        mark,
        detail,
    };
    let mark = |held: bool| if held { "✓" } else { "✗" };
    let mut rows = Vec::new();
    for from in &report.from {
        for item in &from.items {
            rows.push(match item.problem() {
                None => row(&from.target, "✓", format!("{}: the same", item.item.key)),
                Some((_, what)) => row(&from.target, "✗", what),
            });
        }
        let link = |link: &Link| {
            let detail = format!("{}: {}", link.file, link.detail);
            row(&from.target, mark(link.held), detail)
        };
        rows.extend(from.chain.iter().map(link));
    }
    let link = |link: &Link| {
        let detail = format!("{}: {}", link.file, link.detail);
        row("dist", mark(link.held), detail)
    };
    rows.extend(report.chain.iter().map(link));
    rows
}

fn follow(world: &World, place: &str, link: &Link) {
    let text = format!("{}: {}", link.file, link.detail);
    match link.held {
        true => world.terminal.done(place, &text),
        false => world.terminal.failed(place, &text),
    }
}
