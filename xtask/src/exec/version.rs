//! The version of the repository: what every place says, and raising all of them at once.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::printable;
use crate::source::{self, Checkout};
use crate::version::edit::{self, Change};
use crate::version::number::{Level, Number};
use crate::version::place::{Form, Scope};
use crate::version::{self, Statement, cargo, tag};
use crate::world::together::Replacement;
use crate::world::{World, files};

/// What is raised, decided and not yet written.
#[derive(Debug, Serialize)]
pub struct Raised {
    /// The version that all places state.
    #[serde(serialize_with = "shown")]
    pub from: Number,
    /// The version that they will state.
    #[serde(serialize_with = "shown")]
    pub to: Number,
    /// The tag that the release of it gets.
    pub tag: String,
    /// Every place.
    pub changes: Vec<Change>,
    /// The files with what they hold and will hold.
    #[serde(skip)]
    pub files: Vec<Replacement>,
}

fn shown<S: serde::Serializer>(
    number: &Number,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// What every configured file says, and the tag on HEAD if there is one.
///
/// # Errors
/// A file is missing or cannot be read, or CI was started by a tag that is no version.
pub fn observe(world: &World, config: &Config) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    let members = Members::of(world, config);
    for (file, text, scope) in texts(world, config, &members)? {
        let of_file = version::statements(file.as_str(), &text, &members.names, scope)?;
        statements.extend(of_file);
    }
    statements.extend(tags(world, config)?);
    Ok(statements)
}

/// A file from the root, its text, and what of it counts.
type Stating = (Utf8PathBuf, String, Scope);

/// Every file that states the version, with its text.
fn texts(world: &World, config: &Config, members: &Members) -> Result<Vec<Stating>> {
    let mut texts = Vec::new();
    for file in &config.version.files {
        let path = world.root.join(file);
        if !path.exists() {
            return Err(Error::precondition(format!(
                "release.toml: version.files names {file}, which does not exist"
            ))
            .hint("correct the path, or take it out"));
        }
        texts.push((file.clone(), files::read_text(&path)?, Scope::Whole));
    }
    for (file, text) in &members.manifests {
        // A member that is not listed may still require one whose version is raised.
        if !texts.iter().any(|(known, ..)| known == file) {
            texts.push((file.clone(), text.clone(), Scope::Requirements));
        }
    }
    Ok(texts)
}

/// The release tags on HEAD, and the one that CI was started by. A checkout without git, or
/// without a tag, states nothing.
fn tags(world: &World, config: &Config) -> Result<Vec<Statement>> {
    let pattern = &config.version.tag;
    let statement = |tag: &str, version: &str| Statement {
        file: "tag".to_owned(),
        key: tag.to_owned(),
        version: Some(version.to_owned()),
        form: Form::Semantic,
    };
    let mut statements = Vec::new();
    if world.variable("GITHUB_REF_TYPE") == Some("tag") {
        let name = world.variable("GITHUB_REF_NAME").unwrap_or_default();
        let stated = tag::version(pattern, name).filter(|it| Number::parse(it).is_some());
        let Some(stated) = stated else {
            let name = printable::line(name, 80);
            return Err(Error::conflict(format!(
                "the tag {name:?} is no version: version.tag in release.toml is {pattern:?}"
            ))
            .hint(format!(
                "release tags look like {}",
                tag::name(pattern, "1.2.3")
            )));
        };
        statements.push(statement(name, stated));
    }
    let Ok(checkout) = source::observe(world) else {
        return Ok(statements);
    };
    // What was edited since the commit is not what its tag speaks of.
    let is_edited = |file: &Utf8PathBuf| checkout.modified.iter().any(|path| file == path);
    if config.version.files.iter().any(is_edited) {
        return Ok(statements);
    }
    let output = source::git(world)
        .args(["tag", "--points-at", &checkout.commit])
        .run()?;
    for name in output.stdout.lines() {
        let known = statements.iter().any(|one| one.key == name);
        if let (false, Some(stated)) = (known, tag::version(pattern, name)) {
            statements.push(statement(name, stated));
        }
    }
    Ok(statements)
}

/// The packages of the Cargo workspace at the root, if there is one.
#[derive(Debug, Default)]
struct Members {
    names: Vec<String>,
    /// Their manifests, from the root, with their texts.
    manifests: Vec<(Utf8PathBuf, String)>,
}

impl Members {
    /// Looked for only when Cargo is among what states the version.
    fn of(world: &World, config: &Config) -> Members {
        let is_cargo =
            |file: &Utf8PathBuf| matches!(file.file_name(), Some("Cargo.toml" | "Cargo.lock"));
        let mut members = Members::default();
        let Ok(root) = files::read_text(&world.root.join("Cargo.toml")) else {
            return members;
        };
        if !config.version.files.iter().any(is_cargo) {
            return members;
        }
        let mut folders = vec![Utf8PathBuf::new()];
        for member in cargo::workspace_members(&root) {
            match member.strip_suffix("/*") {
                None => folders.push(member.into()),
                Some(parent) => folders.extend(children(world, Utf8Path::new(parent))),
            }
        }
        for folder in folders {
            let manifest = folder.join("Cargo.toml");
            if let Ok(text) = files::read_text(&world.root.join(&manifest)) {
                members.names.extend(cargo::package_name(&text));
                members.manifests.push((manifest, text));
            }
        }
        members
    }
}

fn children(world: &World, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = world.root.join(folder).read_dir_utf8() else {
        return Vec::new();
    };
    let names = entries.flatten();
    let mut folders: Vec<Utf8PathBuf> = names.map(|it| folder.join(it.file_name())).collect();
    folders.sort();
    folders
}

/// The one version that all places state.
///
/// # Errors
/// They state none, or do not agree.
pub fn agreed(statements: &[Statement]) -> Result<String> {
    let Some(reference) = version::reference(statements) else {
        return Err(Error::usage(
            "release.toml: version.files names no file that states a version",
        )
        .hint("add one: [version] files = [\"tools/server/pyproject.toml\"]"));
    };
    let wrong = statements
        .iter()
        .filter(|one| !one.agrees(&reference))
        .count();
    match wrong {
        0 => Ok(reference),
        _ => Err(disagreement(wrong, statements.len(), &reference)),
    }
}

/// Some places say something else than the first one.
pub fn disagreement(wrong: usize, all: usize, reference: &str) -> Error {
    Error::conflict(format!("{wrong} of {all} places do not say {reference}"))
        .hint("write the same version into each of them, then commit")
}

/// Decides the next version and what every file will hold. Writes nothing.
///
/// # Errors
/// The tree is not clean, the places do not agree, the version is not higher, it is released
/// already, or a file cannot state it.
pub fn raise(world: &World, config: &Config, checkout: &Checkout, level: Level) -> Result<Raised> {
    source::require_clean(checkout, source::Tree::Head).map_err(|mut error| {
        error.hints.retain(|hint| !hint.contains("--dirty"));
        error
    })?;
    let statements = observe(world, config)?;
    let stated = agreed(&statements)
        .map_err(|error| error.hint("see which: cargo xtask version --check"))?;
    let from = Number::parse(&stated).ok_or_else(|| {
        let stated = printable::line(&stated, 80);
        Error::precondition(format!("`{stated}` is no version that can be raised"))
            .hint("three numbers are needed, such as 1.2.3 or 1.2.3-rc.1: write them by hand once")
    })?;
    let to = from.next(level);
    if to <= from {
        return Err(Error::usage(format!("{to} is not higher than {from}"))
            .hint("name a higher version, or a level: --bump patch"));
    }
    let tag = require_unreleased(world, config, &to)?;
    let members = Members::of(world, config);
    let (mut changes, mut replacements) = (Vec::new(), Vec::new());
    for (file, text, scope) in texts(world, config, &members)? {
        let edited = edit::edit(file.as_str(), &text, &members.names, scope, &to)?;
        let after = version::statements(file.as_str(), &edited.text, &members.names, scope)?;
        let wanted = to.semantic();
        let holds = |one: &Statement| one.agrees(&wanted) || one.version.is_none();
        if let Some(wrong) = after.iter().find(|one| !holds(one)) {
            let (file, key) = (&wrong.file, &wrong.key);
            return Err(Error::failure(format!("{file}: {key} would not say {to}")));
        }
        changes.extend(edited.changes);
        if edited.text != text {
            replacements.push(Replacement {
                path: file,
                old: text.into_bytes(),
                new: edited.text.into_bytes(),
            });
        }
    }
    Ok(Raised {
        from,
        to,
        tag,
        changes,
        files: replacements,
    })
}

/// The tag of a version that is not released yet.
///
/// # Errors
/// There is a tag of it, in either spelling.
fn require_unreleased(world: &World, config: &Config, number: &Number) -> Result<String> {
    let pattern = &config.version.tag;
    let wanted = tag::name(pattern, &number.semantic());
    let python = pattern.replace("{version}", &number.python());
    for name in [&wanted, &python] {
        if let Some(commit) = source::commit_of_tag(world, name)? {
            return Err(Error::conflict(format!(
                "{number} is released already: the tag {name} names commit {commit:.12}"
            ))
            .hint("a version is released once: name a higher one"));
        }
    }
    Ok(wanted)
}

/// Requires that every place says this version, read anew.
///
/// # Errors
/// One of them does not.
pub fn require(world: &World, config: &Config, number: &Number) -> Result<()> {
    let stated = agreed(&observe(world, config)?)?;
    match version::same(&stated, &number.semantic()) {
        true => Ok(()),
        false => Err(Error::failure(format!(
            "the files say {stated} instead of {number}"
        ))),
    }
}
