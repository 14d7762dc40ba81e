//! Building wheel and sdist in a stage, and sealing them.

use camino::Utf8Path;

use crate::artifact::{Artifact, Kind, seal};
use crate::config::Config;
use crate::dist::Release;
use crate::error::{Error, Result};
use crate::product::{backend, pyproject, wheel};
use crate::source::{self, Checkout, Tree};
use crate::stage::Stage;
use crate::tools::python;
use crate::world::World;
use crate::world::terminal::size;

/// What one build made, sealed.
#[derive(Debug)]
pub struct Made {
    /// Wheel and sdist with their bytes.
    pub files: Vec<(Artifact, Vec<u8>)>,
    /// The name and version of the release.
    pub identity: (String, String),
}

/// The hash-locked requirements of the environment that builds a tree's server: those of its back
/// end, or the file that `release.toml` names.
///
/// # Errors
/// `pyproject.toml` is missing or damaged, its back end is not known, or its version is nowhere
/// but in git's tags.
pub fn requirements(
    world: &World,
    config: &Config,
    checkout: &Checkout,
    tree: Tree,
) -> Result<String> {
    let read = |path: &Utf8Path| source::text(world, checkout, tree, path);
    let file = config.server.path.join("pyproject.toml");
    let project = pyproject::parse(&read(&file)?, file.as_str())?;
    backend::require_stated_version(&project, file.as_str())?;
    let Some(own) = &config.build.requirements else {
        return backend::requirements(&project, file.as_str()).map(str::to_owned);
    };
    let text = read(own)?;
    if text
        .lines()
        .any(|line| line.trim_start().starts_with("build=="))
    {
        return Ok(text);
    }
    let error = Error::usage(format!(
        "{own}, which release.toml names under [build], pins no `build`, the program that runs \
         back ends"
    ));
    Err(backend::locked_by_hand(error, &project))
}

/// The environment with these requirements, installed on first use.
///
/// # Errors
/// No interpreter, no network on first use, or a requirement without a digest.
pub fn environment(world: &World, requirements: &str) -> Result<python::Environment> {
    match python::existing(world, "build", requirements) {
        Some(environment) => Ok(environment),
        None => python::create(world, "build", requirements),
    }
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
