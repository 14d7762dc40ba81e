//! The requirements file that a lock file stands for. Pure.
//!
//! [`resolve`] is the one door for every kind of lock file. For `poetry.lock` the text is that of `poetry export` with Poetry 2.5 and its export plug-in 1.10, letter for
//! letter: the same packages in the same order with the same markers, hashes and indexes.
//! Nothing is resolved, no index is asked, and no file is read; a lock file that does not
//! belong to its `pyproject.toml` is refused.

pub mod choice;
pub mod dependency;
mod fresh;
mod line;
pub mod origin;
pub mod pip;
pub mod project;
mod select;
mod uv;
mod uv_fresh;

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::config::Server;
use crate::error::{Error, Result};
use crate::lockfile::poetry::{self, Lock, REMEDY};
use crate::marker::{Algebra, Fault};
use crate::name::normalize;
use choice::LockKind;
use pip::Beside;
use project::{MAIN, Project};
use select::Selected;

/// Whether requirements carry the digests of the files that satisfy them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashes {
    /// Every requirement names its files' digests; pip then takes nothing else.
    With,
    /// Names and versions only.
    Without,
}

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// With or without digests.
    pub hashes: Hashes,
    /// The dependency groups, in any spelling.
    pub groups: Vec<String>,
    /// The project's extras, in any spelling.
    pub extras: Vec<String>,
}

/// Where the texts come from.
#[derive(Debug, Clone, Copy)]
pub struct Places<'path> {
    /// How errors name the `pyproject.toml`.
    pub pyproject: &'path str,
    /// How errors name the lock file.
    pub lock: &'path str,
    /// The absolute folder of both, where their relative paths start.
    pub folder: &'path Utf8Path,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The name in its normal form.
    pub name: String,
    /// The locked version.
    pub version: String,
    /// Its extras, sorted.
    pub extras: Vec<String>,
    /// The environments that it is for; empty for all.
    pub marker: String,
    /// The digests of its files, `algorithm:hexadecimal`, sorted.
    pub hashes: Vec<String>,
    /// Its line without digests.
    pub line: String,
}

/// What an export consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The requirements, in the order of their lines.
    pub requirements: Vec<Requirement>,
    /// The option lines that name indexes, above all requirements; `None` when PyPI suffices.
    pub indexes: Option<String>,
    /// The whole file.
    pub text: String,
}

impl Export {
    /// The export for programs.
    pub fn json(&self) -> Value {
        let requirement = |one: &Requirement| {
            json!({
                "name": one.name,
                "version": one.version,
                "extras": one.extras,
                "marker": one.marker,
                "hashes": one.hashes,
                "requirement": one.line,
            })
        };
        let list: Vec<Value> = self.requirements.iter().map(requirement).collect();
        let indexes = self.indexes.as_deref().unwrap_or("");
        json!({
            "schema": 1,
            "options": indexes.lines().collect::<Vec<_>>(),
            "requirements": list,
        })
    }
}

/// The requirements file of a lock file.
///
/// # Errors
/// As [`resolve`].
pub fn export(
    pyproject: &str,
    lock: &str,
    options: &Options,
    places: Places<'_>,
) -> Result<String> {
    resolve(pyproject, lock, options, places, &pip::nothing_beside).map(|export| export.text)
}

/// The requirements of what `[server]` ships, with digests. Each file is given as its path and
/// its text; `beside` gives the text of other files by their paths from the lock file's folder.
///
/// # Errors
/// As [`resolve`], or a package has no digests to be locked by, which is refused.
pub fn of_server(
    server: &Server,
    (pyproject, pyproject_text): (&Utf8Path, &str),
    (lock, lock_text): (&Utf8Path, &str),
    beside: Beside<'_>,
) -> Result<String> {
    let options = Options {
        hashes: Hashes::With,
        groups: server.groups.clone(),
        extras: server.extras.clone(),
    };
    let places = Places {
        pyproject: pyproject.as_str(),
        lock: lock.as_str(),
        folder: lock.parent().unwrap_or(Utf8Path::new("/")),
    };
    let export = resolve(pyproject_text, lock_text, &options, places, beside)?;
    let unlocked = export.requirements.iter().find(|one| one.hashes.is_empty());
    match unlocked {
        None => Ok(export.text),
        Some(requirement) => Err(Error::refused(format!(
            "{}: {} has no digests, so what is installed cannot be held to the lock: {}",
            places.lock, requirement.name, requirement.line
        ))
        .hint("a server that ships depends on released packages only: replace the path, git or URL dependency")),
    }
}

/// The `content-hash` that a lock file made from this `pyproject.toml` carries, in hexadecimal.
///
/// # Errors
/// Not TOML.
pub fn content_hash(pyproject: &str) -> Result<String> {
    Ok(fresh::content_hash(
        &project::values(pyproject, "pyproject.toml")?,
        true,
    ))
}

/// Works out the requirements of a lock file, whose kind its name says.
///
/// # Errors
/// - failure: either file is damaged, the lock is stale or lacks a dependency, or a package
///   has no digests that pip accepts;
/// - refused: a package of another lock file than `poetry.lock` comes from no index;
/// - usage: a group or an extra that the project does not have, or no kind of lock file.
pub fn resolve(
    pyproject: &str,
    lock: &str,
    options: &Options,
    places: Places<'_>,
    beside: Beside<'_>,
) -> Result<Export> {
    match LockKind::of(Utf8Path::new(places.lock))? {
        LockKind::Poetry => of_poetry(pyproject, lock, options, places),
        LockKind::Uv => uv::resolve(pyproject, lock, options, places),
        LockKind::Pip => pip::resolve(pyproject, lock, options, places, beside),
    }
}

fn of_poetry(pyproject: &str, lock: &str, options: &Options, places: Places<'_>) -> Result<Export> {
    let lock = poetry::parse(lock, places.lock)?;
    let pyproject = project::values(pyproject, places.pyproject)?;
    if !fresh::is_fresh(&lock, &pyproject) {
        return Err(stale(places));
    }
    let algebra = Algebra::default();
    let folder = places.folder.as_str();
    let project = project::read(&algebra, &pyproject, folder)
        .map_err(|fault| Error::failure(format!("{}: {fault}", places.pyproject)))?;
    let groups = known(
        "dependency group",
        &options.groups,
        &group_names(&project),
        places,
    )?;
    let extras = known("extra", &options.extras, &project.extras, places)?;
    let in_lock = |fault: Fault| Error::failure(format!("{}: {fault}", places.lock)).hint(REMEDY);
    require_locked(&algebra, &lock, &project, &groups, places)?;
    let selected = if lock.has_markers() {
        select::from_markers(&algebra, &lock, &project, &groups, &extras)
    } else {
        select::by_walking(&algebra, &lock, &project, &groups, &extras, folder)
    };
    let selected = selected.map_err(in_lock)?;
    if options.hashes == Hashes::With {
        require_hashes(&lock, &selected, places)?;
    }
    line::write(&algebra, &lock, &project, &selected, options.hashes, folder).map_err(in_lock)
}

fn stale(places: Places<'_>) -> Error {
    Error::failure(format!(
        "{} is stale: {} has changed what it depends on since the lock was written \
         (metadata.content-hash)",
        places.lock, places.pyproject
    ))
    .hint(REMEDY)
}

fn group_names(project: &Project) -> Vec<String> {
    let mut names: Vec<String> = project
        .groups
        .iter()
        .map(|group| group.name.clone())
        .collect();
    if !names.iter().any(|name| name == MAIN) {
        names.insert(0, MAIN.to_owned());
    }
    names
}

/// Normalises what was asked for, all of which must be known.
fn known(
    what: &str,
    asked: &[String],
    known: &[String],
    places: Places<'_>,
) -> Result<Vec<String>> {
    let asked: Vec<String> = asked.iter().map(|name| normalize(name)).collect();
    match asked.iter().find(|name| !known.contains(name)) {
        None => Ok(asked),
        Some(unknown) => {
            let list = match known {
                [] => format!("it has no {what}s"),
                names => format!("it has: {}", names.join(", ")),
            };
            Err(Error::usage(format!(
                "{} has no {what} `{unknown}`; {list}",
                places.pyproject
            ))
            .hint(format!(
                "name one of its {what}s, or declare `{unknown}` there"
            )))
        }
    }
}

/// A dependency that the project needs somewhere must be locked; a bad merge may have lost it.
fn require_locked(
    algebra: &Algebra,
    lock: &Lock,
    project: &Project,
    groups: &[String],
    places: Places<'_>,
) -> Result<()> {
    let python = algebra.parse(&crate::marker::python_condition(&project.python));
    let groups = project
        .groups
        .iter()
        .filter(|group| groups.contains(&group.name));
    for (group, dependency) in groups.flat_map(|group| {
        let named = |dependency| (&group.name, dependency);
        group.dependencies.iter().map(named)
    }) {
        let is_locked = lock
            .packages
            .iter()
            .any(|package| package.name == dependency.name);
        if is_locked || dependency.name == project.name {
            continue;
        }
        let both = python
            .clone()
            .and_then(|python| algebra.intersect(&dependency.marker, &python));
        if both.is_ok_and(|both| both.is_empty()) {
            continue;
        }
        return Err(Error::failure(format!(
            "{} has no package {}, which {} needs (group {group})",
            places.lock, dependency.name, places.pyproject
        ))
        .hint(REMEDY));
    }
    Ok(())
}

/// pip refuses a hash-locked file in which one requirement from an index has no digest.
fn require_hashes(lock: &Lock, selected: &[Selected], places: Places<'_>) -> Result<()> {
    for one in selected {
        let package = &lock.packages[one.package];
        let kind = package.source.as_ref().map(|source| source.kind.as_str());
        let needs_none = matches!(kind, Some("git" | "directory" | "file" | "url"));
        if !needs_none && line::hashes(package).is_empty() {
            let problem = match package.hashes.is_empty() {
                true => "has no files with digests",
                false => "has no digest that pip accepts (sha256, sha384, sha512)",
            };
            return Err(Error::failure(format!(
                "{}:{}: package {} {} {problem}",
                places.lock, package.line, package.name, package.version
            ))
            .hint(REMEDY)
            .hint("or export without digests: cargo xtask requirements --without-hashes"));
        }
    }
    Ok(())
}
