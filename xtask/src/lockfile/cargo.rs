//! `Cargo.lock`: without a header, and versions 2, 3 and 4.
//!
//! Source: Cargo's `core/resolver/encode.rs`; there is no other specification. The file itself
//! does not tell development dependencies from others, so the manifests of the workspace's
//! members are read too (`members`).

mod manifest;
mod members;

use std::collections::HashMap;

use super::graph;
use super::model::{Dependency, Ecosystem, Input, Kind, Lock, Package, Scope, Source};
use super::toml::{self, Document, Place, Table};
use super::{Act, Update};
use crate::error::Result;

/// `Cargo.lock`.
pub static KIND: Kind = Kind {
    name: "Cargo.lock",
    ecosystem: Ecosystem::CratesIo,
    remedy: "cargo generate-lockfile",
    matches: |name| name == "Cargo.lock",
    read,
    update,
};

fn update(update: &Update<'_>) -> Act {
    let now = format!("{}@{}", update.package, update.from);
    match (update.raises(), update.barrier()) {
        (true, _) => {
            let section = match update.group() {
                Some("dev") => "--dev",
                Some("build") => "--build",
                _ => "",
            };
            Act::run(&["cargo", "add", section, &update.at()])
        }
        (false, "") if !is_compatible(update) => match update.direct {
            true => Act::run(&["cargo", "add", &update.at()]),
            false => Act::Edit(format!(
                "{} {} is too new for what asks for {} {}: take a newer version of that",
                update.package, update.to, update.package, update.from
            )),
        },
        (false, "") => Act::run(&["cargo", "update", &now, "--precise", update.to]),
        (false, barrier) => Act::run(&["cargo", "update", barrier, &now]),
    }
}

/// Whether Cargo takes one version for the other; nearly all requirements are carets, and a lock
/// file does not say which.
fn is_compatible(update: &Update<'_>) -> bool {
    let requirement = semver::VersionReq::parse(&format!("^{}", update.from));
    let version = semver::Version::parse(update.to);
    match (requirement, version) {
        (Ok(requirement), Ok(version)) => requirement.matches(&version),
        _ => true,
    }
}

/// How Cargo names its own registry, whatever it is fetched from.
const OWN_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn read(input: &Input<'_>) -> Result<Lock> {
    let document = Document::of_lock(input.text, input.path, &KIND)?;
    let (top, place) = document.into_parts();
    let format = format(&top, &place)?;
    let tables = package_tables(&top, &place)?;
    let checksums = checksums(&top);
    let mut packages = Vec::with_capacity(tables.len());
    let mut sources = Vec::with_capacity(tables.len());
    for (line, table) in &tables {
        packages.push(package(table, *line, &checksums, &place)?);
        sources.push(toml::text(table, "source").unwrap_or_default());
    }
    let mut arrows = Vec::with_capacity(tables.len());
    {
        let names = graph::by_name(&packages, &place)?;
        for ((line, table), package) in tables.iter().zip(&packages) {
            let asked = toml::texts(table, "dependencies").chain(toml::text(table, "replace"));
            let found = asked.map(|asked| {
                find(asked, &names, &packages, &sources).map_err(|problem| {
                    place.error(*line, format!("package {}: {problem}", package.name))
                })
            });
            arrows.push(found.collect::<Result<Vec<usize>>>()?);
        }
    }
    for (package, arrows) in packages.iter_mut().zip(arrows) {
        package.dependencies = arrows.into_iter().map(arrow).collect();
    }
    let mut lock = Lock {
        ecosystem: Ecosystem::CratesIo,
        format,
        packages,
        roots: Vec::new(),
        notes: Vec::new(),
    };
    members::complete(&mut lock, input.beside)?;
    Ok(lock)
}

fn arrow(package: usize) -> Dependency {
    Dependency {
        package,
        constraint: None,
        group: None,
    }
}

fn format(top: &Table<'_>, place: &Place<'_>) -> Result<String> {
    let Some(value) = top.get("version") else {
        return Ok(String::new());
    };
    let number = value.as_integer();
    match number {
        Some(known @ ("2" | "3" | "4")) => Ok(known.to_owned()),
        other => Err(place.error(
            place.line_of(value),
            format!(
                "version {} of the format is not known; this tool reads files without a version, \
                 and 2, 3 and 4",
                other.unwrap_or("of another type")
            ),
        )),
    }
}

/// `[root]` is how the project itself was written until 2017.
fn package_tables<'table, 'text>(
    top: &'table Table<'text>,
    place: &Place<'_>,
) -> Result<Vec<(usize, &'table Table<'text>)>> {
    let mut tables = place.tables(top, "package")?;
    if let Some(root) = top.get("root") {
        let line = place.line_of(root);
        let table = root.as_table();
        let table = table.ok_or_else(|| place.error(line, "`root` is no table"))?;
        tables.insert(0, (line, table));
    }
    if tables.is_empty() {
        return Err(place.error(1, "there is no package in it, not even the project itself"));
    }
    Ok(tables)
}

/// Checksums stood in `[metadata]`, by a key of three parts, until version 2.
fn checksums<'table>(top: &'table Table<'_>) -> HashMap<&'table str, &'table str> {
    toml::entries(top, "metadata")
        .filter_map(|(key, value)| Some((key.strip_prefix("checksum ")?, value.as_str()?)))
        .collect()
}

fn package(
    table: &Table<'_>,
    line: usize,
    checksums: &HashMap<&str, &str>,
    place: &Place<'_>,
) -> Result<Package> {
    let name =
        toml::text(table, "name").ok_or_else(|| place.error(line, "a package without `name`"))?;
    let version = toml::text(table, "version")
        .ok_or_else(|| place.error(line, format!("package {name}: `version` is missing")))?;
    if table
        .get("source")
        .is_some_and(|source| source.as_str().is_none())
    {
        return Err(place.error(line, format!("package {name}: `source` is no text")));
    }
    let written = toml::text(table, "source");
    let source = written.map_or_else(
        || {
            Ok(Source::Workspace {
                path: String::new(),
            })
        },
        |written| {
            source(written).ok_or_else(|| {
                let problem = "is of a kind this tool does not know";
                place.error(
                    line,
                    format!("package {name}: the source {written} {problem}"),
                )
            })
        },
    )?;
    let old = written.and_then(|source| {
        let key = format!("{name} {version} ({source})");
        checksums.get(key.as_str()).copied()
    });
    let checksum = toml::text(table, "checksum").or(old);
    let checksum = checksum.filter(|checksum| !checksum.starts_with('<'));
    Ok(Package {
        name: name.to_owned(),
        alias: None,
        version: version.to_owned(),
        line,
        source,
        groups: Vec::new(),
        scope: Scope::Ships,
        dependencies: Vec::new(),
        digests: checksum
            .map(|hexadecimal| format!("sha256:{hexadecimal}"))
            .into_iter()
            .collect(),
        license: None,
    })
}

fn source(written: &str) -> Option<Source> {
    let (kind, address) = written.split_once('+')?;
    match kind {
        "registry" => Some(Source::Registry {
            url: (written != OWN_REGISTRY).then(|| address.to_owned()),
        }),
        // Cargo's own registry is never written like this, even when it is fetched so.
        "sparse" => Some(Source::Registry {
            url: Some(written.to_owned()),
        }),
        "git" => {
            let (url, commit) = match address.split_once('#') {
                Some((url, commit)) => (url, Some(commit.to_owned())),
                None => (address, None),
            };
            let url = url.split('?').next().unwrap_or(url).to_owned();
            Some(Source::Git { url, commit })
        }
        "path" | "directory" => Some(Source::Path {
            path: address.trim_start_matches("file://").to_owned(),
        }),
        _ => None,
    }
}

/// Finds `name`, `name version` or `name version (source)`: as much as Cargo needed to be clear.
fn find(
    asked: &str,
    names: &HashMap<&str, Vec<usize>>,
    packages: &[Package],
    sources: &[&str],
) -> std::result::Result<usize, String> {
    let mut parts = asked.splitn(3, ' ');
    let name = parts.next().unwrap_or_default();
    let version = parts.next();
    let source = parts.next().map(|source| source.trim_matches(['(', ')']));
    let fits = |index: &&usize| {
        let package = packages.get(**index);
        package.is_some_and(|package| version.is_none_or(|version| package.version == version))
    };
    let named = names.get(name).map(Vec::as_slice).unwrap_or_default();
    let fitting = || named.iter().filter(fits).copied();
    let from = |wanted: &str, until: &[char]| -> Vec<usize> {
        let cut = |text: &str| text.split(until).next().map(str::to_owned);
        fitting()
            .filter(|&index| sources.get(index).map(|source| cut(source)) == Some(cut(wanted)))
            .collect()
    };
    let several: Vec<usize> = match source {
        None => several_without_source(fitting().collect(), sources),
        // Version 3 leaves the commit out; the branch `master` was left out before.
        Some(wanted) => [&[][..], &['#'], &['#', '?']]
            .into_iter()
            .map(|until| from(wanted, until))
            .find(|found| !found.is_empty())
            .unwrap_or_default(),
    };
    match several.as_slice() {
        [one] => Ok(*one),
        [] => Err(format!(
            "it depends on `{asked}`, for which there is no package: the lock file is incomplete"
        )),
        _ => Err(format!(
            "it depends on `{asked}`, which several packages are"
        )),
    }
}

/// Without a source the one in a folder is meant, if there is one.
fn several_without_source(fitting: Vec<usize>, sources: &[&str]) -> Vec<usize> {
    let local = |index: &usize| sources.get(*index).is_some_and(|source| source.is_empty());
    if fitting.len() > 1 && fitting.iter().filter(|index| local(index)).count() == 1 {
        return fitting.into_iter().filter(local).collect();
    }
    fitting
}

#[cfg(test)]
mod tests;
