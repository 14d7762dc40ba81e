//! `plan`: what every target of a profile has, and what publishing would send. Sends nothing.

use clap::Args;

use super::publish::Published;
use crate::config::Config;
use crate::config::publish::LOCAL;
use crate::error::Result;
use crate::exec::publish as exec;
use crate::github::summary;
use crate::world::World;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The profile of release.toml
    #[arg(long, value_name = "PROFILE", default_value = LOCAL)]
    pub to: String,
}

/// Asks, decides and prints.
///
/// # Errors
/// The release in `dist/` must not be published; a target has other bytes (4), could not be
/// asked (1) or has not made visible yet what it took (3).
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let looked = look(world, &config, &arguments.to)?;
    world.terminal.json(&looked.json);
    looked.outcome
}

/// Prints the plan for a profile, and gives it for programs.
///
/// # Errors
/// No plan can be made. What is wrong with it is in the outcome.
pub fn look(world: &World, config: &Config, profile: &str) -> Result<Published> {
    let profile = exec::profile(config, profile)?;
    let release = exec::releasable(world, config)?;
    let session = exec::open(world, config, &release, profile)?;
    let plan = session.plan()?;
    world.terminal.text(&plan.text(world.now()));
    world.summarise(|| summary::plan(&plan, &session.pages(), world.now()));
    Ok(Published {
        json: serde_json::to_value(&plan).expect("plain data always serialises"),
        outcome: exec::require_sound(&plan),
    })
}
