//! What is inside a wheel, and whether it is sound. Pure: bytes in, facts out.
//!
//! Source: PyPA "Binary distribution format" (wheel 1.0), "Recording installed projects"
//! (RECORD), "Core metadata" and "Entry points" specifications.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::error::{Error, Result};
use crate::name::normalize;
use crate::product::pyproject::Project;

/// Top-level names that would collide with other distributions once installed.
const GENERIC_NAMES: [&str; 14] = [
    "src", "lib", "app", "main", "test", "tests", "testing", "docs", "doc", "scripts", "examples",
    "build", "dist", "utils",
];

/// No file of a Python package is larger; a bigger one is an attack or a mistake.
const FILE_LIMIT: u64 = 256 << 20;

/// What a wheel says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// `Name` of METADATA.
    pub name: String,
    /// `Version` of METADATA.
    pub version: String,
    /// `Requires-Python` of METADATA.
    pub requires_python: Option<String>,
    /// Every `Requires-Dist` of METADATA.
    pub requires: Vec<String>,
    /// The description in METADATA: the project's README.
    pub description: String,
    /// The console scripts, name to object reference.
    pub scripts: BTreeMap<String, String>,
    /// First parts of the paths outside `.dist-info` and `.data`.
    pub top_level: BTreeSet<String>,
    /// Paths of all files.
    pub files: BTreeSet<String>,
    /// What the file name says: distribution, version, tag.
    pub file_name: (String, String, String),
    /// What is wrong with the container itself.
    pub defects: Vec<String>,
}

/// Reads a wheel from its bytes; `file` is its name, which carries meaning.
///
/// # Errors
/// Not a wheel at all: a bad file name, not a zip file, or no single `.dist-info`.
pub fn wheel(file: &str, bytes: &[u8]) -> Result<Wheel> {
    let file_name = split_file_name(file)?;
    let contents = contents(file, bytes)?;
    let information = information_folder(file, &contents)?;
    let text = |name: &str| {
        let bytes = contents.get(&format!("{information}/{name}"));
        bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let metadata = text("METADATA")
        .ok_or_else(|| Error::refused(format!("{file}: no {information}/METADATA")))?;
    let record = text("RECORD").unwrap_or_default();
    let outside = |path: &&String| {
        let first = path.split('/').next().unwrap_or_default();
        !first.ends_with(".dist-info") && !first.ends_with(".data")
    };
    let top = |path: &String| path.split('/').next().unwrap_or_default().to_owned();
    Ok(Wheel {
        name: header(&metadata, "Name").unwrap_or_default(),
        version: header(&metadata, "Version").unwrap_or_default(),
        requires_python: header(&metadata, "Requires-Python"),
        requires: headers(&metadata, "Requires-Dist").collect(),
        description: description(&metadata),
        scripts: console_scripts(&text("entry_points.txt").unwrap_or_default()),
        top_level: contents.keys().filter(outside).map(top).collect(),
        defects: record_defects(&information, &record, &contents),
        files: contents.into_keys().collect(),
        file_name,
    })
}

impl Wheel {
    /// Everything that keeps this wheel from being what `pyproject.toml` promises.
    pub fn problems(&self, project: &Project, console_script: &str) -> Vec<String> {
        let mut problems = self.defects.clone();
        let (file_name, file_version, _) = &self.file_name;
        for (place, name) in [("METADATA", &self.name), ("the file name", file_name)] {
            if normalize(name) != normalize(&project.name) {
                problems.push(format!(
                    "{place} says the name {name}, pyproject {}",
                    project.name
                ));
            }
        }
        if let Some(version) = &project.version {
            for (place, found) in [("METADATA", &self.version), ("the file name", file_version)] {
                if found != version && found.replace('_', "-") != *version {
                    problems.push(format!(
                        "{place} says the version {found}, pyproject {version}"
                    ));
                }
            }
        }
        for name in &self.top_level {
            let stem = name.strip_suffix(".py").unwrap_or(name);
            if GENERIC_NAMES.contains(&stem) {
                problems.push(format!(
                    "it installs a top-level package {stem:?}, which collides with every other \
                     project that does so; move the code into a package of its own name"
                ));
            }
        }
        match self.scripts.get(console_script) {
            None => problems.push(format!(
                "it has no console script {console_script}; add it under [project.scripts]"
            )),
            Some(reference) if !self.has_module(reference) => problems.push(format!(
                "the console script {console_script} points to {reference}, which it does not hold"
            )),
            Some(_) => {}
        }
        problems
    }

    /// Whether the module of an object reference `package.module:function` is in the wheel.
    fn has_module(&self, reference: &str) -> bool {
        let module = reference
            .split([':', ' '])
            .next()
            .unwrap_or_default()
            .replace('.', "/");
        [format!("{module}.py"), format!("{module}/__init__.py")]
            .iter()
            .any(|path| self.files.contains(path))
            || self.files.iter().any(|path| {
                path.strip_prefix(&module).is_some_and(|rest| {
                    rest.starts_with('.') && (rest.ends_with(".so") || rest.ends_with(".pyd"))
                })
            })
    }
}

/// `{distribution}-{version}(-{build})?-{python}-{abi}-{platform}.whl`.
fn split_file_name(file: &str) -> Result<(String, String, String)> {
    let wrong = || {
        Error::refused(format!("{file} is not a wheel's file name"))
            .hint("expected NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
    };
    let stem = file.strip_suffix(".whl").ok_or_else(wrong)?;
    let parts: Vec<&str> = stem.split('-').collect();
    match parts.as_slice() {
        [name, version, python, abi, platform] | [name, version, _, python, abi, platform] => Ok((
            (*name).to_owned(),
            (*version).to_owned(),
            format!("{python}-{abi}-{platform}"),
        )),
        _ => Err(wrong()),
    }
}

fn contents(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    let broken = |cause: &dyn std::fmt::Display| {
        Error::refused(format!("{file} is not a sound zip file: {cause}"))
            .hint("build it again: cargo xtask build")
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|cause| broken(&cause))?;
    let mut contents = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|cause| broken(&cause))?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().map_err(|cause| broken(&cause))?.into_owned();
        let mut content = Vec::new();
        (&mut entry)
            .take(FILE_LIMIT)
            .read_to_end(&mut content)
            .map_err(|cause| broken(&format!("{name}: {cause}")))?;
        contents.insert(name, content);
    }
    Ok(contents)
}

fn information_folder(file: &str, contents: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    let folders: BTreeSet<&str> = contents
        .keys()
        .filter_map(|path| path.split('/').next())
        .filter(|folder| folder.ends_with(".dist-info"))
        .collect();
    match folders.into_iter().collect::<Vec<_>>().as_slice() {
        [one] => Ok((*one).to_owned()),
        several => Err(Error::refused(format!(
            "{file}: {} .dist-info folders, expected one: {}",
            several.len(),
            several.join(", ")
        ))),
    }
}

/// Compares RECORD with the files, both ways.
fn record_defects(
    information: &str,
    record: &str,
    contents: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let own = format!("{information}/RECORD");
    let mut defects = Vec::new();
    let mut listed = BTreeSet::new();
    for line in record.lines().filter(|line| !line.trim().is_empty()) {
        let Some((path, hash)) = record_line(line) else {
            defects.push(format!(
                "RECORD has a line that is not path,hash,size: {line}"
            ));
            continue;
        };
        listed.insert(path.clone());
        match (contents.get(&path), hash.strip_prefix("sha256=")) {
            (None, _) => defects.push(format!(
                "RECORD lists {path}, which the wheel does not hold"
            )),
            (Some(_), _) if path == own => {}
            (Some(content), Some(expected)) => {
                if URL_SAFE_NO_PAD.encode(Sha256::digest(content)) != expected {
                    defects.push(format!("{path} is not the file RECORD hashed"));
                }
            }
            (Some(_), None) => defects.push(format!("RECORD has no sha256 for {path}")),
        }
    }
    let signed = [
        own,
        format!("{information}/RECORD.jws"),
        format!("{information}/RECORD.p7s"),
    ];
    for path in contents.keys() {
        if !listed.contains(path) && !signed.contains(path) {
            defects.push(format!("{path} is not listed in RECORD"));
        }
    }
    defects
}

/// One line of RECORD: path and hash. Paths with commas or quotes are quoted as CSV.
fn record_line(line: &str) -> Option<(String, String)> {
    let (path, rest) = match line.strip_prefix('"') {
        None => {
            let (path, rest) = line.split_once(',')?;
            (path.to_owned(), rest)
        }
        Some(quoted) => {
            let end = quoted.rfind("\",")?;
            (quoted[..end].replace("\"\"", "\""), &quoted[end + 2..])
        }
    };
    let (hash, _size) = rest.split_once(',')?;
    Some((path, hash.to_owned()))
}

/// The first value of a core-metadata field.
pub fn header(metadata: &str, field: &str) -> Option<String> {
    headers(metadata, field).next()
}

/// All values of a core-metadata field; the description after the blank line is not read.
pub fn headers<'text>(
    metadata: &'text str,
    field: &'text str,
) -> impl Iterator<Item = String> + 'text {
    metadata
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(move |(name, _)| name.eq_ignore_ascii_case(field))
        .map(|(_, value)| value.trim().to_owned())
}

/// The description: what follows the headers, or in older files a header of several lines.
fn description(metadata: &str) -> String {
    let (headers, body) = match metadata.split_once("\n\n") {
        Some(parts) => parts,
        None => metadata.split_once("\r\n\r\n").unwrap_or((metadata, "")),
    };
    match body.trim() {
        "" => {
            let header = headers.split_once("\nDescription:");
            header.map(|(_, text)| text.to_owned()).unwrap_or_default()
        }
        _ => body.to_owned(),
    }
}

fn console_scripts(text: &str) -> BTreeMap<String, String> {
    let mut section = "";
    let mut scripts = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
        } else if section == "console_scripts"
            && let Some((name, reference)) = line.split_once('=')
        {
            scripts.insert(name.trim().to_owned(), reference.trim().to_owned());
        }
    }
    scripts
}

#[cfg(test)]
mod tests;
