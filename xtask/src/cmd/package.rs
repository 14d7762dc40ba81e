//! `package`: the extension's `.vsix`, carrying the wheel in `dist/`.

use clap::Args;

use crate::artifact::Kind;
use crate::error::Result;
use crate::exec;
use crate::product::vsix::Dependencies;
use crate::source::{self, Tree};
use crate::stage::Stage;
use crate::tools::node::{self};
use crate::world::World;
use crate::world::lock::Lock;

/// Arguments of `package`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Packages in a stage, writes the container anew, and holds it against the gate.
///
/// # Errors
/// No wheel and requirements of this commit in `dist/`, `vsce` refuses, or the gate does.
pub fn run(world: &World, _arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let extension = config.required_extension()?;
    let _lock = Lock::take(world, "package")?;
    let checkout = source::observe(world)?;
    let mut release = super::bundle::built(world, &checkout)?;
    release
        .manifest
        .only(Kind::Requirements)
        .map_err(|error| error.hint("cargo xtask bundle"))?;
    let tree = Tree::of(release.manifest.source.dirty);
    source::require_clean(&checkout, tree)?;
    let node = node::node(world)?;
    let stage = Stage::open(world, &checkout, tree)?;
    let dependencies = Dependencies::lend(world, &node, &stage.root.join(&extension.path))?;
    exec::package::prepare(&config, extension, &stage, &release)?;
    let (artifact, bytes) =
        exec::package::perform(world, &config, extension, &node, &stage, &release)?;
    drop(dependencies);
    release.put(artifact, bytes);
    release.write(world)?;
    world.terminal.json(&release.manifest);
    Ok(())
}
