//! Packaging the extension in a stage, and holding the result against the gate.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::build::describe;
use super::gate;
use crate::artifact::{Artifact, Kind, Source, seal};
use crate::config::{Config, Extension};
use crate::dist::Release;
use crate::error::Result;
use crate::plan::{Inputs, with_files};
use crate::product::bundle;
use crate::product::vsix::{self, Channel, container};
use crate::stage::Stage;
use crate::tools::node::Node;
use crate::world::{World, files};

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
    let channel = Channel::of(&release.manifest.version);
    let packed = vsix::run_vsce(world, node, &folder, extension, channel, epoch)?;
    step.now("writing the container anew");
    let bytes = container::rewrite(&packed, epoch)?;
    let path = format!("{}-{}.vsix", package.name, package.version);
    let node_inputs = inputs(extension, node, &release.manifest.source);
    let named = (package.name.as_str(), package.version.as_str());
    let artifact = seal(
        Kind::Vsix,
        named,
        &path,
        &bytes,
        with_files(&node_inputs, &release.manifest),
    );
    step.now("the gate");
    let report = gate::vsix(
        world,
        config,
        Utf8Path::new(&path),
        &bytes,
        &release.manifest,
    )?;
    drop(step);
    gate::say(world, &report);
    report.into_result()?;
    world.terminal.done("vsix", &describe(&artifact));
    Ok((artifact, bytes))
}

/// What a package is made from, beside the files it carries.
pub fn inputs(extension: &Extension, node: &Node, source: &Source) -> Inputs {
    BTreeMap::from([
        ("commit".to_owned(), source.commit.clone()),
        (
            "source-date-epoch".to_owned(),
            source.source_date_epoch.to_string(),
        ),
        ("node".to_owned(), node.version.to_string()),
        (
            "package-arguments".to_owned(),
            extension.package_arguments.join(" "),
        ),
        ("tool".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ])
}
