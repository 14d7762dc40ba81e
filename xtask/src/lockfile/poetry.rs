//! `poetry.lock`: lock-version 1.x, 2.0 and 2.1.
//!
//! Source: Poetry's `packages/locker.py` (2.5), which reads these generations; there is no other
//! specification. What the packages mean for an installation is decided in `requirements`.

pub(super) mod audit;
mod project;
mod whole;

use serde_json::Value;

use super::damage;
use crate::config::place;
use crate::error::{Error, Result};
use crate::name::normalize;
use crate::pep440::Version;

/// The file's name.
pub const FILE: &str = "poetry.lock";

/// The command that writes it anew.
const COMMAND: &str = "poetry lock";

/// What mends every lock file that is damaged or stale.
pub const REMEDY: &str = "write it anew: poetry lock";

/// A lock file.
#[derive(Debug, Clone)]
pub struct Lock {
    /// `metadata.lock-version`.
    pub version: Version,
    /// `metadata.content-hash`: the sha256 of what it was locked from, in hexadecimal.
    pub content_hash: Option<String>,
    /// The Poetry that wrote it, where the first line says so.
    pub written_by: Option<Version>,
    /// All locked packages, in the order of the file.
    pub packages: Vec<Package>,
    /// The project's extras and the packages that each brings; written before 2.1 too.
    pub extras: Vec<(String, Vec<String>)>,
}

/// One `[[package]]`.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name in its normal form.
    pub name: String,
    /// The locked version.
    pub version: Version,
    /// Whether only extras bring it.
    pub optional: bool,
    /// The Pythons that it supports, as Poetry writes constraints.
    pub python_versions: String,
    /// The dependency groups that bring it, in their normal form; 2.1 only.
    pub groups: Vec<String>,
    /// For each of these groups the marker under which it is brought; 2.1 only.
    pub markers: Vec<String>,
    /// The digests of its files, `algorithm:hexadecimal` or bare sha256, in file order.
    pub hashes: Vec<String>,
    /// Name and specification of each dependency, as in `pyproject.toml`.
    pub dependencies: Vec<(String, Value)>,
    /// Its extras with their requirement strings.
    pub extras: Vec<(String, Vec<String>)>,
    /// Where it comes from, when that is not PyPI.
    pub source: Option<Source>,
    /// Whether it is installed in place.
    pub develop: bool,
    /// The line of its `[[package]]`, counted from 1.
    pub line: usize,
}

/// `[package.source]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `git`, `directory`, `file`, `url`, or `legacy` for an index.
    pub kind: String,
    /// Where it is; a path from the lock file's folder for `directory` and `file`.
    pub url: String,
    /// The branch, tag or commit asked for, or the index's name.
    pub reference: Option<String>,
    /// The commit that was found.
    pub resolved_reference: Option<String>,
    /// The folder inside the archive or checkout.
    pub subdirectory: Option<String>,
}

impl Lock {
    /// Whether groups and markers are locked, so that nothing has to be worked out.
    pub fn has_markers(&self) -> bool {
        self.version >= Version::from_release(0, vec![2, 1])
    }
}

/// Reads a lock file; `file` names it in errors.
///
/// # Errors
/// Merge conflicts, text that is not TOML, a table declared twice, a format this tool does not
/// know, or a package without what every package has. Each names its line and package.
pub fn parse(text: &str, file: &str) -> Result<Lock> {
    let top = values(text, file)?;
    let lines = damage::package_lines(text);
    let metadata = top.get("metadata").ok_or_else(|| {
        Error::failure(format!("{file}: there is no [metadata] table")).hint(REMEDY)
    })?;
    let version = lock_version(metadata, file)?;
    let packages = match top.get("package") {
        None => &Vec::new(),
        Some(Value::Array(packages)) => packages,
        Some(_) => return Err(Error::failure(format!("{file}: `package` is no list")).hint(REMEDY)),
    };
    let mut lock = Lock {
        version,
        content_hash: text_of(metadata, "content-hash"),
        written_by: text.lines().next().and_then(writer),
        packages: Vec::with_capacity(packages.len()),
        extras: string_lists(top.get("extras")),
    };
    for (index, table) in packages.iter().enumerate() {
        let line = lines.get(index).copied().unwrap_or(1);
        let package = package(table, metadata, lock.has_markers(), line).map_err(|problem| {
            let name = text_of(table, "name").unwrap_or_else(|| "without a name".to_owned());
            Error::failure(format!("{file}:{line}: package {name}: {problem}")).hint(REMEDY)
        })?;
        lock.packages.push(package);
    }
    Ok(lock)
}

fn values(text: &str, file: &str) -> Result<Value> {
    let damaged = damage::Damaged {
        text,
        file,
        remedy: COMMAND,
    };
    damage::conflict_markers(&damaged)?;
    toml::from_str(text).map_err(|cause| {
        let at = place(text, cause.span().map_or(0, |span| span.start));
        damage::explain(&damaged, at, cause.message())
    })
}

fn lock_version(metadata: &Value, file: &str) -> Result<Version> {
    let Some(text) = text_of(metadata, "lock-version") else {
        return Err(Error::failure(format!(
            "{file}: [metadata] has no lock-version, so it was written by a Poetry before 1.0, \
             whose format nothing reads any more"
        ))
        .hint(REMEDY));
    };
    let version = Version::parse(&text).ok();
    let (low, high) = (vec![1], vec![2, 1]);
    let known = Version::from_release(0, low)..=Version::from_release(0, high);
    version
        .filter(|version| known.contains(version))
        .ok_or_else(|| {
            Error::failure(format!(
                "{file}: lock-version {text} is not known; this tool reads 1.x, 2.0 and 2.1"
            ))
            .hint("write it anew with a Poetry whose format is known: poetry lock")
        })
}

/// `# This file is automatically @generated by Poetry 2.5.1 and …`
fn writer(line: &str) -> Option<Version> {
    let (_, behind) = line.split_once("Poetry ")?;
    Version::parse(behind.split(' ').next()?).ok()
}

fn package(
    table: &Value,
    metadata: &Value,
    has_markers: bool,
    line: usize,
) -> std::result::Result<Package, String> {
    let needed = |key: &str| text_of(table, key).ok_or_else(|| format!("`{key}` is missing"));
    let written = needed("name")?;
    let version = needed("version")?;
    let version = Version::parse(&version).map_err(|problem| problem.to_string())?;
    let source = table.get("source").map(source).transpose()?;
    let groups = if has_markers {
        strings(table.get("groups")).ok_or("`groups` is missing")?
    } else {
        Vec::new()
    };
    Ok(Package {
        name: normalize(&written),
        version,
        optional: table
            .get("optional")
            .and_then(Value::as_bool)
            .ok_or("`optional` is missing")?,
        python_versions: needed("python-versions")?,
        markers: groups.iter().map(|group| marker(table, group)).collect(),
        groups: groups.iter().map(|group| normalize(group)).collect(),
        hashes: hashes(table, metadata, &written, source.as_ref())?,
        dependencies: dependencies(table.get("dependencies")),
        extras: string_lists(table.get("extras")),
        source,
        develop: table
            .get("develop")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        line,
    })
}

/// `markers` is one text for all groups, or a table of them.
fn marker(package: &Value, group: &str) -> String {
    let text = match package.get("markers") {
        Some(Value::String(all)) => Some(all.clone()),
        Some(table) => text_of(table, group),
        None => None,
    };
    text.unwrap_or_else(|| "*".to_owned())
}

fn source(table: &Value) -> std::result::Result<Source, String> {
    let needed =
        |key: &str| text_of(table, key).ok_or_else(|| format!("`source.{key}` is missing"));
    Ok(Source {
        kind: needed("type")?,
        url: needed("url")?,
        reference: text_of(table, "reference").filter(|text| !text.is_empty()),
        resolved_reference: text_of(table, "resolved_reference").filter(|text| !text.is_empty()),
        subdirectory: text_of(table, "subdirectory").filter(|text| !text.is_empty()),
    })
}

/// Digests have moved: first `metadata.hashes`, then `metadata.files`, now the package's `files`.
fn hashes(
    package: &Value,
    metadata: &Value,
    name: &str,
    source: Option<&Source>,
) -> std::result::Result<Vec<String>, String> {
    if let Some(files) = package.get("files").and_then(Value::as_array) {
        return file_hashes(files.iter());
    }
    if let Some(hashes) = metadata.get("hashes") {
        return strings(hashes.get(name)).ok_or_else(|| format!("[metadata.hashes] has no {name}"));
    }
    let kind = source.map(|source| source.kind.as_str());
    if matches!(kind, Some("git" | "directory" | "url")) {
        return Ok(Vec::new());
    }
    let files = metadata.get("files").and_then(|files| files.get(name));
    let files = files
        .and_then(Value::as_array)
        .ok_or_else(|| format!("[metadata.files] has no {name}"))?;
    match source {
        Some(source) if source.kind == "file" => {
            let wanted = source.url.rsplit('/').next();
            let is_wanted = |file: &&Value| file.get("file").and_then(Value::as_str) == wanted;
            file_hashes(files.iter().filter(is_wanted))
        }
        _ => file_hashes(files.iter()),
    }
}

fn file_hashes<'file>(
    files: impl Iterator<Item = &'file Value>,
) -> std::result::Result<Vec<String>, String> {
    files
        .map(|file| text_of(file, "hash").ok_or_else(|| "a file has no `hash`".to_owned()))
        .collect()
}

/// Several specifications of one name become several entries.
fn dependencies(table: Option<&Value>) -> Vec<(String, Value)> {
    let mut list = Vec::new();
    for (name, value) in table.and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::Array(several) => {
                list.extend(several.iter().map(|one| (name.clone(), one.clone())));
            }
            one => list.push((name.clone(), one.clone())),
        }
    }
    list
}

fn text_of(table: &Value, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

fn strings(list: Option<&Value>) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    list?.as_array()?.iter().map(text).collect()
}

/// A table of lists of strings, its keys normalised.
fn string_lists(table: Option<&Value>) -> Vec<(String, Vec<String>)> {
    table
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, list)| Some((normalize(name), strings(Some(list))?)))
        .collect()
}

#[cfg(test)]
mod tests;
