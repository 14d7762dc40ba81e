//! The verbs, one file each: read inputs, call pure code, perform effects.

pub mod audit;
pub mod build;
pub mod bundle;
pub mod changelog;
pub mod check;
pub mod ci;
pub mod completions;
pub mod doctor;
pub mod image;
pub mod init;
pub mod lint;
pub mod lock;
pub mod man;
pub mod package;
pub mod plan;
pub mod prove;
pub mod publish;
pub mod release;
pub mod requirements;
pub mod sbom;
pub mod test;
pub mod trace;
pub mod verify;
pub mod version;

use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::world::{CONFIGURATION_FILE, World, files};

/// Reads `release.toml` of the repository.
///
/// # Errors
/// There is none, it cannot be read, or everything that is wrong in it.
pub fn configuration(world: &World) -> Result<Config> {
    let path = world.root.join(CONFIGURATION_FILE);
    if !path.exists() {
        return Err(
            Error::usage(format!("no {CONFIGURATION_FILE} in {}", world.root))
                .hint("name the folder that holds it with --root DIR")
                .hint("write one: cargo xtask init"),
        );
    }
    let text = files::read_text(&path)?;
    config::parse(&text, CONFIGURATION_FILE)
}
