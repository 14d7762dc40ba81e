//! `plan`: what every target of a profile has, and what publishing would send. Sends nothing.

use clap::Args;

use super::publish::Published;
use crate::config::Config;
use crate::config::publish::LOCAL;
use crate::error::Result;
use crate::exec::publish as exec;
use crate::github::summary;
use crate::publish::Selection;
use crate::world::World;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The profile of release.toml
    #[arg(long, value_name = "PROFILE", default_value = LOCAL)]
    pub to: String,
    /// What narrows it down.
    #[command(flatten)]
    pub narrow: Narrow,
}

/// What narrows a run down.
#[derive(Debug, Clone, Default, Args)]
pub struct Narrow {
    /// Only this target of the profile, and what it needs to have; may be given again
    #[arg(long, value_name = "TARGET")]
    pub only: Vec<String>,
    /// The SHA-256 that dist/manifest.json must have, as the job that built it stated it
    #[arg(long, value_name = "SHA256")]
    pub manifest_digest: Option<String>,
}

impl Narrow {
    /// The targets that the run is for.
    pub fn selection(&self) -> Selection<'_> {
        match self.only.as_slice() {
            [] => Selection::All,
            names => Selection::Only(names),
        }
    }
}

/// Asks, decides and prints.
///
/// # Errors
/// The release in `dist/` must not be published; a target has other bytes (4), could not be
/// asked (1) or has not made visible yet what it took (3).
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let looked = look(world, &config, &arguments.to, &arguments.narrow)?;
    world.terminal.json(&looked.json);
    looked.outcome
}

/// Prints the plan for a profile, and gives it for programs.
///
/// # Errors
/// No plan can be made. What is wrong with it is in the outcome.
pub fn look(world: &World, config: &Config, profile: &str, narrow: &Narrow) -> Result<Published> {
    let profile = exec::profile(config, profile)?;
    exec::require_manifest(world, narrow.manifest_digest.as_deref())?;
    let release = exec::releasable(world, config)?;
    let session = exec::open(world, config, &release, profile, narrow.selection())?;
    let plan = session.plan()?;
    world.terminal.text(&plan.text(world.now()));
    world.summarise(|| summary::plan(&plan, &session.pages(), world.now()));
    Ok(Published {
        json: serde_json::to_value(&plan).expect("plain data always serialises"),
        outcome: exec::require_sound(&plan),
    })
}
