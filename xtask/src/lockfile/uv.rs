//! `uv.lock`: version 1 with all its revisions, which only add keys.
//!
//! Source: uv's crate `uv-resolver`, `lock/mod.rs`; there is no other specification.

pub mod locked;

use std::collections::{HashMap, HashSet};

use super::extras::{self, Ask, MOST_GROUPS, Web};
use super::graph;
use super::model::{Dependency, Ecosystem, Input, Kind, Lock, Package, Scope, Source};
use super::toml::{self, Document, Place, Table, Value};
use super::{Act, Update, is_usual_index};
use crate::error::Result;
use crate::name::normalize;

/// `uv.lock`.
pub static KIND: Kind = Kind {
    name: "uv.lock",
    ecosystem: Ecosystem::Pypi,
    remedy: "uv lock",
    matches: |name| name == "uv.lock",
    read,
    update,
};

fn update(update: &Update<'_>) -> Act {
    const UPGRADE: &str = "--upgrade-package";
    let newer = format!("{}>={}", update.package, update.to);
    let exactly = format!("{}=={}", update.package, update.to);
    match (update.raises(), update.group(), update.barrier()) {
        (true, None, _) => Act::run(&["uv", "add", "--no-sync", &newer]),
        (true, Some(group), _) => Act::run(&["uv", "add", "--no-sync", "--group", group, &newer]),
        (false, _, "") => Act::run(&["uv", "lock", UPGRADE, &exactly]),
        (false, _, barrier) => Act::run(&["uv", "lock", UPGRADE, barrier, UPGRADE, &exactly]),
    }
}

/// The group of what the distributions themselves need.
const MAIN: &str = "main";

/// The file while it is read.
struct Reading<'read, 'text> {
    place: &'read Place<'text>,
    tables: &'read [(usize, &'read Table<'text>)],
    packages: &'read [Package],
    names: HashMap<&'read str, Vec<usize>>,
    /// Whose numbers are those of the groups.
    groups: Vec<String>,
    numbers: HashMap<String, usize>,
}

fn read(input: &Input<'_>) -> Result<Lock> {
    let document = Document::of_lock(input.text, input.path, &KIND)?;
    let (top, place) = document.into_parts();
    let format = format(&top, &place)?;
    let tables = place.tables(&top, "package")?;
    let members = members(&top);
    let mut packages = Vec::with_capacity(tables.len());
    for (line, table) in &tables {
        packages.push(package(table, *line, &members, &place)?);
    }
    let (web, roots, groups) = {
        let mut reading = Reading {
            place: &place,
            tables: &tables,
            packages: &packages,
            names: graph::by_name(&packages, &place)?,
            groups: Vec::new(),
            numbers: HashMap::new(),
        };
        let (web, mut roots) = reading.arrows()?;
        if let Some(manifest) = toml::table(&top, "manifest") {
            reading.manifest_roots(manifest, &mut roots)?;
        }
        (web, roots, reading.groups)
    };
    let brought = web.settle(&mut packages, &roots);
    for (package, brought) in packages.iter_mut().zip(brought) {
        let names = brought
            .iter()
            .filter_map(|&group| groups.get(group).cloned());
        package.groups = match package.source {
            Source::Workspace { .. } => vec![MAIN.to_owned()],
            _ => names.collect(),
        };
        package.scope = match package.source {
            Source::Workspace { .. } => Scope::Ships,
            _ => extras::scope(&package.groups, input.shipping_groups),
        };
    }
    let roots = roots_of(&packages, roots, &groups);
    Ok(Lock {
        ecosystem: Ecosystem::Pypi,
        format,
        packages,
        roots,
        notes: Vec::new(),
    })
}

/// What the workspace asks for, apart from its own members.
fn roots_of(packages: &[Package], roots: Vec<(Ask, usize)>, groups: &[String]) -> Vec<Dependency> {
    let mut seen = HashSet::new();
    let is_own = |package: usize| {
        let source = packages.get(package).map(|package| &package.source);
        matches!(source, Some(Source::Workspace { .. }))
    };
    let roots = roots.into_iter().filter(|(ask, _)| !is_own(ask.package));
    let roots = roots.map(|(ask, group)| Dependency {
        package: ask.package,
        constraint: ask.constraint,
        group: groups.get(group).cloned(),
    });
    roots
        .filter(|root| seen.insert((root.package, root.constraint.clone(), root.group.clone())))
        .collect()
}

fn format(top: &Table<'_>, place: &Place<'_>) -> Result<String> {
    let number = |value: &Value<'_>| {
        let number = value.as_integer();
        number.map(str::to_owned)
    };
    let line = top.get("version").map_or(1, |value| place.line_of(value));
    match top.get("version").and_then(number).as_deref() {
        Some("1") => Ok(match top.get("revision").and_then(number) {
            Some(revision) => format!("1.{revision}"),
            None => "1".to_owned(),
        }),
        Some(other) => Err(place.error(
            line,
            format!("version {other} of the format is not known; this tool reads version 1"),
        )),
        None => Err(place.error(line, "there is no `version`, so this is no whole uv.lock")),
    }
}

/// The names of the workspace's members; a project without a workspace lists none.
fn members<'table>(top: &'table Table<'_>) -> HashSet<&'table str> {
    let manifest = toml::table(top, "manifest");
    let members = manifest
        .into_iter()
        .flat_map(|manifest| toml::texts(manifest, "members"));
    members.collect()
}

fn package(
    table: &Table<'_>,
    line: usize,
    members: &HashSet<&str>,
    place: &Place<'_>,
) -> Result<Package> {
    let name =
        toml::text(table, "name").ok_or_else(|| place.error(line, "a package without `name`"))?;
    let problem = |problem: String| place.error(line, format!("package {name}: {problem}"));
    let source = toml::table(table, "source");
    let source = source.ok_or_else(|| problem("`source` is missing".to_owned()))?;
    let source = self::source(source, members.contains(name)).map_err(problem)?;
    let version = toml::text(table, "version");
    if version.is_none() && matches!(source, Source::Registry { .. }) {
        return Err(problem("`version` is missing".to_owned()));
    }
    let sdist = toml::table(table, "sdist").into_iter();
    let wheels = toml::list(table, "wheels").filter_map(|wheel| wheel.as_table());
    let hash = |file: &Table<'_>| toml::text(file, "hash").map(str::to_owned);
    Ok(Package {
        name: normalize(name),
        alias: None,
        version: version.unwrap_or_default().to_owned(),
        line,
        source,
        groups: Vec::new(),
        scope: Scope::Ships,
        dependencies: Vec::new(),
        digests: sdist.chain(wheels).filter_map(hash).collect(),
        license: None,
    })
}

fn source(table: &Table<'_>, is_member: bool) -> std::result::Result<Source, String> {
    let (kind, value) = written(table).ok_or("`source` names no place")?;
    let value = value.to_owned();
    Ok(match kind {
        "registry" => Source::Registry {
            url: (!is_usual_index(&value)).then_some(value),
        },
        "git" => {
            let (url, commit) = match value.split_once('#') {
                Some((url, commit)) => (url, Some(commit.to_owned())),
                None => (value.as_str(), None),
            };
            let url = url.split('?').next().unwrap_or(url).to_owned();
            Source::Git { url, commit }
        }
        "url" => Source::Url { url: value },
        "path" => Source::Path { path: value },
        // The project itself is written with a dot when no workspace lists its members.
        _ if is_member || value == "." => Source::Workspace { path: value },
        "directory" | "editable" | "virtual" => Source::Path { path: value },
        other => return Err(format!("a source of the kind `{other}` is not known")),
    })
}

/// The kind of a source and its place.
fn written<'table>(source: &'table Table<'_>) -> Option<(&'table str, &'table str)> {
    const KINDS: [&str; 7] = [
        "registry",
        "git",
        "url",
        "path",
        "directory",
        "editable",
        "virtual",
    ];
    let known = KINDS
        .into_iter()
        .find_map(|kind| Some((kind, toml::text(source, kind)?)));
    known.or_else(|| {
        let (kind, value) = source.iter().next()?;
        Some((kind, value.as_str()?))
    })
}

impl Reading<'_, '_> {
    /// All arrows between packages, and those of members, with their groups.
    fn arrows(&mut self) -> Result<(Web, Vec<(Ask, usize)>)> {
        let mut web = Web::new(self.packages.len());
        let mut roots = Vec::new();
        for (index, (line, table)) in self.tables.iter().enumerate() {
            let package = self.packages.get(index);
            let is_member =
                package.is_some_and(|package| matches!(package.source, Source::Workspace { .. }));
            let wanted = wanted(table, "requires-dist");
            for value in toml::list(table, "dependencies") {
                let ask = self.ask(value, *line)?;
                if is_member {
                    self.add_root(&mut roots, &ask, MAIN, &wanted, *line)?;
                }
                web.add(index, None, ask);
            }
            for (extra, list) in toml::entries(table, "optional-dependencies") {
                for value in toml::items(Some(list)) {
                    let ask = self.ask(value, *line)?;
                    if is_member {
                        self.add_root(&mut roots, &ask, MAIN, &wanted, *line)?;
                    }
                    web.add(index, Some(&normalize(extra)), ask);
                }
            }
            if is_member {
                self.add_groups(table, *line, &mut roots)?;
            }
        }
        Ok((web, roots))
    }

    fn add_groups(
        &mut self,
        table: &Table<'_>,
        line: usize,
        roots: &mut Vec<(Ask, usize)>,
    ) -> Result<()> {
        let metadata = toml::table(table, "metadata");
        let requires = metadata.and_then(|metadata| toml::table(metadata, "requires-dev"));
        for (group, list) in toml::entries(table, "dev-dependencies") {
            let wanted = requires.map(|requires| specifiers(toml::list(requires, group)));
            let wanted = wanted.unwrap_or_default();
            for value in toml::items(Some(list)) {
                let ask = self.ask(value, line)?;
                self.add_root(roots, &ask, group, &wanted, line)?;
            }
        }
        Ok(())
    }

    /// A root without a project has its requirements and groups in `[manifest]`, by name only.
    fn manifest_roots(
        &mut self,
        manifest: &Table<'_>,
        roots: &mut Vec<(Ask, usize)>,
    ) -> Result<()> {
        let groups =
            toml::entries(manifest, "dependency-groups").map(|(group, list)| (group, Some(list)));
        let own = [(MAIN, manifest.get("requirements"))];
        for (group, list) in own.into_iter().chain(groups) {
            let wanted = specifiers(toml::items(list));
            for value in toml::items(list) {
                let Some(entry) = value.as_table() else {
                    continue;
                };
                let name = normalize(toml::text(entry, "name").unwrap_or_default());
                for package in self.names.get(name.as_str()).cloned().unwrap_or_default() {
                    let extras = toml::texts(entry, "extras").map(normalize).collect();
                    let ask = Ask {
                        package,
                        extras,
                        constraint: None,
                    };
                    self.add_root(roots, &ask, group, &wanted, self.place.line_of(value))?;
                }
            }
        }
        Ok(())
    }

    fn add_root(
        &mut self,
        roots: &mut Vec<(Ask, usize)>,
        ask: &Ask,
        group: &str,
        wanted: &HashMap<String, Vec<String>>,
        line: usize,
    ) -> Result<()> {
        let group = self.group(group, line)?;
        let package = self.packages.get(ask.package);
        let (name, version) = package.map_or(("", ""), |package| {
            (package.name.as_str(), package.version.as_str())
        });
        let constraints = wanted.get(name).cloned().unwrap_or_default();
        let constraints = extras::fitting(constraints, version, |text| Some(text.as_str()));
        if constraints.is_empty() {
            roots.push((ask.clone(), group));
        }
        roots.extend(constraints.into_iter().map(|constraint| {
            let constraint = Some(constraint);
            (
                Ask {
                    constraint,
                    ..ask.clone()
                },
                group,
            )
        }));
        Ok(())
    }

    fn group(&mut self, name: &str, line: usize) -> Result<usize> {
        let name = normalize(name);
        if let Some(&number) = self.numbers.get(&name) {
            return Ok(number);
        }
        let number = self.groups.len();
        if number >= MOST_GROUPS {
            let problem = format!("more than {MOST_GROUPS} dependency groups");
            return Err(self.place.error(line, problem));
        }
        self.groups.push(name.clone());
        self.numbers.insert(name, number);
        Ok(number)
    }

    /// Finds the package by its name and, where there are several, version and source.
    fn ask(&self, value: &Value<'_>, line: usize) -> Result<Ask> {
        let owner = || {
            let tables = self.tables.iter().find(|(at, _)| *at == line);
            tables
                .and_then(|(_, table)| toml::text(table, "name"))
                .unwrap_or_default()
        };
        let problem = |problem: String| {
            let line = self.place.line_of(value);
            self.place
                .error(line, format!("package {}: {problem}", owner()))
        };
        let entry = value.as_table();
        let name = entry.and_then(|entry| toml::text(entry, "name"));
        let (Some(entry), Some(name)) = (entry, name) else {
            return Err(problem("a dependency without `name`".to_owned()));
        };
        let version = toml::text(entry, "version");
        let source = toml::table(entry, "source").and_then(written);
        let fits = |index: &&usize| {
            let package = self.packages.get(**index);
            let table = self.tables.get(**index);
            let locked = table.and_then(|(_, table)| written(toml::table(table, "source")?));
            version.is_none_or(|version| package.is_some_and(|one| one.version == version))
                && (source.is_none() || source == locked)
        };
        let named = self.names.get(normalize(name).as_str());
        let mut fitting = named
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(&package), None) => Ok(Ask {
                package,
                extras: toml::texts(entry, "extra").map(normalize).collect(),
                constraint: None,
            }),
            (None, _) => Err(problem(format!(
                "it depends on {name} {}, for which there is no package: the lock file is \
                 incomplete",
                version.unwrap_or("of any version")
            ))),
            _ => Err(problem(format!(
                "it depends on {name}, which several packages are"
            ))),
        }
    }
}

/// The version specifiers of `[package.metadata]` by name.
fn wanted(package: &Table<'_>, key: &str) -> HashMap<String, Vec<String>> {
    let metadata = toml::table(package, "metadata");
    metadata
        .map(|metadata| specifiers(toml::list(metadata, key)))
        .unwrap_or_default()
}

fn specifiers<'table, 'text: 'table>(
    list: impl Iterator<Item = &'table Value<'text>>,
) -> HashMap<String, Vec<String>> {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for entry in list.filter_map(Value::as_table) {
        let (Some(name), Some(text)) = (toml::text(entry, "name"), toml::text(entry, "specifier"))
        else {
            continue;
        };
        let same = found.entry(normalize(name)).or_default();
        // One name has a few at most; a hostile file must not make every root a long list.
        if same.len() < 16 && !same.iter().any(|known| known == text) {
            same.push(text.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests;
