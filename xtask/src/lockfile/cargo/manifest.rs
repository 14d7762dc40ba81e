//! What a `Cargo.toml` asks for, in which of its tables. Pure.

use std::collections::HashMap;

use camino::Utf8Path;

use super::super::toml::{self, Document, Table, Value};
use crate::error::Result;

/// A manifest.
#[derive(Debug, Default)]
pub struct Manifest {
    /// `package.name`; a virtual one has none.
    pub name: Option<String>,
    /// What it asks for, of all tables.
    pub asks: Vec<Ask>,
    /// `[workspace]`, if it has one.
    pub workspace: Option<Workspace>,
}

/// `[workspace]`.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Folders and patterns of folders.
    pub members: Vec<String>,
    /// Folders that are not members.
    pub exclude: Vec<String>,
    /// `[workspace.dependencies]`, which members inherit.
    pub asks: Vec<Ask>,
}

/// One dependency.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The key, by which it is inherited.
    pub key: String,
    /// The package's name in the registry.
    pub package: String,
    /// The versions that fit, as written.
    pub requirement: Option<String>,
    /// Its folder, from the manifest's.
    pub path: Option<String>,
    /// Whether it takes everything from the workspace.
    pub inherits: bool,
    /// `main`, `build` or `dev`.
    pub group: &'static str,
}

const TABLES: [(&str, &str); 5] = [
    ("dependencies", "main"),
    ("build-dependencies", "build"),
    ("build_dependencies", "build"),
    ("dev-dependencies", "dev"),
    ("dev_dependencies", "dev"),
];

/// Reads a manifest; `file` names it in errors.
///
/// # Errors
/// It is no TOML.
pub fn read(text: &str, file: &Utf8Path) -> Result<Manifest> {
    let top = Document::of_manifest(text, file)?.top;
    let mut manifest = Manifest {
        name: toml::table(&top, "package")
            .or_else(|| toml::table(&top, "project"))
            .and_then(|package| toml::text(package, "name"))
            .map(str::to_owned),
        ..Manifest::default()
    };
    add_tables(&mut manifest.asks, &top);
    for (_, target) in toml::entries(&top, "target") {
        if let Some(target) = target.as_table() {
            add_tables(&mut manifest.asks, target);
        }
    }
    manifest.workspace = toml::table(&top, "workspace").map(|workspace| {
        let texts = |key| toml::texts(workspace, key).map(str::to_owned).collect();
        let asks = toml::entries(workspace, "dependencies");
        Workspace {
            members: texts("members"),
            exclude: texts("exclude"),
            asks: asks.map(|(key, value)| ask(key, value, "main")).collect(),
        }
    });
    Ok(manifest)
}

fn add_tables(asks: &mut Vec<Ask>, table: &Table<'_>) {
    for (name, group) in TABLES {
        asks.extend(toml::entries(table, name).map(|(key, value)| ask(key, value, group)));
    }
}

fn ask(key: &str, value: &Value<'_>, group: &'static str) -> Ask {
    let table = value.as_table();
    let text = |name| {
        table
            .and_then(|table| toml::text(table, name))
            .map(str::to_owned)
    };
    Ask {
        key: key.to_owned(),
        package: text("package").unwrap_or_else(|| key.to_owned()),
        requirement: value
            .as_str()
            .map(str::to_owned)
            .or_else(|| text("version")),
        path: text("path"),
        inherits: table
            .and_then(|table| toml::truth(table, "workspace"))
            .unwrap_or(false),
        group,
    }
}

impl Manifest {
    /// What it asks for, with what it takes from the workspace filled in.
    pub fn resolved(&self, shared: &HashMap<&str, &Ask>) -> Vec<Ask> {
        let fill = |ask: &Ask| {
            let inherited = shared.get(ask.key.as_str()).filter(|_| ask.inherits);
            inherited.map_or_else(
                || ask.clone(),
                |&shared| Ask {
                    group: ask.group,
                    ..shared.clone()
                },
            )
        };
        self.asks.iter().map(fill).collect()
    }
}
