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
    /// The module that builds it, when `[build-system]` names one.
    pub build_backend: Option<String>,
    /// The setting by which a back end takes the version from git's history, if there is one.
    pub version_from_git: Option<&'static str>,
    /// The interpreters it runs on, as written.
    pub requires_python: Option<String>,
    /// The console scripts, name and object reference.
    pub scripts: Vec<(String, String)>,
    /// What it does, in one line.
    pub description: Option<String>,
    /// The file that the description comes from, when it is named.
    pub readme: Option<String>,
    /// The addresses it names, by label.
    pub urls: Vec<(String, String)>,
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
        build_backend: top
            .get("build-system")
            .and_then(|table| string(table, "build-backend")),
        version_from_git: version_from_git(top),
        requires_python: project.and_then(|table| string(table, "requires-python")),
        scripts: [project, poetry]
            .into_iter()
            .flatten()
            .flat_map(|table| texts(table, "scripts"))
            .collect(),
        description: either("description"),
        readme: either("readme").or_else(|| {
            let table = project.and_then(|table| table.get("readme"));
            table.and_then(|table| string(table, "file"))
        }),
        urls: urls(project, poetry),
    })
}

/// Tools whose table alone makes them take the version from git; where each says so.
fn version_from_git(top: &Item) -> Option<&'static str> {
    let tool = top.get("tool")?;
    let says = |path: [&str; 3], value: &str| {
        let found = path.iter().try_fold(tool, |item, key| item.get(key));
        found.and_then(Item::as_str) == Some(value)
    };
    if says(["pdm", "version", "source"], "scm") {
        return Some("[tool.pdm.version] source = \"scm\"");
    }
    if says(["hatch", "version", "source"], "vcs") {
        return Some("[tool.hatch.version] source = \"vcs\"");
    }
    tool.get("setuptools_scm").map(|_| "[tool.setuptools_scm]")
}

fn string(table: &Item, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

impl Project {
    /// The address of the source code, by the labels that mean it (PyPA "Well-known Project URLs
    /// in Metadata": case and punctuation do not count).
    pub fn repository(&self) -> Option<&str> {
        let plain = |label: &str| -> String {
            let letters = label.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|c| c.to_ascii_lowercase()).collect()
        };
        ["repository", "source", "sourcecode", "github"]
            .iter()
            .find_map(|wanted| self.urls.iter().find(|(label, _)| plain(label) == *wanted))
            .map(|(_, address)| address.as_str())
    }
}

/// The addresses of `[project.urls]`; Poetry has some of them in keys of its own.
fn urls(project: Option<&Item>, poetry: Option<&Item>) -> Vec<(String, String)> {
    let mut urls: Vec<(String, String)> = project
        .into_iter()
        .chain(poetry)
        .flat_map(|table| texts(table, "urls"))
        .collect();
    let own = ["homepage", "repository", "documentation"].iter();
    urls.extend(own.filter_map(|key| Some(((*key).to_owned(), string(poetry?, key)?))));
    urls
}

/// The texts of a table inside another.
fn texts(table: &Item, key: &str) -> Vec<(String, String)> {
    let entries = table.get(key).and_then(Item::as_table_like);
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
    fn the_source_code_is_found_under_either_label() {
        let check = |text: &str, expected: Option<&str>| {
            let project = parse(&format!("[project]\nname='a'\n{text}"), "p").unwrap();
            assert_eq!(project.repository(), expected, "{text}");
        };
        check("", None);
        check(
            "[project.urls]\nHomepage='h'\n\"Source Code\"='s'\n",
            Some("s"),
        );
        check("[project.urls]\nSource='s'\nRepository='r'\n", Some("r"));
        check("[tool.poetry]\nrepository='p'\n", Some("p"));
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
