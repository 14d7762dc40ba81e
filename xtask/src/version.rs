//! The places that state the version, and whether they agree. Pure.
//!
//! A file is read by its name: `pyproject.toml`, `Cargo.toml`, `Cargo.lock`, `package.json`,
//! `package-lock.json`, any `.py` with `__version__`, or a plain `VERSION` file.

use serde::Serialize;
use toml_edit::{Document, Item};

use crate::config::place;
use crate::error::{Error, Result};

/// One place that states the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The file from the root, or `tag`.
    pub file: String,
    /// Where in it, such as `project.version`.
    pub key: String,
    /// What it says; `None` when it says nothing there.
    pub version: Option<String>,
}

/// Reads every statement of a file; `members` are the packages of the Cargo workspace whose
/// versions count in a `Cargo.lock`.
///
/// # Errors
/// The file's format is not known, or it cannot be parsed.
pub fn statements(file: &str, text: &str, members: &[String]) -> Result<Vec<Statement>> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let statement = |key: &str, version: Option<String>| Statement {
        file: file.to_owned(),
        key: key.to_owned(),
        version,
    };
    Ok(match name {
        "pyproject.toml" => {
            let document = toml(file, text)?;
            let poetry = lookup(document.as_item(), &["tool", "poetry", "version"]);
            match (lookup(document.as_item(), &["project", "version"]), poetry) {
                (None, Some(version)) => vec![statement("tool.poetry.version", Some(version))],
                (version, _) => vec![statement("project.version", version)],
            }
        }
        "Cargo.toml" => {
            let document = toml(file, text)?;
            let keys = ["workspace.package.version", "package.version"];
            let read = |key: &&str| {
                let parts: Vec<&str> = key.split('.').collect();
                lookup(document.as_item(), &parts).map(|version| statement(key, Some(version)))
            };
            let found: Vec<Statement> = keys.iter().filter_map(read).collect();
            if found.is_empty() {
                vec![statement(keys[0], None)]
            } else {
                found
            }
        }
        "Cargo.lock" => cargo_lock(file, text, members)?,
        "package.json" => vec![statement(
            "version",
            json(file, text)?["version"].as_str().map(str::to_owned),
        )],
        "package-lock.json" => {
            let value = json(file, text)?;
            let own = value["packages"][""]["version"].as_str().map(str::to_owned);
            vec![
                statement("version", value["version"].as_str().map(str::to_owned)),
                statement("packages[\"\"].version", own),
            ]
        }
        "VERSION" => vec![statement("the whole file", Some(text.trim().to_owned()))],
        name if name.ends_with(".py") => vec![statement("__version__", python(text))],
        _ => {
            return Err(Error::usage(format!("release.toml: version.files names {file}, whose format is not known"))
                .hint("known: pyproject.toml, Cargo.toml, Cargo.lock, package.json, package-lock.json, *.py, VERSION"));
        }
    })
}

/// The names of the workspace's own packages, from the manifests of its members.
pub fn package_name(text: &str) -> Option<String> {
    let document = Document::parse(text.to_owned()).ok()?;
    lookup(document.as_item(), &["package", "name"])
}

/// The member patterns of a workspace.
pub fn workspace_members(text: &str) -> Vec<String> {
    let Ok(document) = Document::parse(text.to_owned()) else {
        return Vec::new();
    };
    let members = document
        .get("workspace")
        .and_then(|table| table.get("members"));
    let list = members.and_then(Item::as_array);
    list.map_or_else(Vec::new, |list| {
        list.iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    })
}

/// Whether two spellings are one version: PyPI and npm write pre-releases differently
/// (`1.0rc1`, `1.0.0-rc.1`), plain releases alike.
pub fn same(a: &str, b: &str) -> bool {
    a == b || plain(a) == plain(b)
}

fn plain(version: &str) -> String {
    let mut text = version.to_ascii_lowercase();
    for (long, short) in [
        ("-alpha.", "a"),
        ("-beta.", "b"),
        ("-rc.", "rc"),
        (".dev", "dev"),
    ] {
        text = text.replace(long, short);
    }
    text
}

fn cargo_lock(file: &str, text: &str, members: &[String]) -> Result<Vec<Statement>> {
    let document = toml(file, text)?;
    let packages = document.get("package").and_then(Item::as_array_of_tables);
    let version_of = |member: &String| {
        let found = packages.into_iter().flatten().find(|package| {
            package.get("name").and_then(Item::as_str) == Some(member)
                && !package.contains_key("source")
        });
        found?.get("version")?.as_str().map(str::to_owned)
    };
    let statement = |member: &String| Statement {
        file: file.to_owned(),
        key: format!("package {member}"),
        version: version_of(member),
    };
    Ok(members.iter().map(statement).collect())
}

fn toml(file: &str, text: &str) -> Result<Document<String>> {
    Document::parse(text.to_owned()).map_err(|cause| {
        let (line, column) = place(text, cause.span().map_or(0, |span| span.start));
        Error::failure(format!(
            "{file}:{line}:{column}: {}",
            cause.message().trim()
        ))
    })
}

fn json(file: &str, text: &str) -> Result<serde_json::Value> {
    serde_json::from_str(text).map_err(|cause| Error::failure(format!("{file}: {cause}")))
}

fn lookup(item: &Item, path: &[&str]) -> Option<String> {
    path.iter()
        .try_fold(item, |item, key| item.get(key))?
        .as_str()
        .map(str::to_owned)
}

/// `__version__ = "1.2.3"` at the beginning of a line, with an optional annotation.
fn python(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.split(':').next().unwrap_or_default().trim_end();
        let value = value.split('#').next().unwrap_or_default().trim();
        let quoted = value.len() > 2 && value.starts_with(['"', '\'']);
        (name == "__version__" && quoted).then(|| value.trim_matches(['"', '\'']).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str, expected: &[(&str, Option<&str>)]) {
        let found = statements(file, text, &["demo".to_owned()]).unwrap();
        let found: Vec<(&str, Option<&str>)> = found
            .iter()
            .map(|one| (one.key.as_str(), one.version.as_deref()))
            .collect();
        assert_eq!(found, expected, "{file}");
    }

    #[test]
    fn each_format_is_read_at_its_own_place() {
        check(
            "a/pyproject.toml",
            "[project]\nversion = '1'",
            &[("project.version", Some("1"))],
        );
        let poetry = "[tool.poetry]\nversion = '2'";
        check(
            "pyproject.toml",
            poetry,
            &[("tool.poetry.version", Some("2"))],
        );
        let workspace = "[workspace.package]\nversion = '3'";
        check(
            "Cargo.toml",
            workspace,
            &[("workspace.package.version", Some("3"))],
        );
        let lock = "[[package]]\nname = 'demo'\nversion = '9'\nsource = 's'\n[[package]]\nname = 'demo'\nversion = '4'";
        check("Cargo.lock", lock, &[("package demo", Some("4"))]);
        check(
            "x/package.json",
            "{\"version\":\"5\"}",
            &[("version", Some("5"))],
        );
        let lock = "{\"version\":\"6\",\"packages\":{\"\":{\"version\":\"7\"}}}";
        let expected = [
            ("version", Some("6")),
            ("packages[\"\"].version", Some("7")),
        ];
        check("package-lock.json", lock, &expected);
        check(
            "m/__init__.py",
            "import x\n__version__: str = \"8\"  # why",
            &[("__version__", Some("8"))],
        );
        check(
            "m/__init__.py",
            "__version__ = compute()",
            &[("__version__", None)],
        );
    }

    #[test]
    fn spellings_of_one_pre_release_are_one_version() {
        let check = |a, b, expected| assert_eq!(same(a, b), expected, "{a} {b}");
        check("1.0.0", "1.0.0", true);
        check("1.0.0rc1", "1.0.0-rc.1", true);
        check("1.0.0", "1.0.1", false);
    }
}
