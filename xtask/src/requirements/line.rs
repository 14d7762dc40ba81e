//! The lines of a requirements file: requirements, their digests, and the indexes. Pure.
//!
//! Source: pip, "Requirements File Format"; the export plug-in's `exporter.py` for the order.

use std::collections::BTreeSet;

use super::origin::{Kind, Origin, file_url};
use super::project::{Index, Priority, Project};
use super::select::Selected;
use super::{Export, Hashes, Requirement, dependency};
use crate::lockfile::poetry::{Lock, Package};
use crate::marker::{Algebra, Outcome};

/// The digests that pip accepts.
const ALGORITHMS: [&str; 3] = ["sha256", "sha384", "sha512"];

/// Writes the file.
pub fn write(
    algebra: &Algebra,
    lock: &Lock,
    project: &Project,
    selected: &[Selected],
    with: Hashes,
    folder: &str,
) -> Outcome<Export> {
    let mut requirements = Vec::with_capacity(selected.len());
    let mut indexes = BTreeSet::new();
    for one in selected {
        let package = &lock.packages[one.package];
        let origin = dependency::locked_origin(package.source.as_ref(), folder);
        if let Some(index) = origin.as_ref().filter(|origin| origin.kind == Kind::Index) {
            indexes.insert(index.location.trim_end_matches('/').to_owned());
        }
        let marker = algebra.without_extras(&one.marker)?;
        let marker = match marker.is_empty() {
            true => String::new(),
            false => marker.to_string(),
        };
        requirements.push(Requirement {
            name: package.name.clone(),
            version: package.version.to_string(),
            extras: one.extras.clone(),
            line: requirement(package, origin.as_ref(), &one.extras, &marker),
            marker,
            hashes: match with {
                Hashes::With => hashes(package),
                Hashes::Without => Vec::new(),
            },
        });
    }
    requirements.sort_by_cached_key(text_of);
    requirements.dedup_by_key(|one| text_of(one));
    let text: Vec<String> = requirements.iter().map(text_of).collect();
    let mut text = text.join("\n") + "\n";
    let header = (!indexes.is_empty()).then(|| index_lines(&project.indexes, &indexes));
    if let Some(header) = &header {
        text = format!("{header}\n{text}");
    }
    Ok(Export {
        requirements,
        indexes: header,
        text,
    })
}

/// A requirement's line with its digests, which pip reads on continued lines.
pub fn text_of(requirement: &Requirement) -> String {
    let mut text = requirement.line.clone();
    for hash in &requirement.hashes {
        text.push_str(" \\\n    --hash=");
        text.push_str(hash);
    }
    text
}

fn requirement(
    package: &Package,
    origin: Option<&Origin>,
    extras: &[String],
    marker: &str,
) -> String {
    let mut name = package.name.clone();
    if !extras.is_empty() {
        name = format!("{name}[{}]", extras.join(","));
    }
    let condition = match marker {
        "" => String::new(),
        marker => format!(" ; {marker}"),
    };
    let Some(origin) = origin else {
        return format!("{name}=={}{condition}", package.version);
    };
    let folder = |prefix: &str| match &origin.subdirectory {
        Some(folder) => format!("{prefix}#subdirectory={folder}"),
        None => prefix.to_owned(),
    };
    let place = match origin.kind {
        Kind::Index => return format!("{name}=={}{condition}", package.version),
        Kind::Url => folder(&origin.location),
        Kind::Git => {
            let commit = origin.commit.as_ref().or(origin.reference.as_ref());
            let commit = commit.map_or_else(String::new, |commit| format!("@{commit}"));
            folder(&format!("git+{}{commit}", origin.location))
        }
        Kind::Directory if package.develop => {
            return format!("-e {}{condition}", file_url(&origin.location));
        }
        Kind::Directory | Kind::File => file_url(&origin.location),
    };
    format!("{name} @ {place}{condition}")
}

/// The digests of a package's files that pip accepts, sorted.
pub fn hashes(package: &Package) -> Vec<String> {
    let digest = |hash: &String| match hash.split_once(':') {
        None => Some(format!("sha256:{hash}")),
        Some((algorithm, _)) => ALGORITHMS.contains(&algorithm).then(|| hash.clone()),
    };
    let mut hashes: Vec<String> = package.hashes.iter().filter_map(digest).collect();
    hashes.sort();
    hashes
}

/// The option lines for the indexes that packages come from, as the project names them. The
/// first index replaces PyPI unless PyPI is asked too.
fn index_lines(named: &[Index], used: &BTreeSet<String>) -> String {
    let is_pypi = |index: &Index| index.name.eq_ignore_ascii_case("pypi");
    let asks_pypi = named.iter().any(is_pypi)
        || named
            .iter()
            .all(|index| index.priority != Priority::Primary);
    let mut ordered: Vec<&Index> = named.iter().collect();
    ordered.sort_by_key(|index| index.priority);
    let first = ordered
        .iter()
        .position(|index| index.priority != Priority::Explicit);
    let mut lines = String::new();
    for (place, index) in ordered.iter().enumerate() {
        let Some(url) = index.url.as_ref().filter(|url| used.contains(*url)) else {
            continue;
        };
        if let Some(rest) = url.strip_prefix("http://") {
            let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            lines.push_str(&format!("--trusted-host {host}\n"));
        }
        let option = match !asks_pypi && first == Some(place) {
            true => "--index-url",
            false => "--extra-index-url",
        };
        lines.push_str(&format!("{option} {url}\n"));
    }
    lines
}
