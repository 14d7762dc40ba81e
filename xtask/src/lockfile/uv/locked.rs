//! `uv.lock` as an export sees it: which markers lie on the way to each package. Pure.

use std::collections::HashMap;

use camino::Utf8Path;

use super::super::graph;
use super::super::model::{Package, Source};
use super::super::toml::{self, Document, Place, Table, Value};
use super::{KIND, Reading, format, members, package};
use crate::error::Result;
use crate::name::normalize;

/// A whole lock file.
#[derive(Debug)]
pub struct Locked {
    /// The packages, in the order of the file.
    pub packages: Vec<Entry>,
}

/// A locked package with its arrows.
#[derive(Debug)]
pub struct Entry {
    /// Name, version, source and digests.
    pub package: Package,
    /// What it depends on.
    pub dependencies: Vec<Arrow>,
    /// What its extras bring, by their normal name.
    pub extras: Vec<(String, Vec<Arrow>)>,
    /// What its dependency groups bring, by their normal name.
    pub groups: Vec<(String, Vec<Arrow>)>,
    /// What its manifest asked for when the file was written.
    pub asked: Asked,
}

/// An arrow to a package of the same file.
#[derive(Debug)]
pub struct Arrow {
    /// The index of the package.
    pub package: usize,
    /// The extras asked for, in their normal form.
    pub extras: Vec<String>,
    /// The condition on the environment; empty for all.
    pub marker: String,
    /// Where it is written.
    pub line: usize,
}

/// What a member's manifest asked for.
#[derive(Debug, Default)]
pub struct Asked {
    /// `[project] dependencies` and extras; `None` when the file does not say.
    pub requirements: Option<Vec<Wanted>>,
    /// `[dependency-groups]`.
    pub groups: Vec<(String, Vec<Wanted>)>,
}

/// One requirement of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name in its normal form.
    pub name: String,
    /// The extras asked for, in their normal form, sorted.
    pub extras: Vec<String>,
    /// The versions that fit, as uv writes them.
    pub specifier: String,
    /// The condition, with the extra that brings it.
    pub marker: String,
    /// Whether it comes from a place of its own, which the manifest says in `[tool.uv.sources]`.
    pub placed: bool,
}

/// Reads a lock file; `path` names it in errors.
///
/// # Errors
/// As the reader of the audit: damage, an unknown version of the format, an arrow to nothing.
pub fn read(text: &str, path: &Utf8Path) -> Result<Locked> {
    let document = Document::of_lock(text, path, &KIND)?;
    let (top, place) = document.into_parts();
    format(&top, &place)?;
    let tables = place.tables(&top, "package")?;
    let members = members(&top);
    let mut packages = Vec::with_capacity(tables.len());
    for (line, table) in &tables {
        packages.push(package(table, *line, &members, &place)?);
    }
    let entries = {
        let reading = Reading {
            place: &place,
            tables: &tables,
            packages: &packages,
            names: graph::by_name(&packages, &place)?,
            groups: Vec::new(),
            numbers: HashMap::new(),
        };
        let mut entries = Vec::with_capacity(tables.len());
        for (line, table) in &tables {
            entries.push(arrows(&reading, table, *line)?);
        }
        entries
    };
    let packages = packages.into_iter().zip(entries);
    let packages = packages.map(|(package, (dependencies, extras, groups, asked))| Entry {
        package,
        dependencies,
        extras,
        groups,
        asked,
    });
    Ok(Locked {
        packages: packages.collect(),
    })
}

type Named = Vec<(String, Vec<Arrow>)>;

fn arrows(
    reading: &Reading<'_, '_>,
    table: &Table<'_>,
    line: usize,
) -> Result<(Vec<Arrow>, Named, Named, Asked)> {
    let list = |values: Option<&Value<'_>>| -> Result<Vec<Arrow>> {
        let values = toml::items(values);
        values.map(|value| arrow(reading, value, line)).collect()
    };
    let named = |key: &str| -> Result<Named> {
        toml::entries(table, key)
            .map(|(name, values)| Ok((normalize(name), list(Some(values))?)))
            .collect()
    };
    let extras = named("optional-dependencies")?;
    let mut groups = named("dev-dependencies")?;
    let asked = asked(table);
    for (group, _) in &asked.groups {
        if !groups.iter().any(|(known, _)| known == group) {
            groups.push((group.clone(), Vec::new()));
        }
    }
    Ok((list(table.get("dependencies"))?, extras, groups, asked))
}

fn arrow(reading: &Reading<'_, '_>, value: &Value<'_>, line: usize) -> Result<Arrow> {
    let place: &Place<'_> = reading.place;
    let ask = reading.ask(value, line)?;
    let marker = value
        .as_table()
        .and_then(|entry| toml::text(entry, "marker"));
    Ok(Arrow {
        package: ask.package,
        extras: ask.extras,
        marker: marker.unwrap_or_default().to_owned(),
        line: place.line_of(value),
    })
}

fn asked(table: &Table<'_>) -> Asked {
    let Some(metadata) = toml::table(table, "metadata") else {
        return Asked::default();
    };
    let wanted = |values: Option<&Value<'_>>| -> Vec<Wanted> {
        let entries = toml::items(values).filter_map(Value::as_table);
        entries.filter_map(wanted).collect()
    };
    let groups = toml::entries(metadata, "requires-dev")
        .map(|(group, values)| (normalize(group), wanted(Some(values))));
    Asked {
        requirements: Some(wanted(metadata.get("requires-dist"))),
        groups: groups.collect(),
    }
}

fn wanted(entry: &Table<'_>) -> Option<Wanted> {
    let mut extras: Vec<String> = toml::texts(entry, "extras").map(normalize).collect();
    extras.sort();
    let text = |key: &str| toml::text(entry, key).unwrap_or_default().to_owned();
    let places = [
        "git",
        "url",
        "path",
        "directory",
        "editable",
        "virtual",
        "index",
    ];
    Some(Wanted {
        name: normalize(toml::text(entry, "name")?),
        extras,
        specifier: text("specifier"),
        marker: text("marker"),
        placed: places.iter().any(|key| entry.contains_key(key)),
    })
}

impl Locked {
    /// The index of the project of this name: itself or a member of its workspace.
    pub fn project(&self, name: &str) -> Option<usize> {
        self.packages.iter().position(|entry| {
            let is_own = matches!(entry.package.source, Source::Workspace { .. });
            is_own && entry.package.name == name
        })
    }
}
