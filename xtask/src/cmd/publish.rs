//! `publish`: brings the release in `dist/` to every target of a profile, exactly as `plan`
//! prints it. Without `--execute` it only prints.

use clap::Args;
use serde_json::json;

use super::plan::Narrow;
use crate::artifact::Kind;
use crate::config::Config;
use crate::config::publish::LOCAL;
use crate::dist::Release;
use crate::error::Result;
use crate::exec::publish as exec;
use crate::github::summary;
use crate::ledger::Ledger;
use crate::publish::Selection;
use crate::world::World;
use crate::world::lock::Lock;

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The profile of release.toml
    #[arg(long, value_name = "PROFILE", default_value = LOCAL)]
    pub to: String,
    /// What narrows it down.
    #[command(flatten)]
    pub narrow: Narrow,
    /// Do it; without this the plan is printed and nothing is sent
    #[arg(long)]
    pub execute: bool,
}

/// Plans, and performs the plan when that is asked for.
///
/// # Errors
/// As [`super::plan::run`]; with `--execute`, whatever keeps a target from having the release.
/// What was sent stays sent, and the next run goes on from there.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    if !arguments.execute {
        let (to, narrow) = (arguments.to.clone(), arguments.narrow.clone());
        super::plan::run(world, &super::plan::Arguments { to, narrow })?;
        world
            .terminal
            .text("nothing was sent: to do this, add --execute");
        return Ok(());
    }
    let config = super::configuration(world)?;
    exec::profile(&config, &arguments.to)?;
    let _lock = Lock::take(world, "publish")?;
    let published = execute(world, &config, &arguments.to, &arguments.narrow)?;
    world.terminal.json(&published.json);
    published.outcome
}

fn is_audited(release: &Release) -> bool {
    release.manifest.find(Kind::Findings).is_some()
}

/// How publishing ended.
#[derive(Debug)]
pub struct Published {
    /// The plan and what came of each step, for programs.
    pub json: serde_json::Value,
    /// What went wrong, if something did.
    pub outcome: Result<()>,
}

/// Publishes what is in `dist/`; the caller holds the lock.
///
/// # Errors
/// Nothing could be sent at all. What went wrong afterwards is in the outcome.
pub fn execute(
    world: &World,
    config: &Config,
    profile: &str,
    narrow: &Narrow,
) -> Result<Published> {
    let profile = exec::profile(config, profile)?;
    exec::require_manifest(world, narrow.manifest_digest.as_deref())?;
    exec::sweep(world)?;
    let release = exec::releasable(world, config)?;
    let mut session = exec::open(world, config, &release, profile, narrow.selection())?;
    session.ledger = Some(Ledger::open(world)?);
    let plan = session.plan()?;
    world.terminal.text(&plan.text(world.now()));
    let free = session.require_free(&plan);
    if let Err(error) = free.and_then(|()| session.require_ready(&plan)) {
        // Nothing is sent; what would have been is worth knowing.
        world.summarise(|| summary::plan(&plan, &session.pages(), world.now()));
        return Err(error);
    }
    let summary = session.perform(&plan);
    world.summarise(|| summary::published(&plan, &summary.rows(), &session.pages()));
    if let Some(why) = config
        .publish
        .without_audit
        .as_ref()
        .filter(|_| !is_audited(&release))
    {
        let text = format!("left out by release.toml: {why}");
        world.terminal.same("audit", &text);
    }
    for skip in &plan.skipped {
        let text = format!("left out by release.toml: {}", skip.reason);
        world.terminal.same(&skip.target, &text);
    }
    let json = json!({
        "schema": 1,
        "plan": plan,
        "outcomes": summary.json(),
    });
    let outcome = summary.require_good();
    if outcome.is_ok() {
        let manifest = &release.manifest;
        let (name, version) = (&manifest.name, &manifest.version);
        let but = match plan.skipped.is_empty() {
            true => "",
            false => " but those left out",
        };
        let said = match narrow.selection() {
            Selection::All => format!(
                "{name} {version} is at every target of {}{but}",
                profile.name
            ),
            Selection::Only(names) => format!("{name} {version} is at {}", names.join(", ")),
        };
        match plan.is_converged() {
            true => world.terminal.same("publish", &said),
            false => world.terminal.done("publish", &said),
        }
    }
    Ok(Published { json, outcome })
}
