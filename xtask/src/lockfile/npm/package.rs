//! One entry of npm's lock file as a package.

use super::super::node;
use super::super::shown::without_secrets;
use super::super::{Input, Package, Scope, Source};
use super::{Entry, Shape, tree};
use crate::error::Result;

/// Whether it lies inside of another package's archive. The registry has it under its name and
/// version all the same, and `npm audit` reports it, so its source is the registry.
pub fn is_bundled(entry: &Entry<'_>) -> bool {
    entry.object.is_true("inBundle") || entry.object.is_true("bundled")
}

/// The folder that a link leads to.
pub fn target<'entry>(entry: &'entry Entry<'_>) -> &'entry str {
    let target = entry.object.text("resolved").unwrap_or_default();
    let target = target.strip_prefix("file:").unwrap_or(target);
    target.strip_prefix("./").unwrap_or(target)
}

/// The package of an entry, still without arrows.
pub fn package(input: &Input<'_>, shape: Shape, entry: &Entry<'_>) -> Result<Package> {
    let object = entry.object;
    let installed = tree::split(&entry.path).map(|(_, name)| name);
    let written = object.text("version").unwrap_or_default();
    let (name, version) = match (shape, node::alias(written)) {
        (Shape::Nested, Some((name, version))) => (name, version.unwrap_or_default()),
        (Shape::Nested, None) => (installed.unwrap_or_default(), written),
        (Shape::Flat, _) => (
            object.text("name").or(installed).unwrap_or_default(),
            written,
        ),
    };
    let source = source(shape, entry, name, version);
    let is_checked = matches!(source, Source::Registry { .. });
    let name = own_name(entry, name);
    if !node::is_name(name) {
        return Err(entry.error(input, "this is no name of a package"));
    }
    if version.is_empty() && is_checked {
        return Err(entry.error(input, "there is no `version`"));
    }
    if !version.is_empty() && !node::is_version(version) {
        return Err(entry.error(input, "this is no version"));
    }
    let is_development = object.is_true("dev") && !matches!(source, Source::Workspace { .. });
    Ok(Package {
        alias: installed.filter(|alias| *alias != name).map(str::to_owned),
        name: name.to_owned(),
        version: without_secrets(version),
        line: entry.line,
        source,
        groups: Vec::new(),
        // `devOptional` ships: something that ships asks for it, if only as an option.
        scope: if is_development {
            Scope::Development
        } else {
            Scope::Ships
        },
        dependencies: Vec::new(),
        digests: node::integrity(object.text("integrity")),
        license: license(entry),
    })
}

/// The project's own folders may go without a name; then the folder is its name.
fn own_name<'entry>(entry: &'entry Entry<'_>, name: &'entry str) -> &'entry str {
    if !name.is_empty() || entry.is_installed() {
        return name;
    }
    match entry.path.rsplit('/').next() {
        Some(folder) if !folder.is_empty() => folder,
        _ => entry
            .object
            .text("name")
            .filter(|name| !name.is_empty())
            .unwrap_or("."),
    }
}

fn source(shape: Shape, entry: &Entry<'_>, name: &str, version: &str) -> Source {
    let path = entry.path.to_string();
    if !entry.is_installed() {
        return match path.starts_with("..") {
            true => Source::Path { path },
            false => Source::Workspace { path },
        };
    }
    if entry.is_link() {
        let path = target(entry).to_owned();
        return Source::Path { path };
    }
    let is_address = version.contains("://") || version.starts_with("file:");
    if shape == Shape::Nested && (is_address || node::git(version).is_some()) {
        return node::source_of(version, name, "");
    }
    match entry.object.text("resolved") {
        Some(resolved) => node::source_of(resolved, name, version),
        None => Source::Registry { url: None },
    }
}

/// `license` is a text; very old packages have an object with `type`.
fn license(entry: &Entry<'_>) -> Option<String> {
    let object = entry.object;
    let license = object.text("license");
    let license = license.or_else(|| object.object("license")?.text("type"))?;
    Some(license.to_owned())
}
