//! `build`: wheel and sdist from the commit, into `dist/`.

use clap::Args;

use crate::artifact::Kind;
use crate::dist::Release;
use crate::error::Result;
use crate::exec;
use crate::exec::build::describe;
use crate::plan::Inputs;
use crate::product::wheel;
use crate::source::{self, Checkout, Tree};
use crate::stage::Stage;
use crate::tools::python;
use crate::world::World;
use crate::world::lock::Lock;

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Build the working tree instead of the commit; the result can never be published
    #[arg(long)]
    pub dirty: bool,
}

/// Builds, checks and seals; does nothing when the same inputs have given what is there.
///
/// # Errors
/// Everything from a tree that is not clean to a wheel that is not what it promises.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let _lock = Lock::take(world, "build")?;
    let checkout = source::observe(world)?;
    let tree = Tree::of(arguments.dirty);
    source::require_clean(&checkout, tree)?;
    note_untracked(world, &checkout, tree);
    let resumed = Release::resume(world, &checkout.source(tree))?;
    let tools = exec::build::requirements(world, &config, &checkout, tree)?;
    let known = python::existing(world, "build", &tools)
        .map(|environment| wheel::inputs(&environment, &checkout.source(tree)));
    if let (Some(release), Some(inputs)) = (&resumed, &known)
        && has(release, Kind::Wheel, inputs)
        && has(release, Kind::Sdist, inputs)
        && release.is_in_place(world)?
    {
        for artifact in &release.manifest.artifacts {
            if matches!(artifact.kind, Kind::Wheel | Kind::Sdist) {
                world
                    .terminal
                    .same(artifact.kind.word(), &describe(artifact));
            }
        }
        world.terminal.json(&release.manifest);
        return Ok(());
    }
    let environment = exec::build::environment(world, &tools)?;
    let stage = Stage::open(world, &checkout, tree)?;
    let built = exec::build::perform(world, &config, &environment, &checkout, &stage, tree)?;
    let release = exec::build::collect(resumed, built, &checkout, tree);
    release.write(world)?;
    world.terminal.json(&release.manifest);
    Ok(())
}

/// Untracked files are no reason to stop, but a forgotten `git add` deserves a word.
pub fn note_untracked(world: &World, checkout: &Checkout, tree: Tree) {
    let count = checkout.untracked.len();
    if tree == Tree::Head && count > 0 {
        let first = &checkout.untracked[0];
        world.terminal.warn(&format!(
            "{count} untracked file(s) are not in the release, e.g. {first}"
        ));
    }
}

fn has(release: &Release, kind: Kind, inputs: &Inputs) -> bool {
    release
        .manifest
        .only(kind)
        .is_ok_and(|artifact| artifact.inputs == *inputs)
}
