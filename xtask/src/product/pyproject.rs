//! The few facts of `pyproject.toml` that a build is checked against. Pure.
//!
//! Source: PyPA "pyproject.toml specification"; `[tool.poetry]` for projects that have not moved.

use toml_edit::{Document, Item};

use crate::config::place;
use crate::error::{Error, Result};

/// What a project says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The distribution's name as written.
    pub name: String,
    /// The version, unless a back end computes it (`dynamic`).
    pub version: Option<String>,
    /// The requirement strings of `[build-system]`.
    pub build_requires: Vec<String>,
    /// The interpreters it runs on, as written.
    pub requires_python: Option<String>,
    /// The console scripts, name and object reference.
    pub scripts: Vec<(String, String)>,
}

/// Reads a `pyproject.toml`; `file` names it in errors.
///
/// # Errors
/// Not TOML (with line and column), or no project name.
pub fn parse(text: &str, file: &str) -> Result<Project> {
    let document = Document::parse(text.to_owned()).map_err(|cause| {
        let (line, column) = place(text, cause.span().map_or(0, |span| span.start));
        Error::failure(format!(
            "{file}:{line}:{column}: {}",
            cause.message().trim()
        ))
        .hint(format!(
            "mend {file}; a TOML table may be declared only once"
        ))
    })?;
    let top = document.as_item();
    let project = top.get("project");
    let poetry = top.get("tool").and_then(|tool| tool.get("poetry"));
    let either = |key: &str| {
        project
            .and_then(|table| string(table, key))
            .or_else(|| poetry.and_then(|table| string(table, key)))
    };
    let name = either("name").ok_or_else(|| {
        Error::failure(format!(
            "{file}: neither [project] nor [tool.poetry] has a name"
        ))
        .hint(format!(
            "add `[project]` with `name` and `version` to {file}"
        ))
    })?;
    let build_requires = top
        .get("build-system")
        .and_then(|table| table.get("requires"));
    let build_requires = build_requires.and_then(Item::as_array).map_or_else(
        || vec!["setuptools".to_owned()],
        |list| {
            list.iter()
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect()
        },
    );
    Ok(Project {
        name,
        version: either("version"),
        build_requires,
        requires_python: project.and_then(|table| string(table, "requires-python")),
        scripts: [project, poetry]
            .into_iter()
            .flatten()
            .flat_map(scripts)
            .collect(),
    })
}

fn string(table: &Item, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

fn scripts(table: &Item) -> Vec<(String, String)> {
    let entries = table.get("scripts").and_then(Item::as_table_like);
    let entry = |(name, value): (&str, &Item)| Some((name.to_owned(), value.as_str()?.to_owned()));
    entries.map_or_else(Vec::new, |entries| {
        entries.iter().filter_map(entry).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_may_live_in_either_table() {
        let modern = parse(
            "[project]\nname='a'\nversion='1'\n[project.scripts]\na='a:m'\n",
            "p",
        )
        .unwrap();
        assert_eq!(modern.scripts, [("a".to_owned(), "a:m".to_owned())]);
        assert_eq!(modern.build_requires, ["setuptools"]);
        let older = parse("[tool.poetry]\nname='b'\nversion='2'\n", "p").unwrap();
        assert_eq!(
            (older.name.as_str(), older.version.as_deref()),
            ("b", Some("2"))
        );
    }

    #[test]
    fn a_table_declared_twice_is_named_with_its_line() {
        let error = parse(
            "[project]\nname='a'\n[project]\nname='b'\n",
            "x/pyproject.toml",
        )
        .unwrap_err();
        assert!(
            error.message.starts_with("x/pyproject.toml:3:"),
            "{}",
            error.message
        );
    }
}
