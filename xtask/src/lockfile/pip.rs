//! `requirements.txt` and its like: pinned requirements, with digests or without.
//!
//! Source: pip, "Requirements File Format". A line without a pin says nothing about what is
//! installed, so a file with one is an incomplete lock file, unless a constraints file that it
//! names pins that package.

mod line;
mod place;

use std::collections::{HashMap, HashSet};

use camino::Utf8Path;

use super::model::{Dependency, Ecosystem, Input, Kind, Lock, Package, Scope, Source};
use super::toml::LARGEST;
use crate::error::{Error, Result};
use crate::name::normalize;
use line::{Line, Statement};
use place::{Asked, without_credentials};

/// `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`. Files of constraints are
/// none: they install nothing.
pub static KIND: Kind = Kind {
    name: "requirements.txt",
    ecosystem: Ecosystem::Pypi,
    remedy: "uv pip compile requirements.in -o requirements.txt",
    matches: |name| {
        name.strip_suffix(".txt")
            .is_some_and(|stem| stem.starts_with("requirements") || stem.ends_with("requirements"))
    },
    read,
};

/// How deep files may include each other.
const DEEPEST: usize = 32;
/// How many files may be included.
const MOST_FILES: usize = 256;
/// How many lines one file may have.
const MOST_LINES: usize = 500_000;
/// How many other indexes are worth a note.
const MOST_NOTES: usize = 8;
/// Words in a file's name that say whom it is for.
const DEVELOPMENT: [&str; 12] = [
    "dev",
    "develop",
    "development",
    "test",
    "tests",
    "testing",
    "doc",
    "docs",
    "lint",
    "linting",
    "typing",
    "ci",
];

/// The files while they are read.
struct Reading<'read> {
    input: &'read Input<'read>,
    /// The files that are open, from the main one inwards.
    open: Vec<String>,
    read: HashSet<String>,
    bytes: usize,
    index: Option<String>,
    packages: Vec<Package>,
    /// For each package who brings it.
    via: Vec<Vec<String>>,
    seen: HashSet<(String, String, String)>,
    /// Lines without a pin: place, number of the main file's line, digests, what is asked.
    unpinned: Vec<(String, usize, Vec<String>, Asked)>,
    pins: HashMap<String, String>,
    notes: Vec<String>,
}

fn read(input: &Input<'_>) -> Result<Lock> {
    let scope = scope(input.path.file_name().unwrap_or_default());
    let mut reading = Reading {
        input,
        open: Vec::new(),
        read: HashSet::new(),
        bytes: 0,
        index: None,
        packages: Vec::new(),
        via: Vec::new(),
        seen: HashSet::new(),
        unpinned: Vec::new(),
        pins: HashMap::new(),
        notes: Vec::new(),
    };
    let name = input
        .path
        .file_name()
        .unwrap_or(input.path.as_str())
        .to_owned();
    reading.file(name, input.text, None, false)?;
    reading.settle()?;
    let (mut packages, via) = (reading.packages, reading.via);
    let mut notes = reading.notes;
    if scope == Scope::Development {
        notes.push("by its name it is for development only".to_owned());
    }
    for package in &mut packages {
        package.scope = scope;
    }
    let roots = connect(&mut packages, &via);
    Ok(Lock {
        ecosystem: Ecosystem::Pypi,
        format: String::new(),
        packages,
        roots,
        notes,
    })
}

fn scope(file_name: &str) -> Scope {
    let stem = file_name.trim_end_matches(".txt").to_lowercase();
    let mut words = stem.split(['-', '_', '.']);
    match words.any(|word| DEVELOPMENT.contains(&word)) {
        true => Scope::Development,
        false => Scope::Ships,
    }
}

/// Comments of the compiling tool name who brings a package. One that nobody in the file brings
/// is asked for by the project.
fn connect(packages: &mut [Package], via: &[Vec<String>]) -> Vec<Dependency> {
    let mut names: HashMap<String, usize> = HashMap::new();
    for (index, package) in packages.iter().enumerate() {
        names.entry(package.name.clone()).or_insert(index);
    }
    let arrow = |package| Dependency {
        package,
        constraint: None,
        group: None,
    };
    let mut roots = Vec::new();
    for (index, via) in via.iter().enumerate() {
        let mut is_root = true;
        for name in via {
            let owner = names
                .get(&normalize(name))
                .copied()
                .filter(|&owner| owner != index);
            if let Some(owner) = owner.and_then(|owner| packages.get_mut(owner)) {
                owner.dependencies.push(arrow(index));
                is_root = false;
            }
        }
        if is_root
            || via
                .iter()
                .any(|name| name.starts_with("-r") || name.contains('('))
        {
            roots.push(arrow(index));
        }
    }
    roots
}

impl Reading<'_> {
    /// Reads a file; `main` is the line of the main file that includes it.
    fn file(&mut self, name: String, text: &str, main: Option<usize>, pins: bool) -> Result<()> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > LARGEST {
            let problem = format!("more than {LARGEST} bytes with all that it includes");
            return Err(failure(format!("{}:1: {problem}", self.input.path)));
        }
        self.read.insert(name.clone());
        self.open.push(name);
        if let Some(line) = (1..)
            .zip(text.lines())
            .map(|(line, _)| line)
            .nth(MOST_LINES)
        {
            let place = self.place(line, main);
            return Err(failure(format!(
                "{place}: more than {MOST_LINES} lines up to here"
            )));
        }
        for line in line::lines(text) {
            self.line(&line, main, pins)?;
        }
        self.open.pop();
        Ok(())
    }

    /// Names a line: `requirements.txt:3`, or `requirements.txt:3: base.txt:7` of an included one.
    fn place(&self, line: usize, main: Option<usize>) -> String {
        let path = self.input.path;
        match (main, self.open.last()) {
            (Some(main), Some(file)) => format!("{path}:{main}: {file}:{line}"),
            _ => format!("{path}:{line}"),
        }
    }

    fn line(&mut self, line: &Line, main: Option<usize>, pins: bool) -> Result<()> {
        let place = self.place(line.number, main);
        let at = main.unwrap_or(line.number);
        let statement = line::statement(&line.text).map_err(|option| {
            let option: String = option
                .chars()
                .take(40)
                .flat_map(char::escape_debug)
                .collect();
            failure(format!(
                "{place}: `{option}` is no option of a requirements file"
            ))
        })?;
        match statement {
            Statement::Include(file) => self.include(&file, &place, at, pins),
            Statement::Constraints(file) => self.include(&file, &place, at, true),
            Statement::Editable(text) => {
                let asked = self.named(place::editable(&text));
                if !pins {
                    self.add(asked, at, Vec::new(), line);
                }
                Ok(())
            }
            Statement::Index(address) => {
                let address = without_credentials(&address);
                let bare = address.trim_end_matches('/');
                let is_own = bare.starts_with("https://pypi.") && bare.ends_with("/simple");
                self.index = (!is_own).then_some(address);
                Ok(())
            }
            Statement::ExtraIndex(address) => {
                let address = without_credentials(&address);
                if self.notes.len() < MOST_NOTES {
                    let note = format!("packages may also come from another index: {address}");
                    self.notes.push(note);
                }
                Ok(())
            }
            Statement::Other => Ok(()),
            Statement::Requirement { text, hashes } => {
                let asked = place::asked(&text)
                    .ok_or_else(|| failure(format!("{place}: no requirement: {}", shown(&text))))?;
                let asked = self.named(asked);
                match (pins, &asked.version) {
                    (true, Some(version)) => {
                        self.pins.insert(asked.name, version.clone());
                    }
                    (true, None) => {}
                    (false, None) => {
                        // Its place in the list is kept; the version may come from constraints.
                        let kept = asked.clone();
                        self.unpinned
                            .push((place, self.packages.len(), hashes, kept));
                        self.add(asked, at, Vec::new(), line);
                    }
                    (false, Some(_)) => self.add(asked, at, hashes, line),
                }
                Ok(())
            }
        }
    }

    /// A folder is named after the project in it.
    fn named(&self, mut asked: Asked) -> Asked {
        if let Some(Source::Workspace { path } | Source::Path { path }) = &asked.source
            && asked.version.as_deref() == Some("")
            && !path.starts_with('/')
        {
            let folder = self.folder();
            let file = normal(&format!("{folder}/{path}/pyproject.toml"));
            let name = (self.input.beside)(&file).and_then(|text| project_name(&text));
            asked.name = name.unwrap_or(asked.name);
        }
        asked
    }

    fn folder(&self) -> &str {
        let parent = self
            .open
            .last()
            .and_then(|file| Utf8Path::new(file).parent());
        parent.map(Utf8Path::as_str).unwrap_or_default()
    }

    fn include(&mut self, file: &str, place: &str, main: usize, pins: bool) -> Result<()> {
        if file.contains("://") {
            let file = without_credentials(file);
            return Err(failure(format!(
                "{place}: {file} is not in this repository, so it is not known what it installs"
            )));
        }
        let name = normal(&format!("{}/{file}", self.folder()));
        if self.open.contains(&name) {
            let circle = self.open.join(" → ");
            return Err(failure(format!(
                "{place}: files include each other: {circle} → {name}"
            )));
        }
        if self.open.len() >= DEEPEST || self.read.len() >= MOST_FILES {
            let problem = format!("more than {DEEPEST} files deep, or {MOST_FILES} files in all");
            return Err(failure(format!("{place}: {problem}")));
        }
        if self.read.contains(&name) {
            return Ok(());
        }
        let text = (self.input.beside)(&name).ok_or_else(|| {
            failure(format!(
                "{place}: there is no {}, which it includes",
                shown(&name)
            ))
        })?;
        self.file(name, &text, Some(main), pins)
    }

    fn add(&mut self, asked: Asked, line: usize, hashes: Vec<String>, from: &Line) {
        let source = asked.source.unwrap_or_else(|| Source::Registry {
            url: self.index.clone(),
        });
        let version = asked.version.unwrap_or_default();
        let key = (asked.name.clone(), version.clone(), format!("{source:?}"));
        // A line without a pin is always kept, because its version is still to come.
        if !self.seen.insert(key) && !version.is_empty() {
            return;
        }
        self.via.push(from.via.clone());
        self.packages.push(Package {
            name: asked.name,
            alias: None,
            version,
            line,
            source,
            groups: Vec::new(),
            scope: Scope::Ships,
            dependencies: Vec::new(),
            digests: hashes,
            license: None,
        });
    }

    /// Gives lines without a pin the version that a constraints file pins.
    fn settle(&mut self) -> Result<()> {
        let mut open = Vec::new();
        for (place, index, hashes, asked) in std::mem::take(&mut self.unpinned) {
            match (self.pins.get(&asked.name), self.packages.get_mut(index)) {
                (Some(version), Some(package)) => {
                    package.version.clone_from(version);
                    package.digests = hashes;
                }
                _ => open.push((place, asked)),
            }
        }
        let Some((place, asked)) = open.first() else {
            return Ok(());
        };
        let written = match asked.written.as_str() {
            "" => "no version at all".to_owned(),
            written => format!("only `{}`", shown(written)),
        };
        let more = match open.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more like it"),
        };
        Err(Error::failure(format!(
            "{place}: package {} has {written}, which pins nothing, so the lock file is \
             incomplete{more}",
            shown(&asked.name)
        ))
        .hint("keep it as requirements.in and lock that: pip-compile requirements.in")
        .hint(format!("or with uv: {}", KIND.remedy)))
    }
}

fn failure(message: String) -> Error {
    Error::failure(message).hint(format!(
        "mend that line, or write the file anew: {}",
        KIND.remedy
    ))
}

/// A piece of the file that is safe to print.
fn shown(text: &str) -> String {
    without_credentials(text)
        .chars()
        .take(60)
        .flat_map(char::escape_debug)
        .collect()
}

fn project_name(text: &str) -> Option<String> {
    let document =
        super::toml::Document::of_manifest(text, Utf8Path::new("pyproject.toml")).ok()?;
    let name = |table: &str| {
        let table = super::toml::table(&document.top, table)?;
        let table = super::toml::table(table, "poetry").unwrap_or(table);
        super::toml::text(table, "name").map(normalize)
    };
    name("project").or_else(|| name("tool"))
}

/// Without `.`, and with `..` worked out as far as it goes.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
