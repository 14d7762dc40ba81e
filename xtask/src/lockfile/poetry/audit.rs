//! `poetry.lock` as an audit sees it: every generation, also those that the export refuses.
//!
//! Poetry before 1.0 wrote no lock-version; such a file still says which versions are installed.
//! Only 2.1 says which groups bring a package; 1.x knows `main` and `dev`; for 2.0 the groups are
//! worked out by walking from what `pyproject.toml` asks for.

use std::collections::{BTreeSet, HashMap, HashSet};

use camino::Utf8Path;

use super::super::extras::{self, Ask, Web};
use super::super::graph;
use super::super::model::{Dependency, Ecosystem, Input, Kind, Lock, Package, Scope, Source};
use super::super::requirement;
use super::super::toml::{self, Document, Place, Table, Value};
use super::super::{Act, Update};
use super::project::{self, Wanted};
use super::{COMMAND, FILE, whole};
use crate::error::Result;
use crate::name::normalize;
use crate::pep440::Version;

/// `poetry.lock`.
pub static KIND: Kind = Kind {
    name: FILE,
    ecosystem: Ecosystem::Pypi,
    remedy: COMMAND,
    matches: |name| name == FILE,
    read,
    update,
};

/// `--lock` leaves what is installed alone (Poetry's documentation of `add` and `update`).
fn update(update: &Update<'_>) -> Act {
    let newer = format!("{}@^{}", update.package, update.to);
    match (update.raises(), update.group()) {
        (true, None) => Act::run(&["poetry", "add", "--lock", &newer]),
        (true, Some(group)) => Act::run(&["poetry", "add", "--lock", "--group", group, &newer]),
        (false, _) => {
            let barrier = update.barrier();
            Act::run(&["poetry", "update", "--lock", barrier, update.package])
        }
    }
}

fn read(input: &Input<'_>) -> Result<Lock> {
    let document = Document::of_lock(input.text, input.path, &KIND)?;
    let (top, place) = document.into_parts();
    let metadata = toml::table(&top, "metadata");
    let last = input.text.lines().count().max(1);
    let metadata = metadata.ok_or_else(|| {
        place.error(
            last,
            "there is no [metadata] table, so the file is not whole",
        )
    })?;
    let format = format(&top, metadata, &place)?;
    let has_groups = Version::parse(&format)
        .is_ok_and(|version| version >= Version::from_release(0, vec![2, 1]));
    let tables = place.tables(&top, "package")?;
    let mut packages = Vec::with_capacity(tables.len());
    for (line, table) in &tables {
        packages.push(package(table, *line, metadata, has_groups, &place)?);
    }
    let mut notes = Vec::new();
    let project = match (input.beside)("pyproject.toml") {
        Some(text) => Some(project::read(&text, Utf8Path::new("pyproject.toml"))?),
        None => None,
    };
    let own = project.as_ref().map(|project| project.name.as_str());
    let wanted = project.as_ref().map(|project| project.wanted.as_slice());
    let (web, roots, names) = {
        let by_name = graph::by_name(&packages, &place)?;
        whole::check(metadata, &tables, &by_name, own, &place)?;
        let web = web(&tables, &packages, &by_name);
        let (roots, names, missing) = roots(wanted.unwrap_or_default(), &packages, &by_name);
        notes.extend(stale(&missing));
        (web, roots, names)
    };
    let brought = web.settle(&mut packages, &roots);
    let is_silent = packages.iter().any(|package| package.groups.is_empty());
    for (package, brought) in packages.iter_mut().zip(brought) {
        if package.groups.is_empty() {
            let brought = brought
                .iter()
                .filter_map(|&group| names.get(group).cloned());
            package.groups = brought.collect();
        }
        package.scope = extras::scope(&package.groups, input.shipping_groups);
    }
    let roots = match wanted.is_some() {
        true => roots
            .into_iter()
            .map(|(ask, group)| root(ask, names.get(group)))
            .collect(),
        false => {
            notes.push(without_project(is_silent).to_owned());
            unasked(&packages)
        }
    };
    Ok(Lock {
        ecosystem: Ecosystem::Pypi,
        format,
        packages,
        roots,
        notes,
    })
}

/// Empty for a file of a Poetry before 1.0, which has at least the hash of its content.
fn format(top: &Table<'_>, metadata: &Table<'_>, place: &Place<'_>) -> Result<String> {
    let line = top.get("metadata").map_or(1, |value| place.line_of(value));
    match metadata.get("lock-version") {
        None if metadata.contains_key("content-hash") => Ok(String::new()),
        None => Err(place.error(line, "[metadata] has neither lock-version nor content-hash")),
        Some(value) => {
            let text = value.as_str().unwrap_or_default();
            let known = Version::from_release(0, vec![1])..=Version::from_release(0, vec![2, 1]);
            let version = Version::parse(text).ok();
            match version.is_some_and(|version| known.contains(&version)) {
                true => Ok(text.to_owned()),
                false => Err(place.error(
                    place.line_of(value),
                    format!("lock-version {text} is not known; this tool reads 1.x, 2.0 and 2.1"),
                )),
            }
        }
    }
}

fn package(
    table: &Table<'_>,
    line: usize,
    metadata: &Table<'_>,
    has_groups: bool,
    place: &Place<'_>,
) -> Result<Package> {
    let written =
        toml::text(table, "name").ok_or_else(|| place.error(line, "a package without `name`"))?;
    let problem = |problem: String| place.error(line, format!("package {written}: {problem}"));
    let version = toml::text(table, "version");
    let version = version.ok_or_else(|| problem("`version` is missing".to_owned()))?;
    let source = match table.get("source") {
        None => Source::Registry { url: None },
        Some(value) => source(value).map_err(problem)?,
    };
    let groups: Vec<String> = match has_groups {
        true => toml::texts(table, "groups").map(normalize).collect(),
        false => toml::text(table, "category")
            .map(normalize)
            .into_iter()
            .collect(),
    };
    if has_groups && groups.is_empty() {
        return Err(problem("`groups` is missing".to_owned()));
    }
    Ok(Package {
        name: normalize(written),
        alias: None,
        version: version.to_owned(),
        line,
        source,
        groups,
        scope: Scope::Ships,
        dependencies: Vec::new(),
        digests: digests(table, metadata, written),
        license: None,
    })
}

fn source(value: &Value<'_>) -> std::result::Result<Source, String> {
    let table = value.as_table().ok_or("`source` is no table")?;
    let needed = |key| toml::text(table, key).ok_or(format!("`source.{key}` is missing"));
    let (kind, url) = (needed("type")?, needed("url")?.to_owned());
    let commit = toml::text(table, "resolved_reference").or_else(|| toml::text(table, "reference"));
    Ok(match kind {
        "legacy" => Source::Registry { url: Some(url) },
        "git" => Source::Git {
            url,
            commit: commit.map(str::to_owned),
        },
        "url" => Source::Url { url },
        "directory" | "file" => Source::Path { path: url },
        other => return Err(format!("a source of the type `{other}` is not known")),
    })
}

/// They have moved: first `metadata.hashes`, then `metadata.files`, now the package's `files`.
fn digests(table: &Table<'_>, metadata: &Table<'_>, name: &str) -> Vec<String> {
    let files = match table.get("files") {
        Some(files) => Some(files),
        None => toml::table(metadata, "files").and_then(|files| files.get(name)),
    };
    let hash = |file: &Value<'_>| {
        let hash = toml::text(file.as_table()?, "hash")?;
        Some(hash.to_owned())
    };
    if files.is_some() {
        return toml::items(files).filter_map(hash).collect();
    }
    let old = toml::table(metadata, "hashes").map(|hashes| toml::texts(hashes, name));
    let old = old.into_iter().flatten();
    old.map(|hexadecimal| format!("sha256:{hexadecimal}"))
        .collect()
}

/// The arrows between packages. What the lock file has no package for is left out by a marker.
fn web(
    tables: &[(usize, &Table<'_>)],
    packages: &[Package],
    names: &HashMap<&str, Vec<usize>>,
) -> Web {
    let mut web = Web::new(packages.len());
    for (index, (_, table)) in tables.iter().enumerate() {
        let mut optional: HashMap<String, Vec<Ask>> = HashMap::new();
        for (name, value) in toml::entries(table, "dependencies") {
            let name = normalize(name);
            for one in each(value) {
                let is_optional = one.as_table().and_then(|one| toml::truth(one, "optional"));
                let (constraint, extras) = project::specification(one);
                let asks = asks(&name, constraint.as_deref(), &extras, packages, names);
                match is_optional == Some(true) {
                    true => optional.entry(name.clone()).or_default().extend(asks),
                    false => asks.into_iter().for_each(|ask| web.add(index, None, ask)),
                }
            }
        }
        for (extra, list) in toml::entries(table, "extras") {
            let extra = normalize(extra);
            let texts = toml::items(Some(list)).filter_map(Value::as_str);
            for requirement in texts.filter_map(requirement::parse) {
                let is_self = packages
                    .get(index)
                    .is_some_and(|own| own.name == requirement.name);
                if is_self {
                    let extras = requirement.extras;
                    web.add(
                        index,
                        Some(&extra),
                        Ask {
                            package: index,
                            extras,
                            constraint: None,
                        },
                    );
                    continue;
                }
                for ask in optional.get(&requirement.name).into_iter().flatten() {
                    web.add(index, Some(&extra), ask.clone());
                }
            }
        }
    }
    web
}

/// Several specifications of one name are a list.
pub(super) fn each<'table, 'text>(value: &'table Value<'text>) -> Vec<&'table Value<'text>> {
    match value.as_list() {
        Some(several) => several.iter().collect(),
        None => vec![value],
    }
}

/// One arrow, or one to each package of the name that the constraint lets in.
fn asks(
    name: &str,
    constraint: Option<&str>,
    extras: &[String],
    packages: &[Package],
    names: &HashMap<&str, Vec<usize>>,
) -> Vec<Ask> {
    let named = names.get(name).map(Vec::as_slice).unwrap_or_default();
    let lets_in = |index: &usize| {
        let version = packages
            .get(*index)
            .map(|package| Version::parse(&package.version));
        match version {
            Some(Ok(version)) => extras::allows(constraint, &version),
            _ => true,
        }
    };
    let fitting: Vec<usize> = match named.len() {
        0 | 1 => named.to_vec(),
        _ => named.iter().copied().filter(lets_in).collect(),
    };
    let fitting = if fitting.is_empty() {
        named.to_vec()
    } else {
        fitting
    };
    let ask = |package| Ask {
        package,
        extras: extras.to_vec(),
        constraint: constraint.map(str::to_owned),
    };
    fitting.into_iter().map(ask).collect()
}

/// What the project asks for with the numbers of the groups, the names of these, and what it
/// asks for that is not there.
type Roots = (Vec<(Ask, usize)>, Vec<String>, BTreeSet<String>);

fn roots(wanted: &[Wanted], packages: &[Package], names: &HashMap<&str, Vec<usize>>) -> Roots {
    let mut roots = Vec::new();
    let mut groups: Vec<String> = Vec::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut missing = BTreeSet::new();
    for one in wanted {
        let number = *numbers.entry(&one.group).or_insert_with(|| {
            groups.push(one.group.clone());
            groups.len() - 1
        });
        let found = asks(
            &one.name,
            one.constraint.as_deref(),
            &one.extras,
            packages,
            names,
        );
        if found.is_empty() {
            missing.insert(one.name.clone());
        }
        roots.extend(found.into_iter().map(|ask| (ask, number)));
    }
    (roots, groups, missing)
}

fn root(ask: Ask, group: Option<&String>) -> Dependency {
    Dependency {
        package: ask.package,
        constraint: ask.constraint,
        group: group.cloned(),
    }
}

fn stale(missing: &BTreeSet<String>) -> Option<String> {
    const SHOWN: usize = 5;
    if missing.is_empty() {
        return None;
    }
    let more = match missing.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown: Vec<&str> = missing.iter().take(SHOWN).map(String::as_str).collect();
    Some(format!(
        "pyproject.toml asks for {}{more}, but the lock file has no such package: it is stale, \
         and what is missing could not be checked; {COMMAND}",
        shown.join(", ")
    ))
}

fn without_project(is_silent: bool) -> &'static str {
    match is_silent {
        true => {
            "there is no pyproject.toml beside it, so everything counts as shipping, and packages \
             that no other asks for count as the beginnings of chains"
        }
        false => {
            "there is no pyproject.toml beside it, so packages that no other asks for count as \
             the beginnings of chains"
        }
    }
}

/// The packages that no other one asks for.
fn unasked(packages: &[Package]) -> Vec<Dependency> {
    let arrows = packages.iter().flat_map(|package| &package.dependencies);
    let asked: HashSet<usize> = arrows.map(|arrow| arrow.package).collect();
    let is_unasked = |(index, _): &(usize, &Package)| !asked.contains(index);
    let root = |(package, one): (usize, &Package)| Dependency {
        package,
        constraint: None,
        group: one.groups.first().cloned(),
    };
    packages
        .iter()
        .enumerate()
        .filter(is_unasked)
        .map(root)
        .collect()
}

#[cfg(test)]
mod tests;
