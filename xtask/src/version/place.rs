//! Where a file states the version: which bytes, and in which spelling. Pure.
//!
//! A file is read by its name: `pyproject.toml`, `Cargo.toml`, `Cargo.lock`, `uv.lock`,
//! `package.json`, `package-lock.json`, any `.py` with `__version__`, or a plain `VERSION` file.

use std::ops::Range;

use toml_edit::{Document, Item};

use super::cargo;
use super::json::{self, Found};
use super::number::Number;
use crate::config::place;
use crate::error::{Error, Result};

/// In which spelling a version is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// PEP 440: `1.2.0rc1`.
    Python,
    /// Semantic Versioning: `1.2.0-rc.1`.
    Semantic,
    /// Three numbers, for the Marketplace of VS Code.
    Marketplace,
    /// What a member of a Cargo workspace requires of another.
    Requirement,
    /// A name and a version: how a lock file points to one of several packages of a name.
    Named,
}

/// One place that states the version, or should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where in the file, such as `project.version`.
    pub key: String,
    /// How it is spelt there.
    pub form: Form,
    /// What it says, and the bytes that say it; `None` when it says nothing there.
    pub stated: Option<(String, Range<usize>)>,
}

impl Form {
    /// A version in this spelling; `old` is what is there. `None` when it has none.
    pub fn write(self, number: &Number, old: &str) -> Option<String> {
        match self {
            Form::Python => Some(number.python()),
            Form::Semantic => Some(number.semantic()),
            Form::Marketplace => number.marketplace(),
            Form::Requirement => cargo::requirement(old, number),
            Form::Named => {
                let (name, _) = old.split_once(' ')?;
                Some(format!("{name} {number}"))
            }
        }
    }
}

/// What of a file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every place that states the version.
    Whole,
    /// What it requires of other members of its workspace; its own version is its own matter.
    Requirements,
}

/// Finds every place of a file; `members` are the packages of the Cargo workspace whose versions
/// count in a `Cargo.lock`.
///
/// # Errors
/// The file's format is not known, or it cannot be parsed.
pub fn find(file: &str, text: &str, members: &[String], scope: Scope) -> Result<Vec<Place>> {
    if scope == Scope::Requirements {
        return cargo::requirements(&Toml::parse(file, text)?, members);
    }
    let name = file.rsplit('/').next().unwrap_or(file);
    match name {
        "pyproject.toml" => {
            let toml = Toml::parse(file, text)?;
            let keys = ["project.version", "tool.poetry.version"];
            toml.places(&keys, Form::Python)
        }
        "Cargo.toml" => {
            let toml = Toml::parse(file, text)?;
            let keys = ["workspace.package.version", "package.version"];
            let mut places = toml.places(&keys, Form::Semantic)?;
            places.extend(cargo::requirements(&toml, members)?);
            Ok(places)
        }
        "Cargo.lock" => cargo::lock(&Toml::parse(file, text)?, members),
        "uv.lock" => uv_lock(&Toml::parse(file, text)?),
        "package.json" => package_json(file, text),
        "package-lock.json" => package_lock(file, text),
        "VERSION" => {
            let start = text.len() - text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).len();
            let end = text.trim_end().len().max(start);
            Ok(vec![Place {
                key: "the whole file".to_owned(),
                form: Form::Semantic,
                stated: Some((text[start..end].to_owned(), start..end)),
            }])
        }
        name if name.ends_with(".py") => Ok(vec![Place {
            key: "__version__".to_owned(),
            form: Form::Python,
            stated: python(text).map(|range| (text[range.clone()].to_owned(), range)),
        }]),
        _ => Err(Error::usage(format!(
            "release.toml: version.files names {file}, whose format is not known"
        ))
        .hint("known: pyproject.toml, Cargo.toml, Cargo.lock, uv.lock, package.json, package-lock.json, *.py, VERSION")),
    }
}

/// A parsed TOML file that knows where its values stand.
#[derive(Debug)]
pub struct Toml<'text> {
    file: &'text str,
    text: &'text str,
    /// How many bytes stand before what was parsed.
    skipped: usize,
    document: Document<String>,
}

impl<'text> Toml<'text> {
    /// Parses a text; `file` names it in errors.
    ///
    /// # Errors
    /// Not TOML, with line and column.
    pub fn parse(file: &'text str, text: &'text str) -> Result<Toml<'text>> {
        let plain = text.trim_start_matches('\u{feff}');
        let skipped = text.len() - plain.len();
        let document = Document::parse(plain.to_owned()).map_err(|cause| {
            let (line, column) = place(plain, cause.span().map_or(0, |span| span.start));
            Error::failure(format!(
                "{file}:{line}:{column}: {}",
                cause.message().trim()
            ))
        })?;
        Ok(Toml {
            file,
            text,
            skipped,
            document,
        })
    }

    /// The whole file.
    pub fn top(&self) -> &Item {
        self.document.as_item()
    }

    /// A string value, and the bytes between its quotes.
    ///
    /// # Errors
    /// It is written with escapes, so that no byte of the file says it.
    pub fn text_of(&self, item: &Item) -> Result<Option<(String, Range<usize>)>> {
        self.stated(item.as_str(), item.span())
    }

    /// As [`Toml::text_of`], of what a value says and where it stands.
    ///
    /// # Errors
    /// As there.
    pub fn stated(
        &self,
        says: Option<&str>,
        span: Option<Range<usize>>,
    ) -> Result<Option<(String, Range<usize>)>> {
        let (Some(says), Some(span)) = (says, span) else {
            return Ok(None);
        };
        let span = span.start + self.skipped..span.end + self.skipped;
        let raw = self.text.get(span.clone()).unwrap_or_default();
        match raw.find(says) {
            Some(at) if !says.is_empty() && !raw.contains('\\') => {
                let start = span.start + at;
                Ok(Some((says.to_owned(), start..start + says.len())))
            }
            _ => {
                let (line, column) = place(self.text, span.start);
                let file = self.file;
                Err(Error::failure(format!(
                    "{file}:{line}:{column}: a version that is empty or written with escapes"
                ))
                .hint("write it as it is, such as \"1.2.3\""))
            }
        }
    }

    /// The keys that are there; the first of them as one that says nothing when none is.
    fn places(&self, keys: &[&str], form: Form) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for key in keys {
            let found = key
                .split('.')
                .try_fold(self.top(), |item, part| item.get(part));
            let stated = found.map(|item| self.text_of(item)).transpose()?.flatten();
            if stated.is_some() {
                let key = (*key).to_owned();
                places.push(Place { key, form, stated });
            }
        }
        if let (true, Some(key)) = (places.is_empty(), keys.first()) {
            places.push(Place {
                key: (*key).to_owned(),
                form,
                stated: None,
            });
        }
        Ok(places)
    }
}

/// The project's own entry of a `uv.lock`.
fn uv_lock(toml: &Toml<'_>) -> Result<Vec<Place>> {
    let packages = toml.top().get("package").and_then(Item::as_array_of_tables);
    let is_own = |package: &&toml_edit::Table| {
        let source = package.get("source");
        let here = |key| source.and_then(|it| it.get(key)).and_then(Item::as_str) == Some(".");
        here("editable") || here("virtual")
    };
    let own = packages.into_iter().flatten().find(is_own);
    let version = own.and_then(|package| package.get("version"));
    let name = own.and_then(|package| package.get("name")?.as_str());
    Ok(vec![Place {
        key: format!("package {}", name.unwrap_or(".")),
        form: Form::Python,
        stated: version
            .map(|item| toml.text_of(item))
            .transpose()?
            .flatten(),
    }])
}

fn package_json(file: &str, text: &str) -> Result<Vec<Place>> {
    let found = json(file, text, &[&["version"], &["engines", "vscode"]])?;
    Ok(vec![json_place(
        text,
        "version",
        &found[0],
        form(&found[1]),
    )])
}

fn package_lock(file: &str, text: &str) -> Result<Vec<Place>> {
    let wanted: [&[&str]; 3] = [
        &["version"],
        &["packages", "", "version"],
        &["packages", "", "engines", "vscode"],
    ];
    let found = json(file, text, &wanted)?;
    let form = form(&found[2]);
    Ok(vec![
        json_place(text, "version", &found[0], form),
        json_place(text, "packages[\"\"].version", &found[1], form),
    ])
}

fn json(file: &str, text: &str, wanted: &[&[&str]]) -> Result<Vec<Option<Found>>> {
    json::find(text, wanted).map_err(|damage| {
        let (line, column) = place(text, damage.offset);
        Error::failure(format!("{file}:{line}:{column}: {}", damage.what))
    })
}

/// A package with an engine of VS Code is an extension.
fn form(engine: &Option<Found>) -> Form {
    match engine {
        Some(_) => Form::Marketplace,
        None => Form::Semantic,
    }
}

fn json_place(text: &str, key: &str, found: &Option<Found>, form: Form) -> Place {
    let stated = match found {
        Some(Found::Text(range)) => Some((text[range.clone()].to_owned(), range.clone())),
        Some(Found::Other) | None => None,
    };
    Place {
        key: key.to_owned(),
        form,
        stated,
    }
}

/// `__version__ = "1.2.3"` at the beginning of a line, with an optional annotation: the bytes
/// between the quotes.
fn python(text: &str) -> Option<Range<usize>> {
    let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
    for line in text[start..].split_inclusive('\n') {
        if let Some(range) = python_line(line) {
            return Some(start + range.start..start + range.end);
        }
        start += line.len();
    }
    None
}

fn python_line(line: &str) -> Option<Range<usize>> {
    let (name, value) = line.split_once('=')?;
    let plain = name.split(':').next().unwrap_or_default().trim_end();
    let trimmed = value.trim_start();
    let quote = trimmed.chars().next().filter(|c| ['"', '\''].contains(c))?;
    if plain != "__version__" {
        return None;
    }
    let start = name.len() + 1 + (value.len() - trimmed.len()) + 1;
    let rest = line.get(start..)?;
    let end = rest.find(quote)?;
    // What follows may be a comment; anything else is computed.
    let after = rest.get(end + 1..)?.trim();
    (end > 0 && (after.is_empty() || after.starts_with('#'))).then(|| start..start + end)
}
