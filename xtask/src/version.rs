//! The places that state the version, and whether they agree. Pure.
//!
//! [`place`] finds them in each format, [`number`] knows the spellings and the levels, and
//! [`edit`] writes another version into a file.

pub mod cargo;
pub mod edit;
pub mod json;
pub mod number;
pub mod place;
pub mod tag;

use serde::Serialize;

use crate::error::Result;
use crate::pep440;
use number::Number;
use place::{Form, Scope};

/// One place that states the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The file from the root, or `tag`.
    pub file: String,
    /// Where in it, such as `project.version`.
    pub key: String,
    /// What it says; `None` when it says nothing there.
    pub version: Option<String>,
    /// In which spelling.
    #[serde(skip)]
    pub form: Form,
}

impl Statement {
    /// Whether it says this version, in its own spelling.
    pub fn agrees(&self, reference: &str) -> bool {
        let Some(says) = self.version.as_deref() else {
            return false;
        };
        match (self.form, Number::parse(reference)) {
            (Form::Marketplace, _) => is_carried_by(reference, says),
            (Form::Requirement, Some(number)) => cargo::lets_in(says, &number),
            (Form::Named, _) => {
                let version = says.split(' ').next_back().unwrap_or_default();
                same(version, reference)
            }
            (Form::Requirement, None) => true,
            (Form::Python | Form::Semantic, _) => same(says, reference),
        }
    }
}

/// What all places are held against: the first one whose spelling tells everything.
pub fn reference(statements: &[Statement]) -> Option<String> {
    let whole = |one: &&Statement| matches!(one.form, Form::Python | Form::Semantic);
    let of = |one: &Statement| one.version.clone();
    let mut first = statements.iter().filter(whole);
    first
        .find_map(of)
        .or_else(|| statements.iter().find_map(of))
}

/// Reads every statement of a file; `members` are the packages of the Cargo workspace whose
/// versions count in a `Cargo.lock`.
///
/// # Errors
/// The file's format is not known, or it cannot be parsed.
pub fn statements(
    file: &str,
    text: &str,
    members: &[String],
    scope: Scope,
) -> Result<Vec<Statement>> {
    let places = place::find(file, text, members, scope)?;
    let statement = |place: place::Place| Statement {
        file: file.to_owned(),
        key: place.key,
        version: place.stated.map(|(version, _)| version),
        form: place.form,
    };
    Ok(places.into_iter().map(statement).collect())
}

/// Whether two spellings are one version: PyPI and npm write pre-releases differently
/// (`1.0rc1`, `1.0.0-rc.1`), plain releases alike.
pub fn same(a: &str, b: &str) -> bool {
    let parsed = |text: &str| pep440::Version::parse(text).ok();
    a == b || parsed(a).is_some_and(|a| parsed(b).is_some_and(|b| a == b))
}

/// Whether an extension with this version in `package.json` belongs to a release of this version:
/// in three numbers, a pre-release has others than the release it leads to.
pub fn is_carried_by(release: &str, extension: &str) -> bool {
    match Number::parse(release) {
        Some(number) => number.marketplace().as_deref() == Some(extension),
        None => same(release, extension),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str, expected: &[(&str, Option<&str>)]) {
        let found = statements(file, text, &["demo".to_owned()], Scope::Whole).unwrap();
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
        check("1.0.0a1", "1.0.0-alpha.1", true);
        check("1.0.0-rc.1", "1.0.0", false);
        check("1.0.0-x", "1.0.0-x", true);
        check("1.0.0-x", "1.0.0-y", false);
    }

    #[test]
    fn each_spelling_agrees_in_its_own_way() {
        let check = |form: Form, says: &str, reference: &str, expected: bool| {
            let statement = Statement {
                file: "f".to_owned(),
                key: "k".to_owned(),
                version: Some(says.to_owned()),
                form,
            };
            assert_eq!(statement.agrees(reference), expected, "{says} {reference}");
        };
        check(Form::Python, "1.2.0rc1", "1.2.0-rc.1", true);
        check(Form::Semantic, "1.2.0", "1.2.0rc1", false);
        check(Form::Marketplace, "1.1.30001", "1.2.0rc1", true);
        check(Form::Marketplace, "1.2.0", "1.2.0rc1", false);
        check(Form::Marketplace, "1.2.0-rc.1", "1.2.0rc1", false);
        check(Form::Marketplace, "1.2.0", "1.2.0", true);
        check(Form::Marketplace, "1.1.30001", "1.2.0", false);
        check(Form::Requirement, "1.1", "1.2.0", true);
        check(Form::Requirement, "=1.1.0", "1.2.0", false);
        check(Form::Named, "demo 1.2.0", "1.2.0", true);
        check(Form::Named, "demo 1.1.0", "1.2.0", false);
    }
}
