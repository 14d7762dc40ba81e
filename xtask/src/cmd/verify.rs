//! `verify`: what was published is what is in `dist/`, byte for byte, and its files fit together.

use clap::Args;

use crate::config::publish::LOCAL;
use crate::error::Result;
use crate::exec::publish as exec;
use crate::exec::publish::verify::{self, Link, Report, Verified};
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

fn follow(world: &World, place: &str, link: &Link) {
    let text = format!("{}: {}", link.file, link.detail);
    match link.held {
        true => world.terminal.done(place, &text),
        false => world.terminal.failed(place, &text),
    }
}
