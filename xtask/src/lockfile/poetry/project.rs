//! What `pyproject.toml` asks for, as far as an audit needs it: names, constraints, groups.
//!
//! The export reads the same file with all its markers (`requirements::project`) and refuses
//! what it cannot place; an audit must also read projects whose lock file is stale or old.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::super::extras::MOST_GROUPS;
use super::super::requirement;
use super::super::toml::{self, Document, Table, Value};
use crate::error::{Error, Result};
use crate::name::normalize;

/// The group of what the distribution itself needs, with its extras.
pub const MAIN: &str = "main";

/// The most that all groups together may ask for.
const MOST_WANTED: usize = 100_000;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its name in the normal form; empty when it has none.
    pub name: String,
    /// What its groups ask for.
    pub wanted: Vec<Wanted>,
}

/// One thing that a project asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name in its normal form.
    pub name: String,
    /// Its extras that are asked for, in their normal form.
    pub extras: Vec<String>,
    /// The versions that fit, as written.
    pub constraint: Option<String>,
    /// The group that asks, in its normal form.
    pub group: String,
}

/// The groups while they are read: what each asks for and which others it includes.
#[derive(Debug, Default)]
struct Group {
    wanted: Vec<Wanted>,
    includes: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Groups(BTreeMap<String, Group>);

/// Reads what the project asks for; `file` names it in errors.
///
/// # Errors
/// It is no TOML, or asks for more than any project does.
pub fn read(text: &str, file: &Utf8Path) -> Result<Project> {
    let top = Document::of_manifest(text, file)?.top;
    let none = Table::default();
    let project = toml::table(&top, "project").unwrap_or(&none);
    let poetry = toml::table(&top, "tool").and_then(|tool| toml::table(tool, "poetry"));
    let poetry = poetry.unwrap_or(&none);
    let own = toml::text(project, "name").or_else(|| toml::text(poetry, "name"));
    let own = normalize(own.unwrap_or_default());
    let mut groups = Groups::default();
    groups.add_texts(MAIN, toml::list(project, "dependencies"));
    for (_, list) in toml::entries(project, "optional-dependencies") {
        groups.add_texts(MAIN, toml::items(Some(list)));
    }
    groups.add_table(MAIN, poetry);
    for (name, list) in toml::entries(&top, "dependency-groups") {
        groups.add_texts(name, toml::items(Some(list)));
    }
    for (name, group) in toml::entries(poetry, "group") {
        if let Some(group) = group.as_table() {
            groups.add_table(name, group);
            let includes = toml::texts(group, "include-groups").map(normalize);
            groups.of(name).includes.extend(includes);
        }
    }
    for (name, value) in toml::entries(poetry, "dev-dependencies") {
        groups.add("dev", name, value);
    }
    let wanted = groups.resolve().map_err(|problem| {
        Error::failure(format!("{file}: {problem}")).hint(format!("mend {file}"))
    })?;
    // `all = ["project[one,two]"]` names extras of the project itself.
    let wanted = wanted.into_iter().filter(|wanted| wanted.name != own);
    Ok(Project {
        wanted: wanted.collect(),
        name: own,
    })
}

impl Groups {
    fn of(&mut self, name: &str) -> &mut Group {
        self.0.entry(normalize(name)).or_default()
    }

    fn add_texts<'table, 'text: 'table>(
        &mut self,
        group: &str,
        list: impl Iterator<Item = &'table Value<'text>>,
    ) {
        let name = normalize(group);
        let group = self.of(group);
        for value in list {
            if let Some(text) = value.as_str() {
                let found = requirement::parse(text).map(|found| Wanted {
                    name: found.name,
                    extras: found.extras,
                    constraint: (!found.versions.is_empty()).then(|| found.versions.to_owned()),
                    group: name.clone(),
                });
                group.wanted.extend(found);
            } else if let Some(table) = value.as_table() {
                group
                    .includes
                    .extend(toml::text(table, "include-group").map(normalize));
            }
        }
    }

    fn add_table(&mut self, group: &str, table: &Table<'_>) {
        for (name, value) in toml::entries(table, "dependencies") {
            self.add(group, name, value);
        }
    }

    fn add(&mut self, group: &str, name: &str, value: &Value<'_>) {
        if name.eq_ignore_ascii_case("python") {
            return;
        }
        let several = value.as_list().is_some();
        let several = several.then(|| toml::items(Some(value)).collect::<Vec<_>>());
        for one in several.unwrap_or_else(|| vec![value]) {
            let (constraint, extras) = specification(one);
            let wanted = Wanted {
                name: normalize(name),
                extras,
                constraint,
                group: normalize(group),
            };
            self.of(group).wanted.push(wanted);
        }
    }

    /// A group asks for its own, and for all that the groups ask for that it includes.
    fn resolve(&self) -> std::result::Result<Vec<Wanted>, String> {
        if self.0.len() > MOST_GROUPS {
            return Err(format!("more than {MOST_GROUPS} dependency groups"));
        }
        let mut all = Vec::new();
        for (name, group) in &self.0 {
            let mut seen = BTreeSet::from([name.as_str()]);
            let mut open = vec![group];
            while let Some(group) = open.pop() {
                let wanted = group.wanted.iter();
                all.extend(wanted.map(|one| Wanted {
                    group: name.clone(),
                    ..one.clone()
                }));
                if all.len() > MOST_WANTED {
                    return Err(format!("more than {MOST_WANTED} dependencies"));
                }
                let new = group
                    .includes
                    .iter()
                    .filter(|include| seen.insert(include.as_str()));
                open.extend(new.filter_map(|include| self.0.get(include)));
            }
        }
        Ok(all)
    }
}

/// The constraint and the extras of `"^1"` or `{version = "^1", extras = ["x"]}`.
pub fn specification(value: &Value<'_>) -> (Option<String>, Vec<String>) {
    let table = value.as_table();
    let version = table.and_then(|table| toml::text(table, "version"));
    let constraint = value.as_str().or(version).map(str::to_owned);
    let extras = table
        .into_iter()
        .flat_map(|table| toml::texts(table, "extras"));
    (constraint, extras.map(normalize).collect())
}
