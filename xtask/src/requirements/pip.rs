//! The requirements of a hash-locked `requirements.txt`. Pure.
//!
//! What pip would install from it with `--require-hashes`, in one file: included files are put
//! in, comments and options that only concern the making of it are gone. A dependency group
//! NAME is the file `requirements-NAME.txt` beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::line::text_of;
use super::{Export, Hashes, Options, Places, Requirement, dependency, project};
use crate::error::{Error, Result};
use crate::lockfile::is_usual_index;
use crate::lockfile::pip::line::{Statement, lines, statement};
use crate::lockfile::pip::place::{asked, without_credentials};
use crate::marker::Algebra;
use crate::pep440::Version;

/// How deep files may include each other.
const DEEPEST: usize = 32;

/// How a file with digests is made.
const REMEDY: [&str; 2] = [
    "lock it with digests: uv pip compile --universal --generate-hashes pyproject.toml -o requirements.txt",
    "or: pip-compile --generate-hashes --output-file requirements.txt pyproject.toml",
];

/// Gives the text of another file by its path from the lock file's folder.
pub type Beside<'read> = &'read dyn Fn(&str) -> Option<String>;

struct Reading<'read> {
    algebra: Algebra,
    places: Places<'read>,
    beside: Beside<'read>,
    with: Hashes,
    found: BTreeMap<String, Requirement>,
    /// What stands in place of the usual index.
    main_index: Option<String>,
    indexes: BTreeSet<String>,
}

/// Works out the requirements.
///
/// # Errors
/// As [`super::resolve`]: a line without a pin or without digests, one that no digest can hold,
/// or a dependency of the project that is missing or has a version that does not fit.
pub fn resolve(
    pyproject: &str,
    lock: &str,
    options: &Options,
    places: Places<'_>,
    beside: Beside<'_>,
) -> Result<Export> {
    if let Some(extra) = options.extras.first() {
        return Err(Error::usage(format!(
            "{} has no extras of its own, so `{extra}` cannot be chosen from it",
            places.lock
        ))
        .hint(format!(
            "lock it with the extra: uv pip compile --universal --generate-hashes --extra {extra} \
             pyproject.toml -o requirements.txt"
        )));
    }
    let mut reading = Reading {
        algebra: Algebra::default(),
        places,
        beside,
        with: options.hashes,
        found: BTreeMap::new(),
        main_index: None,
        indexes: BTreeSet::new(),
    };
    for group in &options.groups {
        if group == project::MAIN {
            reading.file(places.lock, "", lock, 0)?;
            continue;
        }
        let name = format!("requirements-{group}.txt");
        let text = beside(&name).ok_or_else(|| {
            Error::usage(format!(
                "there is no group `{group}`: no {name} beside {}",
                places.lock
            ))
            .hint(format!(
                "lock it: uv pip compile --universal --generate-hashes --group {group} -o {name}"
            ))
        })?;
        reading.file(&name, "", &text, 0)?;
    }
    let values = project::values(pyproject, places.pyproject)?;
    let project = project::read(&reading.algebra, &values, places.folder.as_str())
        .map_err(|fault| Error::failure(format!("{}: {fault}", places.pyproject)))?;
    if options.groups.iter().any(|group| group == project::MAIN) {
        require_fresh(&project, &reading)?;
    }
    Ok(reading.export())
}

impl Reading<'_> {
    fn file(&mut self, name: &str, folder: &str, text: &str, depth: usize) -> Result<()> {
        for line in lines(text) {
            let place = format!("{name}:{}", line.number);
            let statement = statement(&line.text).map_err(|option| {
                let option: String = option.chars().flat_map(char::escape_debug).collect();
                Error::failure(format!(
                    "{place}: `{option}` is no option of a requirements file"
                ))
            })?;
            match statement {
                Statement::Include(file) => self.include(&file, folder, &place, depth)?,
                // Digests decide alone; what pinned them when the file was made does not count.
                Statement::Constraints(_) | Statement::Other => {}
                Statement::Index(url) => {
                    let url = without_credentials(&url);
                    self.main_index = (!is_usual_index(&url)).then_some(url);
                }
                Statement::ExtraIndex(url) => {
                    self.indexes.insert(without_credentials(&url));
                }
                Statement::Editable(text) => return Err(not_held(&place, &text)),
                Statement::Requirement { text, hashes } => {
                    self.requirement(&place, &text, hashes)?;
                }
            }
        }
        Ok(())
    }

    fn include(&mut self, file: &str, folder: &str, place: &str, depth: usize) -> Result<()> {
        let path = match folder {
            "" => file.to_owned(),
            folder => format!("{folder}/{file}"),
        };
        let path = crate::lockfile::normal_path(&path);
        if depth >= DEEPEST {
            return Err(Error::failure(format!(
                "{place}: files include each other in a circle"
            )));
        }
        let text = (self.beside)(&path)
            .ok_or_else(|| Error::failure(format!("{place}: there is no file {path}")))?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.file(&path, folder, &text, depth + 1)
    }

    fn requirement(&mut self, place: &str, text: &str, mut hashes: Vec<String>) -> Result<()> {
        let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
        let wrong = |what: &str| {
            let error = Error::failure(format!("{place}: {what}: {shown}"));
            error.hint(REMEDY[0]).hint(REMEDY[1])
        };
        let asked = asked(text).ok_or_else(|| wrong("no requirement"))?;
        if asked.source.is_some() {
            return Err(not_held(place, text));
        }
        let version = asked
            .version
            .ok_or_else(|| wrong("it pins no version with =="))?;
        let dependency = dependency::from_text(&self.algebra, text, self.places.folder.as_str())
            .map_err(|fault| wrong(&fault.to_string()))?;
        hashes.retain(|hash| {
            ["sha256:", "sha384:", "sha512:"]
                .iter()
                .any(|it| hash.starts_with(it))
        });
        hashes.sort();
        hashes.dedup();
        if hashes.is_empty() && self.with == Hashes::With {
            return Err(wrong(
                "it has no --hash, so what is installed cannot be held to the lock",
            ));
        }
        if self.with == Hashes::Without {
            hashes.clear();
        }
        let mut name = dependency.name.clone();
        if !dependency.extras.is_empty() {
            name = format!("{name}[{}]", dependency.extras.join(","));
        }
        let marker = dependency.marker.to_string();
        let line = match marker.as_str() {
            "" => format!("{name}=={version}"),
            marker => format!("{name}=={version} ; {marker}"),
        };
        let requirement = Requirement {
            name: dependency.name,
            version,
            extras: dependency.extras,
            marker,
            hashes,
            line: line.clone(),
        };
        self.found.insert(line, requirement);
        Ok(())
    }

    fn export(self) -> Export {
        let requirements: Vec<Requirement> = self.found.into_values().collect();
        let lines: Vec<String> = requirements.iter().map(text_of).collect();
        let mut text = lines.join("\n") + "\n";
        let main = self.main_index.iter();
        let main = main.map(|url| format!("--index-url {url}\n"));
        let more = self.indexes.iter();
        let more = more.map(|url| format!("--extra-index-url {url}\n"));
        let indexes: String = main.chain(more).collect();
        let indexes = (!indexes.is_empty()).then_some(indexes);
        if let Some(indexes) = &indexes {
            text = format!("{indexes}\n{text}");
        }
        Export {
            requirements,
            indexes,
            text,
        }
    }
}

fn not_held(place: &str, text: &str) -> Error {
    let shown = without_credentials(text);
    let shown: String = shown
        .chars()
        .take(80)
        .flat_map(char::escape_debug)
        .collect();
    Error::refused(format!(
        "{place}: {shown} is a folder, a repository or an address, so what is installed cannot \
         be held to the lock"
    ))
    .hint("a server that ships depends on released packages only: replace it by a version")
}

/// Every dependency that the project has everywhere must be in the file, in a version that fits.
fn require_fresh(project: &project::Project, reading: &Reading<'_>) -> Result<()> {
    let main = project
        .groups
        .iter()
        .filter(|group| group.name == project::MAIN);
    for dependency in main.flat_map(|group| &group.dependencies) {
        if dependency.optional || dependency.name == project.name {
            continue;
        }
        let locked: Vec<&Requirement> = reading
            .found
            .values()
            .filter(|one| one.name == dependency.name)
            .collect();
        let problem = match locked.as_slice() {
            [] if dependency.marker.is_any() => "which it does not have".to_owned(),
            [] => continue,
            locked => {
                let fits = |one: &&Requirement| {
                    Version::parse(&one.version)
                        .map_or(true, |it| dependency.constraint.allows(&it))
                };
                if locked.iter().any(fits) {
                    continue;
                }
                format!("and it has {}", locked[0].version)
            }
        };
        let places = reading.places;
        return Err(Error::failure(format!(
            "{} is stale: {} asks for {} {}, {problem}",
            places.lock, places.pyproject, dependency.name, dependency.constraint
        ))
        .hint(REMEDY[0])
        .hint(REMEDY[1]));
    }
    Ok(())
}

/// The file's text, when the lock is read from a folder by itself.
pub fn nothing_beside(_: &str) -> Option<String> {
    None
}
