//! `bundle`: the wheel in `dist/` into the extension's bundle folder.

use clap::Args;

use crate::artifact::{Artifact, Kind, seal};
use crate::config::{Config, Extension, Server};
use crate::dist::{self, Release};
use crate::error::{Error, Result};
use crate::plan::Inputs;
use crate::product::bundle::{self, REQUIREMENTS_FILE};
use crate::requirements;
use crate::source::{self, Checkout, Tree};
use crate::world::World;
use crate::world::lock::Lock;
use crate::world::terminal::size;

use super::build::describe;

/// Arguments of `bundle`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Exports the requirements of the built commit, then swaps the bundle folder.
///
/// # Errors
/// There is no wheel of this commit in `dist/`, the lock file is stale, or the disk is full.
pub fn run(world: &World, _arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let extension = super::extension(&config)?;
    let _lock = Lock::take(world, "bundle")?;
    let checkout = source::observe(world)?;
    let mut release = built(world, &checkout)?;
    let tree = Tree::of(release.manifest.source.dirty);
    let text = locked_requirements(world, &config.server, &checkout, tree)?;
    let (artifact, bytes) = sealed_requirements(&config, text, &release);
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
    place(world, &config, extension, &release)
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

/// Seals exported requirements as those of a release's wheel.
pub fn sealed_requirements(
    config: &Config,
    text: String,
    release: &Release,
) -> (Artifact, Vec<u8>) {
    let manifest = &release.manifest;
    let named = (manifest.name.as_str(), manifest.version.as_str());
    let inputs = requirements_inputs(&config.server, &manifest.source.commit);
    let artifact = seal(
        Kind::Requirements,
        named,
        REQUIREMENTS_FILE,
        text.as_bytes(),
        inputs,
    );
    (artifact, text.into_bytes())
}

/// The requirements that a tree's lock file stands for.
///
/// # Errors
/// The lock file is missing, stale or not valid.
pub fn locked_requirements(
    world: &World,
    server: &Server,
    checkout: &Checkout,
    tree: Tree,
) -> Result<String> {
    let (pyproject, lock) = (
        server.path.join("pyproject.toml"),
        server.path.join("poetry.lock"),
    );
    let pyproject_text = source::text(world, checkout, tree, &pyproject)?;
    let lock_text = source::text(world, checkout, tree, &lock)?;
    requirements::of_server(server, (&pyproject, &pyproject_text), (&lock, &lock_text))
}

/// What the exported requirements are made from.
pub fn requirements_inputs(server: &Server, commit: &str) -> Inputs {
    Inputs::from([
        ("commit".to_owned(), commit.to_owned()),
        ("groups".to_owned(), server.groups.join(",")),
        ("extras".to_owned(), server.extras.join(",")),
        ("tool".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ])
}

/// Swaps the working tree's bundle folder, unless it holds these bytes already.
///
/// # Errors
/// The disk is full or read-only; the old folder then stays.
pub fn place(
    world: &World,
    config: &Config,
    extension: &Extension,
    release: &Release,
) -> Result<()> {
    let folder = world.root.join(&extension.path).join(&extension.bundle);
    let contents = bundle::contents(release, &config.server.console_script)?;
    let bytes: usize = contents.values().map(Vec::len).sum();
    let detail = format!(
        "{}  {} files  {}  carries {}",
        world.show(&folder),
        contents.len(),
        size(bytes as u64),
        release.manifest.only(Kind::Wheel)?.sha256.short()
    );
    if bundle::is_in_place(&folder, &contents) {
        world.terminal.same("bundle", &detail);
    } else {
        bundle::write(&folder, &contents)?;
        world.terminal.done("bundle", &detail);
    }
    Ok(())
}
