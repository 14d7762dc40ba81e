//! `check`: the prepublish gate, on the extension's folder or on a finished package.

mod folder;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::artifact::{Digest, Kind, MANIFEST_FILE, Manifest};
use crate::config::Config;
use crate::dist;
use crate::error::{Context, Error, Result};
use crate::exec;
use crate::gate::{self, Expected, Form, Report, Subject};
use crate::world::terminal::Format;
use crate::world::{World, files};

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A `.vsix` or an extension's folder; by default the release's `.vsix` if dist/ has one,
    /// else the extension's folder
    #[arg(value_name = "PATH")]
    path: Option<Utf8PathBuf>,
}

/// Judges, prints, and refuses when there is a finding.
///
/// # Errors
/// A finding (exit code 6), a path that cannot be read, or no release to compare with.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let manifest = dist::manifest(world)?;
    let path = match &arguments.path {
        Some(path) => world.resolve(path),
        None => default_path(world, &config, manifest.as_ref())?,
    };
    let report = if path.is_dir() {
        folder(world, &config, &path, manifest.as_ref())?
    } else {
        let bytes = read(world, &config, &path)?;
        let manifest = manifest.ok_or_else(|| without_release(world, &path))?;
        let report = exec::gate::vsix(world, &config, &path, &bytes, &manifest)?;
        print(world, &report);
        report.into_result()?;
        return require_sealed(world, &manifest, &path, &bytes);
    };
    print(world, &report);
    report.into_result().map(drop)
}

/// A package in dist/ is the one that was made, byte for byte: no rule of the gate can tell
/// other code of the extension from its own. One that lies elsewhere may be anything that
/// passes, so it is only said that it is not the released one.
fn require_sealed(world: &World, manifest: &Manifest, path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    match manifest.only(Kind::Vsix) {
        Ok(sealed) if world.dist().join(&sealed.path) == path => {
            dist::bytes(world, sealed).map(drop)
        }
        Ok(sealed) if sealed.sha256 != Digest::of(bytes) => {
            let (shown, released) = (world.show(path), &sealed.path);
            let text = format!("{shown} passes, but its bytes are not those of dist/{released}");
            world.terminal.warn(&text);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Judges what would be packaged from an extension's folder. Without a release the bundle is
/// compared with itself, which is a finding.
///
/// # Errors
/// The folder cannot be read, or the repository has no extension.
pub fn folder(
    world: &World,
    config: &Config,
    path: &Utf8Path,
    manifest: Option<&Manifest>,
) -> Result<Report> {
    let policy = exec::gate::policy(config)?;
    let expected = manifest.map(Expected::of).transpose()?;
    let extension = config.required_extension()?;
    let subject = Subject {
        name: world.show(path).to_string(),
        form: Form::Folder,
        entries: folder::entries(path, extension, &policy)?,
        findings: Vec::new(),
    };
    Ok(gate::judge(subject, &policy, expected.as_ref()))
}

/// Prints a report in the format that was asked for.
pub fn print(world: &World, report: &Report) {
    match world.terminal.format {
        Format::Json => world.terminal.json(&report.json()),
        Format::Sarif => world.terminal.json(&gate::sarif::log(report)),
        Format::Text | Format::Markdown => {}
    }
    exec::gate::say(world, report);
    let annotations = gate::annotation::all(report);
    world.annotate(&annotations, "the log has all of them");
}

/// A package larger than all of its content may be is refused unread.
fn read(world: &World, config: &Config, path: &Utf8Path) -> Result<Vec<u8>> {
    let doing = || format!("read {path}");
    let packed = std::fs::metadata(path).doing(doing)?.len();
    let limit = config.gate.total_limit;
    if packed > limit {
        let message = format!(
            "the gate refuses {}: {packed} bytes packed; all of its content may have {limit}",
            world.show(path)
        );
        return Err(Error::refused(message)
            .hint("raise `total-limit` under [gate] in release.toml if that is right"));
    }
    files::read(path)
}

fn default_path(
    world: &World,
    config: &Config,
    manifest: Option<&Manifest>,
) -> Result<Utf8PathBuf> {
    let packaged = manifest.and_then(|manifest| manifest.only(Kind::Vsix).ok());
    match packaged {
        Some(artifact) => Ok(world.dist().join(&artifact.path)),
        None => Ok(world.root.join(&config.required_extension()?.path)),
    }
}

fn without_release(world: &World, path: &Utf8Path) -> Error {
    Error::precondition(format!(
        "no dist/{MANIFEST_FILE}: {} cannot be compared with what was built",
        world.show(path)
    ))
    .hint("make the release first: `cargo xtask release`")
    .hint("or fetch the dist/manifest.json that came with the file")
}
