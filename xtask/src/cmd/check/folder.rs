//! Reads an extension's folder the way `vsce package` would: only what it would package.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::config::Extension;
use crate::error::{Context, Error, Result};
use crate::gate::Policy;
use crate::gate::entry::{Content, Entry, Kind};
use crate::gate::selection::{Selection, packaged_names};
use crate::world::{files, utf8};

/// The vsce option that leaves `node_modules` out.
const NO_DEPENDENCIES: &str = "--no-dependencies";

/// Every file that would be packaged, with its content. Files over the limits are not read.
///
/// # Errors
/// Something cannot be read, or its name is not UTF-8, or `.vscodeignore` uses a syntax that
/// is not understood.
pub fn entries(
    folder: &Utf8Path,
    extension: &Extension,
    policy: &Policy,
) -> Result<Vec<Entry<'static>>> {
    let package = package(folder)?;
    let mut found = BTreeMap::new();
    walk(folder, "", true, &mut found)?;
    if !extension
        .package_arguments
        .iter()
        .any(|argument| argument == NO_DEPENDENCIES)
    {
        for dependency in dependencies(folder, &package)? {
            walk(folder, &dependency, true, &mut found)?;
        }
    }
    let selection = selection(folder, &package)?;
    found.retain(|path, _| selection.takes(path));
    let paths: Vec<&str> = found.keys().map(String::as_str).collect();
    let names = packaged_names(&paths, package.get("license").and_then(Value::as_str));
    let mut left = policy.total_limit;
    let read = |((path, (kind, size)), name): ((&String, &(Kind, u64)), String)| {
        let readable = *kind == Kind::File && *size <= policy.entry_limit && *size <= left;
        let content = if readable {
            left -= size;
            Content::Plain(Cow::Owned(files::read(&folder.join(path))?))
        } else {
            Content::Unreadable
        };
        Ok(Entry {
            name,
            shown: path.clone(),
            kind: *kind,
            size: *size,
            content,
        })
    };
    found.iter().zip(names).map(read).collect()
}

/// The package.json; one that is missing or broken is for the gate to report.
fn package(folder: &Utf8Path) -> Result<Value> {
    let path = folder.join("package.json");
    if !path.is_file() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(&files::read(&path)?).unwrap_or(Value::Null))
}

fn selection(folder: &Utf8Path, package: &Value) -> Result<Selection> {
    let path = folder.join(".vscodeignore");
    let text = match path.is_file() {
        true => Some(files::read_text(&path)?),
        false => None,
    };
    let listed = package.get("files").and_then(Value::as_array).map(|files| {
        let texts = files.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect::<Vec<_>>()
    });
    Selection::new(text.as_deref(), listed.as_deref()).map_err(|line| {
        Error::precondition(format!(
            "{path}: `{line}` is an extended glob, which `check` does not read"
        ))
        .hint("write alternatives as `{a,b}`, or check the finished .vsix")
    })
}

/// Files below `inside`, by their path from the extension's folder. As vsce does, a
/// `node_modules` at the top is left out and links are not followed.
fn walk(
    folder: &Utf8Path,
    inside: &str,
    top: bool,
    found: &mut BTreeMap<String, (Kind, u64)>,
) -> Result<()> {
    let place = folder.join(inside);
    let doing = || format!("list {place}");
    for entry in fs::read_dir(&place).doing(doing)? {
        let path = utf8(entry.doing(doing)?.path())?;
        let name = path.file_name().unwrap_or_default();
        let below = if inside.is_empty() {
            name.to_owned()
        } else {
            format!("{inside}/{name}")
        };
        let facts = fs::symlink_metadata(&path).doing(|| format!("look at {path}"))?;
        if facts.is_dir() {
            if !(top && name == "node_modules") {
                walk(folder, &below, false, found)?;
            }
            continue;
        }
        let kind = if facts.is_file() {
            Kind::File
        } else {
            Kind::Special
        };
        found.insert(below, (kind, facts.len()));
    }
    Ok(())
}

/// Folders of the production dependencies, found as Node finds them: in the `node_modules`
/// beside the dependent or above it.
fn dependencies(folder: &Utf8Path, package: &Value) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(Utf8PathBuf::new(), package.clone())];
    while let Some((dependent, package)) = open.pop() {
        for (name, needed) in dependency_names(&package) {
            let place = dependent
                .ancestors()
                .map(|above| above.join("node_modules").join(&name));
            let place = place.into_iter().find(|place| folder.join(place).is_dir());
            match place {
                Some(place) if found.insert(place.to_string()) => {
                    let package = self::package(&folder.join(&place))?;
                    open.push((place, package));
                }
                None if needed => {
                    return Err(Error::precondition(format!(
                        "{folder}/node_modules lacks the dependency `{name}`, which vsce would package"
                    ))
                    .hint(format!("install it: `npm ci --prefix {folder}`"))
                    .hint(format!("or, if everything is bundled, add \"{NO_DEPENDENCIES}\" to `package-arguments` under [extension] in release.toml")));
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Names of dependencies, and whether they have to be there.
fn dependency_names(package: &Value) -> Vec<(String, bool)> {
    let names = |field: &str, needed: bool| {
        let table = package.get(field).and_then(Value::as_object);
        let keys = table.into_iter().flat_map(serde_json::Map::keys);
        keys.map(move |name| (name.clone(), needed))
            .collect::<Vec<_>>()
    };
    let optional = names("optionalDependencies", false);
    let mut all = names("dependencies", true);
    all.retain(|(name, _)| !optional.iter().any(|(other, _)| other == name));
    all.extend(optional);
    all
}
