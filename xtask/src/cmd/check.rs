//! `check`: the prepublish gate, on the extension's folder or on a finished package.

mod folder;

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::artifact::{Kind, MANIFEST_FILE, Manifest};
use crate::config::Config;
use crate::dist;
use crate::error::{Context, Error, Result};
use crate::gate::pattern::Pattern;
use crate::gate::{self, Exception, Expected, Form, Policy, Report, Subject};
use crate::world::terminal::{Format, size};
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
        vsix(world, &config, &path, &bytes, &manifest)?
    };
    print(world, &report);
    report.into_result().map(drop)
}

/// Judges a finished package against a release that may not be in `dist/` yet.
///
/// # Errors
/// The repository has no extension, or the manifest names no wheel or requirements.
pub fn vsix(
    world: &World,
    config: &Config,
    path: &Utf8Path,
    bytes: &[u8],
    manifest: &Manifest,
) -> Result<Report> {
    let policy = policy(config)?;
    let expected = Expected::of(manifest)?;
    let container = gate::container::read(bytes);
    let subject = Subject {
        name: world.show(path).to_string(),
        form: Form::Vsix,
        entries: container.entries,
        findings: container.findings,
    };
    Ok(gate::judge(subject, &policy, Some(&expected)))
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
    let policy = policy(config)?;
    let expected = manifest.map(Expected::of).transpose()?;
    let extension = super::extension(config)?;
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
        Format::Text => {}
    }
    say(world, report);
}

/// Says to a person what was found, and sums it up.
pub fn say(world: &World, report: &Report) {
    let terminal = &world.terminal;
    let text = report.text();
    if !text.is_empty() {
        terminal.text(&format!("{text}\n"));
    }
    let what = format!(
        "{}  {} entries, {}",
        report.subject,
        report.entries,
        size(report.bytes)
    );
    let rules: BTreeSet<&str> = report
        .findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect();
    match (report.findings.len(), rules.len()) {
        (0, _) => terminal.done(
            "check",
            &format!("{what}, {} rules hold", gate::RULES.len()),
        ),
        (1, _) => terminal.failed("check", &format!("{what}: 1 finding")),
        (found, 1) => terminal.failed("check", &format!("{what}: {found} findings of one rule")),
        (found, rules) => terminal.failed(
            "check",
            &format!("{what}: {found} findings of {rules} rules"),
        ),
    }
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

/// What `release.toml` says about the gate. The configuration has checked every pattern.
fn policy(config: &Config) -> Result<Policy> {
    let exceptions = config.gate.exceptions.iter().map(|exception| Exception {
        rule: exception.rule.clone(),
        path: Pattern::verbatim(&exception.path),
        reason: exception.reason.clone(),
    });
    Ok(Policy {
        bundle: super::extension(config)?.bundle.clone(),
        allow: config
            .gate
            .allow
            .iter()
            .map(|text| Pattern::verbatim(text))
            .collect(),
        entry_limit: config.gate.entry_limit,
        total_limit: config.gate.total_limit,
        exceptions: exceptions.collect(),
    })
}

fn default_path(
    world: &World,
    config: &Config,
    manifest: Option<&Manifest>,
) -> Result<Utf8PathBuf> {
    let packaged = manifest.and_then(|manifest| manifest.only(Kind::Vsix).ok());
    match packaged {
        Some(artifact) => Ok(world.dist().join(&artifact.path)),
        None => Ok(world.root.join(&super::extension(config)?.path)),
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
