//! `ci`: what the workflows of a repository say, and their jobs on this machine.

pub mod check;
pub mod run;

use clap::{Args, Subcommand};

use crate::error::Result;
use crate::world::World;

/// Arguments of `ci`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a job's commands here, in a clean clone of HEAD, as CI would
    Run(run::Arguments),
    /// Judge the workflows and actions of any repository
    Check(check::Arguments),
}

impl Arguments {
    /// Whether its result is a list of findings, which SARIF can carry.
    pub fn has_findings(&self) -> bool {
        matches!(self.verb, Verb::Check(_))
    }
}

/// Passes on to the subcommand.
///
/// # Errors
/// As the subcommand.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    match &arguments.verb {
        Verb::Run(arguments) => run::run(world, arguments),
        Verb::Check(arguments) => check::run(world, arguments),
    }
}
