//! What the lock files of npm, Yarn and pnpm have in common: names, addresses, manifests.

use std::borrow::Cow;

use super::graph::reachable;
use super::json::{self, Object};
use super::shown::{shortened, without_secrets};
use super::{Dependency, Input, Package, Scope, Source};
use crate::error::{Error, Result};

/// The longest name that is read; the registry allows 214 bytes.
const LONGEST_NAME: usize = 512;

/// The longest version that is read; npm's own reader allows 256 bytes. Addresses stand in the
/// same place, so it is more.
const LONGEST_VERSION: usize = 2048;

/// What a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name under which it is installed.
    pub name: String,
    /// The constraint, as written.
    pub constraint: String,
    /// `main`, `dev`, `optional` or `peer`.
    pub group: &'static str,
    /// Whether the lock file may do without it.
    pub may_lack: bool,
    /// The line on which it is asked for.
    pub line: usize,
}

/// An error of a place in the lock file, with its remedy.
pub fn damaged(input: &Input<'_>, line: usize, problem: &str, remedy: &str) -> Error {
    Error::failure(format!("{}:{line}: {problem}", input.path))
        .hint(format!("write it anew: {remedy}"))
}

/// Refuses a file with an unresolved conflict of a merge.
///
/// # Errors
/// Names the line.
pub fn refuse_conflicts(input: &Input<'_>, remedy: &str) -> Result<()> {
    let text = input.text.as_bytes();
    let at = match text.starts_with(b"<<<<<<< ") {
        true => Some(0),
        false => memchr::memmem::find(text, b"\n<<<<<<< ").map(|at| at + 1),
    };
    let Some(at) = at else { return Ok(()) };
    let before = text.get(..at).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    Err(damaged(input, line, "an unresolved merge conflict", remedy))
}

/// Whether a text can be a name of a package: neither empty nor without bounds, and nothing in
/// it that moves the cursor.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(char::is_control)
}

/// Whether a text can be a version or an address in its place.
pub fn is_version(version: &str) -> bool {
    !version.is_empty() && version.len() <= LONGEST_VERSION && !version.contains(char::is_control)
}

/// The words of `integrity`, as written.
pub fn integrity(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .split_ascii_whitespace()
        .map(str::to_owned)
        .collect()
}

/// The name and the constraint behind `npm:`: `npm:@a/b@^1` is `@a/b` and `^1`.
pub fn alias(constraint: &str) -> Option<(&str, Option<&str>)> {
    let behind = constraint.strip_prefix("npm:")?;
    let (name, range) = name_and_range(behind);
    // `npm:^1` is a range with its protocol, as Yarn writes it, and no alias.
    let is_range =
        range.is_none() && !name.starts_with(|first: char| first.is_alphabetic() || first == '@');
    (!is_range && is_name(name)).then_some((name, range))
}

/// `@a/b@^1` is `@a/b` and `^1`; the at sign of a scope separates nothing.
pub fn name_and_range(text: &str) -> (&str, Option<&str>) {
    match text.char_indices().skip(1).find(|(_, one)| *one == '@') {
        None => (text, None),
        Some((at, _)) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).filter(|range| !range.is_empty()),
        ),
    }
}

/// A constraint as an arrow bears it: of an alias only what is behind its name.
pub fn arrow_constraint(constraint: &str) -> Option<String> {
    match alias(constraint) {
        Some((_, range)) => range.map(str::to_owned),
        None => Some(without_secrets(constraint)).filter(|text| !text.is_empty()),
    }
}

/// What a manifest (or what a lock file copied of it) asks for, by its sections.
pub fn wanted(manifest: &Object<'_>) -> Vec<Wanted> {
    const SECTIONS: [(&str, &str); 4] = [
        ("dependencies", "main"),
        ("optionalDependencies", "optional"),
        ("devDependencies", "dev"),
        ("peerDependencies", "peer"),
    ];
    let mut list = Vec::new();
    for (section, group) in SECTIONS {
        for member in manifest
            .object(section)
            .into_iter()
            .flat_map(|one| &one.members)
        {
            let json::Json::Text(constraint) = &member.value else {
                continue;
            };
            list.push(Wanted {
                name: member.key.to_string(),
                constraint: constraint.to_string(),
                group,
                may_lack: matches!(group, "optional" | "peer"),
                line: member.line,
            });
        }
    }
    drop_overridden(&mut list);
    list
}

/// A name in `optionalDependencies` counts as optional although `dependencies` has it too.
fn drop_overridden(list: &mut Vec<Wanted>) {
    let optional: std::collections::HashSet<String> = list
        .iter()
        .filter(|one| one.group == "optional")
        .map(|one| one.name.clone())
        .collect();
    list.retain(|one| one.group != "main" || !optional.contains(&one.name));
}

/// Where a package comes from whose address is known, told by the address's form alone.
pub fn source_of(address: &str, name: &str, version: &str) -> Source {
    if let Some(path) = ["file:", "link:", "portal:"]
        .iter()
        .find_map(|prefix| address.strip_prefix(prefix))
    {
        return Source::Path {
            path: path.to_owned(),
        };
    }
    if let Some(git) = git(address) {
        return git;
    }
    match is_registry(address, name, version) {
        true => Source::Registry { url: None },
        false => Source::Url {
            url: without_secrets(address),
        },
    }
}

/// A git repository with its commit, if the address is one of those that npm knows.
pub fn git(address: &str) -> Option<Source> {
    const PREFIXES: [&str; 7] = [
        "git+",
        "git:",
        "git@",
        "github:",
        "gitlab:",
        "bitbucket:",
        "gist:",
    ];
    const ARCHIVES: &str = "codeload.github.com/";
    let (url, fragment) = match address.split_once('#') {
        Some((url, fragment)) => (url, Some(fragment)),
        None => (address, None),
    };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if let Some((repository, commit)) = rest
        .strip_prefix(ARCHIVES)
        .and_then(|path| path.split_once("/tar.gz/"))
    {
        return Some(Source::Git {
            url: format!("https://github.com/{repository}"),
            commit: Some(commit.to_owned()),
        });
    }
    let is_git = PREFIXES.iter().any(|prefix| url.starts_with(prefix))
        || url.ends_with(".git")
        || url.starts_with("ssh://");
    is_git.then(|| Source::Git {
        url: without_secrets(url),
        commit: fragment.and_then(commit),
    })
}

/// `commit=abc`, `semver:^1`, or the commit itself.
fn commit(fragment: &str) -> Option<String> {
    let named = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("commit="));
    let commit = named.unwrap_or(fragment);
    let is_commit = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| commit.to_owned())
}

/// Whether an archive's address has the form that registries give it:
/// `<base>/<name>/-/<name without scope>-<version>.tgz`, or `download/<name>/<version>/<digest>`
/// as GitHub's has it. A registry's host is unknown here on purpose, and so is whether the
/// version is that of the entry: there are real packages whose archive is named by another.
fn is_registry(address: &str, name: &str, version: &str) -> bool {
    let url = address.split(['#', '?']).next().unwrap_or(address);
    let url: Cow<'_, str> = match url.contains('%') {
        true => url.replace("%2f", "/").replace("%2F", "/").into(),
        false => url.into(),
    };
    let short = name.rsplit('/').next().unwrap_or(name);
    if let Some((base, file)) = url.rsplit_once("/-/") {
        let before = base.strip_suffix(name);
        let of_name = before.is_some_and(|before| before.is_empty() || before.ends_with('/'));
        // Some registries repeat the scope in the file's name.
        let scope = name.strip_suffix(short).unwrap_or_default();
        let file = file.strip_prefix(scope).unwrap_or(file);
        return of_name && archive_version(file, short).is_some();
    }
    if let Some((_, rest)) = url.split_once("/download/") {
        let rest = rest
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('/'));
        return rest.is_some_and(|rest| rest.split('/').next() == Some(version));
    }
    // Yarn's offline mirror keeps only the file's name.
    let mirrored = name.trim_start_matches('@').replace('/', "-");
    let file = url.strip_prefix('@').unwrap_or(&url);
    let of_name = [short, &mirrored]
        .into_iter()
        .any(|name| archive_version(file, name) == Some(version));
    !url.contains('/') && of_name
}

/// `<name>-<version>.tgz`
fn archive_version<'file>(file: &'file str, name: &str) -> Option<&'file str> {
    let rest = file.strip_prefix(name)?.strip_prefix('-')?;
    let version = rest.strip_suffix(".tgz")?;
    (!version.is_empty() && !version.contains('/')).then_some(version)
}

/// The manifest in this folder of the lock file's, if there is one.
///
/// # Errors
/// A manifest that is no JSON.
pub fn with_manifest<T>(
    input: &Input<'_>,
    folder: &str,
    read: impl FnOnce(&Object<'_>, &str) -> Result<T>,
) -> Result<Option<T>> {
    let file = match folder {
        "" | "." => "package.json".to_owned(),
        folder => format!("{folder}/package.json"),
    };
    // What a lock file says must not lead out of the folder that it is for.
    let leads_out = file.starts_with('/') || file.split(['/', '\\']).any(|part| part == "..");
    if leads_out || file.contains([':', '\0']) {
        return Ok(None);
    }
    let Some(text) = (input.beside)(&file) else {
        return Ok(None);
    };
    let path = match input.path.parent() {
        Some(parent) => parent.join(&file),
        None => file.into(),
    };
    let manifest = json::object(&text, path.as_str())
        .map_err(|error| error.hint("mend the manifest, then lock again"))?;
    read(&manifest, path.as_str()).map(Some)
}

/// An arrow between packages.
pub fn arrow(package: usize, constraint: &str) -> Dependency {
    Dependency {
        package,
        constraint: arrow_constraint(constraint),
        group: None,
    }
}

/// Beginnings for a lock file whose manifest is not there: what nothing else asks for.
pub fn unasked(packages: &[Package], group: impl Fn(usize) -> &'static str) -> Vec<Dependency> {
    let mut asked = vec![false; packages.len()];
    for (index, package) in packages.iter().enumerate() {
        for arrow in package
            .dependencies
            .iter()
            .filter(|arrow| arrow.package != index)
        {
            if let Some(asked) = asked.get_mut(arrow.package) {
                *asked = true;
            }
        }
    }
    let beginnings = asked.iter().enumerate().filter(|(_, asked)| !**asked);
    beginnings
        .map(|(package, _)| Dependency {
            package,
            constraint: None,
            group: Some(group(package).to_owned()),
        })
        .collect()
}

/// A package that is only a folder: no version, nothing to check.
pub fn folder(name: &str, line: usize, source: Source) -> Package {
    Package {
        name: name.to_owned(),
        alias: None,
        version: String::new(),
        line,
        source,
        groups: Vec::new(),
        scope: Scope::Ships,
        dependencies: Vec::new(),
        digests: Vec::new(),
        license: None,
    }
}

/// A path from a folder, without what leads back; empty for where both begin.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Works out what ships for a lock file that does not say it. The projects must have only those
/// arrows yet that ship. What is reached from nowhere ships, since nothing says otherwise.
pub fn scope_by_reach(packages: &mut [Package], roots: &[Dependency]) {
    let of_development = |root: &&Dependency| root.group.as_deref() == Some("dev");
    let (dev, ships): (Vec<&Dependency>, Vec<&Dependency>) = roots.iter().partition(of_development);
    let own = |(index, package): (usize, &Package)| {
        matches!(package.source, Source::Workspace { .. }).then_some(index)
    };
    let mut beginnings: Vec<usize> = packages.iter().enumerate().filter_map(own).collect();
    beginnings.extend(ships.iter().map(|root| root.package));
    let from_dev = reachable(packages, dev.iter().map(|root| root.package));
    let shipping = reachable(packages, beginnings.iter().copied());
    let unknown = from_dev.iter().zip(&shipping).enumerate();
    beginnings.extend(
        unknown
            .filter(|(_, (dev, ships))| !**dev && !**ships)
            .map(|(index, _)| index),
    );
    let shipping = reachable(packages, beginnings.into_iter());
    for (package, ships) in packages.iter_mut().zip(shipping) {
        package.scope = match ships {
            true => Scope::Ships,
            false => Scope::Development,
        };
    }
}

/// Beginnings for what cannot be reached from those that are known.
pub fn lost(packages: &[Package], roots: &[Dependency]) -> Vec<Dependency> {
    let own = packages
        .iter()
        .enumerate()
        .filter(|(_, package)| matches!(package.source, Source::Workspace { .. }));
    let known = roots.iter().map(|root| root.package);
    let reached = reachable(packages, known.chain(own.map(|(index, _)| index)));
    let mut found = unasked(packages, |_| "main");
    found.retain(|root| reached.get(root.package) == Some(&false));
    found
}

/// The problem of something asked for that the lock file does not have.
pub fn lacking(who: &str, name: &str, constraint: &str) -> String {
    format!(
        "{} asks for {}@{}, which the lock file does not have; it is incomplete",
        shortened(who),
        shortened(name),
        shortened(constraint)
    )
}

#[cfg(test)]
pub mod tests;
