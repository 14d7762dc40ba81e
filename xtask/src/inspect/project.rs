//! What a `pyproject.toml` says that a rule asks for, in one form for `[project]` and
//! `[tool.poetry]`.

use camino::Utf8Path;

use super::repository::{Repository, folder_of};
use crate::error::Result;
use crate::lockfile::toml::{self, Document, Place, Table, Value};
use crate::name::normalize;

/// A requirement of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its name, normalised.
    pub name: String,
    /// The range behind it, as written.
    pub range: String,
    /// The line.
    pub line: usize,
}

/// A text and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// What is said.
    pub text: String,
    /// Where.
    pub line: usize,
}

/// A Python project.
#[derive(Debug, Default)]
pub struct Project<'text> {
    /// The path of its `pyproject.toml`.
    pub path: &'text str,
    /// Its folder, empty for the root.
    pub folder: &'text str,
    /// The whole text.
    pub text: &'text str,
    /// The distribution's name as written.
    pub name: Option<Stated>,
    /// Its version.
    pub version: Option<Stated>,
    /// What every installation needs.
    pub dependencies: Vec<Dependency>,
    /// What extras and groups need beyond.
    pub more: Vec<Dependency>,
    /// The names of its extras, normalised.
    pub extras: Vec<String>,
    /// Whether some of the dependencies are said elsewhere.
    pub is_dynamic: bool,
    /// The console scripts: name, object reference.
    pub scripts: Vec<(String, Stated)>,
    /// The readme's file and, if said, its type.
    pub readme: Option<(Stated, Option<String>)>,
    /// Whether a description is there.
    pub has_description: bool,
    /// The license, as an expression.
    pub license: Option<Stated>,
    /// The trove classifiers.
    pub classifiers: Vec<Stated>,
    /// The build back end.
    pub back_end: String,
    /// The top-level packages it names itself, with the folder they are in.
    pub packages: Vec<(Stated, String)>,
    /// The pytest-like tables and others under `[tool]`.
    pub tools: Vec<String>,
}

impl Project<'_> {
    /// Whether a requirement of this name is declared for every installation.
    pub fn depends_on(&self, name: &str) -> bool {
        self.dependencies.iter().any(|one| one.name == name)
    }

    /// Whether it is an MCP server, by what it depends on.
    pub fn is_server(&self) -> bool {
        self.depends_on("mcp") || self.depends_on("fastmcp")
    }

    /// A path below its folder.
    pub fn join(&self, path: &str) -> String {
        match self.folder {
            "" => path.to_owned(),
            folder => format!("{folder}/{path}"),
        }
    }

    /// The folders in which its top-level modules may be.
    pub fn roots(&self) -> Vec<String> {
        let mut roots = vec![self.folder.to_owned(), self.join("src")];
        for (_, from) in &self.packages {
            let root = self.join(from).trim_end_matches('/').to_owned();
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        roots
    }
}

/// Reads a project; `None` when the file only configures tools.
///
/// # Errors
/// Not TOML.
pub fn read<'text>(
    repository: &Repository,
    path: &'text str,
    text: &'text str,
) -> Result<Option<Project<'text>>> {
    let document = Document::of_manifest(text, Utf8Path::new(path))?;
    let (top, place) = document.into_parts();
    let poetry = toml::table(&top, "tool").and_then(|tool| toml::table(tool, "poetry"));
    let project = toml::table(&top, "project");
    if project.is_none() && poetry.is_none() {
        return Ok(None);
    }
    let mut found = Project {
        path,
        folder: folder_of(path),
        text,
        ..Project::default()
    };
    let none = Table::default();
    read_names(
        &mut found,
        &place,
        project.unwrap_or(&none),
        poetry.unwrap_or(&none),
    );
    read_dependencies(&mut found, &place, project.unwrap_or(&none));
    read_poetry(&mut found, &place, poetry.unwrap_or(&none));
    for (_, group) in toml::entries(&top, "dependency-groups") {
        for value in toml::items(Some(group)) {
            found.more.extend(requirement(&place, value));
        }
    }
    read_packages(&mut found, &place, &top);
    found.is_dynamic |= repository.has(&found.join("setup.py")) && found.dependencies.is_empty();
    Ok(Some(found))
}

fn stated(place: &Place<'_>, table: &Table<'_>, key: &str) -> Option<Stated> {
    let value = table.get(key)?;
    Some(Stated {
        text: value.as_str()?.to_owned(),
        line: place.line_of(value),
    })
}

fn read_names(found: &mut Project<'_>, place: &Place<'_>, project: &Table<'_>, poetry: &Table<'_>) {
    let either = |key: &str| stated(place, project, key).or_else(|| stated(place, poetry, key));
    found.name = either("name");
    found.version = either("version");
    found.license = either("license");
    found.has_description = either("description").is_some_and(|one| !one.text.trim().is_empty());
    found.readme = either("readme").map(|file| (file, None)).or_else(|| {
        let readme = toml::table(project, "readme")?;
        let kind = toml::text(readme, "content-type").map(str::to_owned);
        Some((stated(place, readme, "file")?, kind))
    });
    for table in [project, poetry] {
        for (name, value) in toml::entries(table, "scripts") {
            let target = value
                .as_str()
                .or_else(|| toml::text(value.as_table()?, "reference"));
            if let Some(target) = target {
                let line = place.line_of(value);
                let text = target.to_owned();
                found.scripts.push((name.to_owned(), Stated { text, line }));
            }
        }
        for value in toml::list(table, "classifiers") {
            if let Some(text) = value.as_str() {
                let line = place.line_of(value);
                found.classifiers.push(Stated {
                    text: text.to_owned(),
                    line,
                });
            }
        }
    }
}

fn read_dependencies(found: &mut Project<'_>, place: &Place<'_>, project: &Table<'_>) {
    for value in toml::list(project, "dependencies") {
        found.dependencies.extend(requirement(place, value));
    }
    for (extra, list) in toml::entries(project, "optional-dependencies") {
        found.extras.push(normalize(extra));
        for value in toml::items(Some(list)) {
            found.more.extend(requirement(place, value));
        }
    }
    let dynamic: Vec<&str> = toml::texts(project, "dynamic").collect();
    found.is_dynamic =
        dynamic.contains(&"dependencies") || dynamic.contains(&"optional-dependencies");
}

fn requirement(place: &Place<'_>, value: &Value<'_>) -> Option<Dependency> {
    let text = value.as_str()?;
    let end = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.');
    let name = text.trim().split(end).next().unwrap_or_default();
    (!name.is_empty()).then(|| Dependency {
        name: normalize(name),
        range: text.trim()[name.len()..].to_owned(),
        line: place.line_of(value),
    })
}

fn read_poetry(found: &mut Project<'_>, place: &Place<'_>, poetry: &Table<'_>) {
    let of = |(name, value): (&str, &Value<'_>)| {
        let range = value
            .as_str()
            .or_else(|| toml::text(value.as_table()?, "version"));
        let other = value.as_table().is_some_and(|table| {
            ["git", "path", "url"]
                .iter()
                .any(|key| table.contains_key(key))
        });
        Dependency {
            name: normalize(name),
            range: match (range, other) {
                (_, true) => " @ elsewhere".to_owned(),
                (range, false) => range.unwrap_or_default().to_owned(),
            },
            line: place.line_of(value),
        }
    };
    let listed: Vec<Dependency> = toml::entries(poetry, "dependencies").map(of).collect();
    found
        .dependencies
        .extend(listed.into_iter().filter(|one| one.name != "python"));
    found
        .more
        .extend(toml::entries(poetry, "dev-dependencies").map(of));
    for (_, group) in toml::entries(poetry, "group") {
        if let Some(group) = group.as_table() {
            found
                .more
                .extend(toml::entries(group, "dependencies").map(of));
        }
    }
    let extras = toml::entries(poetry, "extras").map(|(name, _)| normalize(name));
    found.extras.extend(extras);
}

fn read_packages(found: &mut Project<'_>, place: &Place<'_>, top: &Table<'_>) {
    let build = toml::table(top, "build-system");
    let back_end = build.and_then(|build| toml::text(build, "build-backend"));
    found.back_end = back_end.unwrap_or("setuptools.build_meta").to_owned();
    let Some(tool) = toml::table(top, "tool") else {
        return;
    };
    found.tools = tool.iter().map(|(name, _)| name.to_owned()).collect();
    let mut named: Vec<(Stated, String)> = Vec::new();
    let mut add = |value: &Value<'_>, text: &str, from: &str| {
        let line = place.line_of(value);
        named.push((
            Stated {
                text: text.to_owned(),
                line,
            },
            from.to_owned(),
        ));
    };
    if let Some(poetry) = toml::table(tool, "poetry") {
        for value in toml::list(poetry, "packages") {
            let from = value.as_table().and_then(|table| toml::text(table, "from"));
            if let Some(include) = value
                .as_table()
                .and_then(|table| toml::text(table, "include"))
            {
                add(value, include, from.unwrap_or_default());
            }
        }
    }
    if let Some(setuptools) = toml::table(tool, "setuptools") {
        let from = toml::table(setuptools, "package-dir")
            .and_then(|folders| toml::text(folders, ""))
            .unwrap_or_default();
        for value in toml::list(setuptools, "packages") {
            if let Some(text) = value.as_str() {
                add(value, text, from);
            }
        }
    }
    let hatch = ["hatch", "build", "targets", "wheel"]
        .iter()
        .try_fold(tool, |table, key| toml::table(table, key));
    for value in hatch
        .into_iter()
        .flat_map(|wheel| toml::list(wheel, "packages"))
    {
        if let Some(text) = value.as_str() {
            let (from, package) = text.rsplit_once('/').unwrap_or(("", text));
            add(value, package, from);
        }
    }
    found.packages = named;
}
