//! `doctor`: what this machine and this repository need for each verb.

use clap::Args;

use crate::error::Result;
use crate::world::World;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Looks and reports; changes nothing.
///
/// # Errors
/// Something needed is missing.
pub fn run(world: &World, _arguments: &Arguments) -> Result<()> {
    super::configuration(world)?;
    Ok(())
}
