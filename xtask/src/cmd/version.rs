//! `version --check`: one version everywhere.

use camino::Utf8Path;
use clap::Args;
use serde_json::json;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::source;
use crate::version::{self, Statement};
use crate::world::{World, files};

/// Arguments of `version`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Fail when two places disagree
    #[arg(long)]
    check: bool,
}

/// Prints what every place says; with `--check`, disagreement is an error.
///
/// # Errors
/// A file is missing or cannot be read, or `--check` found a disagreement.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let statements = observe(world, &config)?;
    let Some(reference) = statements.iter().find_map(|one| one.version.clone()) else {
        return Err(Error::usage(
            "release.toml: version.files names no file that states a version",
        )
        .hint("add one: [version] files = [\"tools/server/pyproject.toml\"]"));
    };
    let agrees = |one: &Statement| {
        one.version
            .as_deref()
            .is_some_and(|v| version::same(v, &reference))
    };
    let wrong = statements.iter().filter(|one| !agrees(one)).count();
    world.terminal.text(&table(&statements, agrees));
    world.terminal.json(&json!({
        "schema": 1,
        "version": reference,
        "agrees": wrong == 0,
        "statements": statements,
    }));
    if wrong == 0 || !arguments.check {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "{wrong} of {} places do not say {reference}",
        statements.len()
    ))
    .hint("write the same version into each of them, then commit"))
}

/// What every configured file says, and the tag on HEAD if there is one.
///
/// # Errors
/// A file is missing or cannot be read.
pub fn observe(world: &World, config: &Config) -> Result<Vec<Statement>> {
    let members = cargo_members(world);
    let mut statements = Vec::new();
    for file in &config.version.files {
        let path = world.root.join(file);
        if !path.exists() {
            return Err(Error::precondition(format!(
                "release.toml: version.files names {file}, which does not exist"
            ))
            .hint("correct the path, or take it out"));
        }
        statements.extend(version::statements(
            file.as_str(),
            &files::read_text(&path)?,
            &members,
        )?);
    }
    statements.extend(tags(world, config)?);
    Ok(statements)
}

/// The release tags on HEAD. A checkout without git, or without a tag, states nothing.
fn tags(world: &World, config: &Config) -> Result<Vec<Statement>> {
    let Ok(checkout) = source::observe(world) else {
        return Ok(Vec::new());
    };
    let output = source::git(world)
        .args(["tag", "--points-at", &checkout.commit])
        .run()?;
    let (before, after) = config
        .version
        .tag
        .split_once("{version}")
        .unwrap_or_default();
    let read = |tag: &str| {
        let version = tag.strip_prefix(before)?.strip_suffix(after)?;
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| Statement {
                file: "tag".to_owned(),
                key: tag.to_owned(),
                version: Some(version.to_owned()),
            })
    };
    Ok(output.stdout.lines().filter_map(read).collect())
}

/// The names of the packages in the Cargo workspace at the root, if there is one.
fn cargo_members(world: &World) -> Vec<String> {
    let Ok(root) = files::read_text(&world.root.join("Cargo.toml")) else {
        return Vec::new();
    };
    let mut folders = vec![world.root.clone()];
    for member in version::workspace_members(&root) {
        match member.strip_suffix("/*") {
            None => folders.push(world.root.join(member)),
            Some(parent) => folders.extend(children(&world.root.join(parent))),
        }
    }
    let manifest = |folder: &camino::Utf8PathBuf| files::read_text(&folder.join("Cargo.toml")).ok();
    folders
        .iter()
        .filter_map(manifest)
        .filter_map(|text| version::package_name(&text))
        .collect()
}

fn children(folder: &Utf8Path) -> Vec<camino::Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(camino::Utf8DirEntry::into_path)
        .collect()
}

fn table(statements: &[Statement], agrees: impl Fn(&Statement) -> bool) -> String {
    let place = |one: &Statement| format!("{}  {}", one.file, one.key);
    let width = statements
        .iter()
        .map(|one| place(one).chars().count())
        .max()
        .unwrap_or(0);
    let line = |one: &Statement| {
        let mark = if agrees(one) { "✓" } else { "✗" };
        let version = one.version.as_deref().unwrap_or("says nothing");
        format!("{mark} {:<width$}  {version}\n", place(one))
    };
    statements.iter().map(line).collect()
}
