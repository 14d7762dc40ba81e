//! `package`: the extension's `.vsix`, carrying the wheel in `dist/`.

use std::collections::BTreeMap;

use camino::Utf8Path;
use clap::Args;

use crate::artifact::{Artifact, Kind, seal};
use crate::config::{Config, Extension};
use crate::dist::Release;
use crate::error::Result;
use crate::plan::{Inputs, with_files};
use crate::product::bundle;
use crate::product::vsix::{self, Dependencies, container};
use crate::source::{self, Tree};
use crate::stage::Stage;
use crate::tools::node::{self, Node};
use crate::world::World;
use crate::world::files;
use crate::world::lock::Lock;

use super::build::describe;

/// Arguments of `package`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Packages in a stage, writes the container anew, and holds it against the gate.
///
/// # Errors
/// No wheel and requirements of this commit in `dist/`, `vsce` refuses, or the gate does.
pub fn run(world: &World, _arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let extension = super::extension(&config)?;
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
    prepare(&config, extension, &stage, &release)?;
    let (artifact, bytes) = perform(world, &config, extension, &node, &stage, &release)?;
    drop(dependencies);
    release.put(artifact, bytes);
    release.write(world)
}

/// Puts the bundle, and `dist/` as the gate of the npm scripts reads it, into a stage.
///
/// # Errors
/// The disk is full.
pub fn prepare(
    config: &Config,
    extension: &Extension,
    stage: &Stage,
    release: &Release,
) -> Result<()> {
    let contents = bundle::contents(release, &config.server.console_script)?;
    bundle::write(
        &stage.root.join(&extension.path).join(&extension.bundle),
        &contents,
    )?;
    release.write_to(&stage.root.join("dist"))
}

/// Runs `vsce` in a prepared stage and seals what it packed.
///
/// # Errors
/// `vsce` refuses, a version differs, or the gate refuses the finished file.
pub fn perform(
    world: &World,
    config: &Config,
    extension: &Extension,
    node: &Node,
    stage: &Stage,
    release: &Release,
) -> Result<(Artifact, Vec<u8>)> {
    let step = world.terminal.step("package", "vsce package");
    let folder = stage.root.join(&extension.path);
    let package_json = extension.path.join("package.json");
    let text = files::read_text(&stage.root.join(&package_json))?;
    let package = vsix::package_json(&text, package_json.as_str())?;
    let epoch = release.manifest.source.source_date_epoch;
    let packed = vsix::run_vsce(world, node, &folder, extension, epoch)?;
    step.now("writing the container anew");
    let bytes = container::rewrite(&packed, epoch)?;
    let path = format!("{}-{}.vsix", package.name, package.version);
    let node_inputs = inputs(extension, node, release);
    let named = (package.name.as_str(), package.version.as_str());
    let artifact = seal(
        Kind::Vsix,
        named,
        &path,
        &bytes,
        with_files(&node_inputs, &release.manifest),
    );
    step.now("the gate");
    let report = super::check::vsix(
        world,
        config,
        Utf8Path::new(&path),
        &bytes,
        &release.manifest,
    )?;
    drop(step);
    super::check::say(world, &report);
    report.into_result()?;
    world.terminal.done("vsix", &describe(&artifact));
    Ok((artifact, bytes))
}

/// What a package is made from, beside the files it carries.
pub fn inputs(extension: &Extension, node: &Node, release: &Release) -> Inputs {
    let source = &release.manifest.source;
    package_inputs(extension, node, &source.commit, source.source_date_epoch)
}

/// As [`inputs`], before there is a release.
pub fn package_inputs(extension: &Extension, node: &Node, commit: &str, epoch: i64) -> Inputs {
    BTreeMap::from([
        ("commit".to_owned(), commit.to_owned()),
        ("source-date-epoch".to_owned(), epoch.to_string()),
        ("node".to_owned(), node.version.to_string()),
        (
            "package-arguments".to_owned(),
            extension.package_arguments.join(" "),
        ),
        ("tool".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ])
}
