//! `build`: wheel and sdist from the commit, into `dist/`.

use clap::Args;

use crate::artifact::{Artifact, Kind, seal};
use crate::config::Config;
use crate::dist::Release;
use crate::error::Result;
use crate::plan::Inputs;
use crate::product::wheel;
use crate::source::{self, Checkout, Tree};
use crate::stage::Stage;
use crate::tools::python;
use crate::world::World;
use crate::world::lock::Lock;
use crate::world::terminal::size;

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
    let known = python::existing(world, "build", python::BUILD_REQUIREMENTS)
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
    let environment = python::build_environment(world)?;
    let stage = Stage::open(world, &checkout, tree)?;
    let built = perform(world, &config, &environment, &checkout, &stage, tree)?;
    let release = collect(resumed, built, &checkout, tree);
    release.write(world)?;
    world.terminal.json(&release.manifest);
    Ok(())
}

/// What one build made, sealed.
#[derive(Debug)]
pub struct Made {
    /// Wheel and sdist with their bytes.
    pub files: Vec<(Artifact, Vec<u8>)>,
    /// The name and version of the release.
    pub identity: (String, String),
}

/// Builds in a stage, and says what came of it.
///
/// # Errors
/// As [`wheel::build`].
pub fn perform(
    world: &World,
    config: &Config,
    environment: &python::Environment,
    checkout: &Checkout,
    stage: &Stage,
    tree: Tree,
) -> Result<Made> {
    let step = world
        .terminal
        .step("build", "wheel and sdist through PEP 517");
    let folder = stage.root.join(&config.server.path);
    let script = &config.server.console_script;
    let built = wheel::build(world, environment, &folder, checkout.epoch, script)?;
    let identity = (built.facts.name.clone(), built.facts.version.clone());
    let inputs = wheel::inputs(environment, &checkout.source(tree));
    let named = (identity.0.as_str(), identity.1.as_str());
    let wheel = seal(
        Kind::Wheel,
        named,
        &built.wheel,
        &built.wheel_bytes,
        inputs.clone(),
    );
    let sdist = seal(Kind::Sdist, named, &built.sdist, &built.sdist_bytes, inputs);
    step.done(&format!(
        "{} {} from {}",
        identity.0,
        identity.1,
        &checkout.commit[..12]
    ));
    world.terminal.done("wheel", &describe(&wheel));
    world.terminal.done("sdist", &describe(&sdist));
    Ok(Made {
        files: vec![(wheel, built.wheel_bytes), (sdist, built.sdist_bytes)],
        identity,
    })
}

/// Puts what was made into the release it belongs to, or into a new one.
pub fn collect(resumed: Option<Release>, made: Made, checkout: &Checkout, tree: Tree) -> Release {
    let (name, version) = &made.identity;
    let mut release = resumed
        .filter(|release| release.manifest.version == *version && release.manifest.name == *name)
        .unwrap_or_else(|| Release::empty(name, version, checkout.source(tree)));
    for (artifact, bytes) in made.files {
        release.put(artifact, bytes);
    }
    release
}

/// A file as one line shows it: name, size, digest.
pub fn describe(artifact: &Artifact) -> String {
    format!(
        "{}  {}  {}",
        artifact.path,
        size(artifact.size),
        artifact.sha256.short()
    )
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
