//! `bundle`: the wheel in `dist/` into the extension's bundle folder.

use clap::Args;

use crate::artifact::Kind;
use crate::dist::{self, Release};
use crate::error::{Error, Result};
use crate::source::{self, Checkout, Tree};
use crate::world::World;
use crate::world::lock::Lock;

use crate::exec;
use crate::exec::build::describe;

/// Arguments of `bundle`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Exports the requirements of the built commit, then swaps the bundle folder.
///
/// # Errors
/// There is no wheel of this commit in `dist/`, the lock file is stale, or the disk is full.
pub fn run(world: &World, _arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let extension = config.required_extension()?;
    let _lock = Lock::take(world, "bundle")?;
    let checkout = source::observe(world)?;
    let mut release = built(world, &checkout)?;
    let tree = Tree::of(release.manifest.source.dirty);
    let text = exec::bundle::locked_requirements(world, &config.server, &checkout, tree)?;
    let (artifact, bytes) = exec::bundle::sealed_requirements(&config, text, &release);
    let known = release
        .manifest
        .only(Kind::Requirements)
        .is_ok_and(|old| *old == artifact);
    if known {
        world.terminal.same("requirements", &describe(&artifact));
    } else {
        world.terminal.done("requirements", &describe(&artifact));
        release.put(artifact, bytes);
        release.write(world)?;
    }
    exec::bundle::place(world, &config, extension, &release)?;
    world.terminal.json(&release.manifest);
    Ok(())
}

/// The release in `dist/`, which must hold a wheel of the commit that is checked out.
///
/// # Errors
/// There is none, or it is of another commit.
pub fn built(world: &World, checkout: &Checkout) -> Result<Release> {
    let manifest = dist::required_manifest(world)?;
    let source = &manifest.source;
    if source.commit != checkout.commit {
        return Err(Error::precondition(format!(
            "dist/ holds a build of commit {:.12}, but {:.12} is checked out",
            source.commit, checkout.commit
        ))
        .hint("build this one: cargo xtask build"));
    }
    Release::load(world, manifest)
}
