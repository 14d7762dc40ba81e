//! `ci`: what the workflows of a repository say, and their jobs on this machine.

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
}

/// Passes on to the subcommand.
///
/// # Errors
/// As the subcommand.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    match &arguments.verb {
        Verb::Run(arguments) => run::run(world, arguments),
    }
}
