//! The requirements of a `uv.lock`. Pure.
//!
//! A package is for the environments in which some way from the project leads to it: along a
//! way all markers must hold, and one way is enough. The markers are those that `uv export`
//! writes as far as they mean the same; they take for granted that the Python is one that the
//! project supports, as those in the file do.

use std::collections::HashMap;

use camino::Utf8Path;
use serde_json::Value;

use super::line::text_of;
use super::uv_fresh::require_fresh;
use super::{Export, Hashes, Options, Places, Requirement, known, project};
use crate::error::{Error, Result};
use crate::lockfile::Source;
use crate::lockfile::pip::place::without_credentials;
use crate::lockfile::uv::locked::{self, Arrow, Entry, Locked};
use crate::marker::{Algebra, Marker, Outcome};
use crate::name::normalize;

/// What the remedy of every error about the file is.
pub const REMEDY: &str = "write it anew: uv lock";

/// A package, or one of its extras.
type Node = (usize, Option<String>);

/// Works out the requirements.
///
/// # Errors
/// As [`super::resolve`], or a package does not come from an index.
pub fn resolve(
    pyproject: &str,
    lock: &str,
    options: &Options,
    places: Places<'_>,
) -> Result<Export> {
    let locked = locked::read(lock, Utf8Path::new(places.lock))?;
    let pyproject = project::values(pyproject, places.pyproject)?;
    let root = root(&locked, &pyproject, places)?;
    let entry = &locked.packages[root];
    let groups = known("dependency group", &options.groups, &groups(entry), places)?;
    let extras: Vec<String> = entry.extras.iter().map(|(name, _)| name.clone()).collect();
    let extras = known("extra", &options.extras, &extras, places)?;
    let algebra = Algebra::default();
    require_fresh(&algebra, &pyproject, entry, places)?;
    let reached = reach(&algebra, &locked, root, &groups, &extras, places)?;
    let mut requirements = Vec::new();
    for (index, marker) in reached {
        let entry = &locked.packages[index];
        if matches!(entry.package.source, Source::Workspace { .. }) && index == root {
            continue;
        }
        requirements.push(requirement(entry, &marker, options.hashes, places)?);
    }
    requirements.sort_by_cached_key(text_of);
    let indexes = indexes(&locked, &requirements);
    let lines: Vec<String> = requirements.iter().map(text_of).collect();
    let mut text = lines.join("\n") + "\n";
    if let Some(indexes) = &indexes {
        text = format!("{indexes}\n{text}");
    }
    Ok(Export {
        requirements,
        indexes,
        text,
    })
}

fn root(locked: &Locked, pyproject: &Value, places: Places<'_>) -> Result<usize> {
    let name = pyproject["project"]["name"].as_str().unwrap_or_default();
    let name = normalize(name);
    locked.project(&name).ok_or_else(|| {
        Error::failure(format!(
            "{} does not lock the project {name:?} of {}",
            places.lock, places.pyproject
        ))
        .hint(REMEDY)
        .hint("a member of a workspace is locked in the workspace's folder: [server] lock = \"uv.lock\"")
    })
}

fn groups(entry: &Entry) -> Vec<String> {
    let named = entry.groups.iter().map(|(name, _)| name.clone());
    std::iter::once(project::MAIN.to_owned())
        .chain(named)
        .collect()
}

/// Every package that is installed somewhere, and where.
fn reach(
    algebra: &Algebra,
    locked: &Locked,
    root: usize,
    groups: &[String],
    extras: &[String],
    places: Places<'_>,
) -> Result<Vec<(usize, Marker)>> {
    let mut walk = Walk {
        algebra,
        locked,
        places,
        reached: HashMap::new(),
        changed: Vec::new(),
    };
    let entry = &locked.packages[root];
    if groups.iter().any(|group| group == project::MAIN) {
        walk.add((root, None), &Marker::any(), 0)?;
        for extra in extras {
            walk.add((root, Some(extra.clone())), &Marker::any(), 0)?;
        }
    }
    for (group, arrows) in &entry.groups {
        if groups.contains(group) {
            walk.follow(arrows, &Marker::any())?;
        }
    }
    // A way that comes by a package twice leads nowhere new, so as many rounds as there are
    // packages and extras are enough, whatever circles there are.
    let rounds = locked.packages.iter().map(|one| 1 + one.extras.len());
    for _ in 0..rounds.sum() {
        if walk.changed.is_empty() {
            break;
        }
        walk.round()?;
    }
    let mut reached: Vec<(usize, Marker)> = walk
        .reached
        .into_iter()
        .filter(|((_, extra), marker)| extra.is_none() && !marker.is_empty())
        .map(|((index, _), marker)| (index, marker))
        .collect();
    reached.sort_by_key(|(index, _)| *index);
    Ok(reached)
}

struct Walk<'walk> {
    algebra: &'walk Algebra,
    locked: &'walk Locked,
    places: Places<'walk>,
    reached: HashMap<Node, Marker>,
    changed: Vec<Node>,
}

impl Walk<'_> {
    /// Goes one step on from everything that became reachable in more environments.
    fn round(&mut self) -> Result<()> {
        for node in std::mem::take(&mut self.changed) {
            let marker = self.reached[&node].clone();
            let entry = &self.locked.packages[node.0];
            let arrows = match &node.1 {
                None => Some(&entry.dependencies),
                Some(extra) => {
                    let named = entry.extras.iter().find(|(name, _)| name == extra);
                    named.map(|(_, arrows)| arrows)
                }
            };
            self.follow(arrows.map(Vec::as_slice).unwrap_or_default(), &marker)?;
        }
        Ok(())
    }

    fn follow(&mut self, arrows: &[Arrow], from: &Marker) -> Result<()> {
        for arrow in arrows {
            let own = self.parse(arrow)?;
            let both = self.algebra.intersect(from, &own);
            let marker = self.outcome(both, arrow.line)?;
            self.add((arrow.package, None), &marker, arrow.line)?;
            for extra in &arrow.extras {
                self.add((arrow.package, Some(extra.clone())), &marker, arrow.line)?;
            }
        }
        Ok(())
    }

    fn parse(&self, arrow: &Arrow) -> Result<Marker> {
        if arrow.marker.contains("extra") {
            return Err(self
                .error(
                    arrow.line,
                    "its marker depends on extras or groups that exclude each other \
                     ([tool.uv] conflicts), which cannot be exported as one list",
                )
                .hint("lock them apart, or export with uv: uv export --no-dev --no-emit-project -o requirements.txt, and name that file: [server] lock"));
        }
        let marker = self.algebra.parse(&arrow.marker);
        self.outcome(marker, arrow.line)
    }

    fn add(&mut self, node: Node, marker: &Marker, line: usize) -> Result<()> {
        let known = self.reached.get(&node);
        let marker = match known {
            _ if marker.is_empty() => return Ok(()),
            None => marker.clone(),
            Some(known) if known.is_any() || known == marker => return Ok(()),
            Some(known) => {
                let either = self.algebra.unite(known, marker);
                let either = self.outcome(either, line)?;
                if either == *known {
                    return Ok(());
                }
                either
            }
        };
        self.reached.insert(node.clone(), marker);
        if !self.changed.contains(&node) {
            self.changed.push(node);
        }
        Ok(())
    }

    fn outcome<T>(&self, outcome: Outcome<T>, line: usize) -> Result<T> {
        outcome.map_err(|fault| self.error(line, &fault.to_string()).hint(REMEDY))
    }

    fn error(&self, line: usize, message: &str) -> Error {
        Error::failure(format!("{}:{line}: {message}", self.places.lock))
    }
}

fn requirement(
    entry: &Entry,
    marker: &Marker,
    with: Hashes,
    places: Places<'_>,
) -> Result<Requirement> {
    let package = &entry.package;
    require_index(entry, places)?;
    let mut hashes = match with {
        Hashes::With => package.digests.clone(),
        Hashes::Without => Vec::new(),
    };
    hashes.sort();
    hashes.dedup();
    if with == Hashes::With && hashes.is_empty() {
        return Err(Error::failure(format!(
            "{}:{}: package {} {} has no files with digests",
            places.lock, package.line, package.name, package.version
        ))
        .hint(REMEDY));
    }
    let marker = marker.to_string();
    let condition = match marker.as_str() {
        "" => String::new(),
        marker => format!(" ; {marker}"),
    };
    Ok(Requirement {
        name: package.name.clone(),
        version: package.version.clone(),
        extras: Vec::new(),
        line: format!("{}=={}{condition}", package.name, package.version),
        marker,
        hashes,
    })
}

/// pip cannot hold a folder or a repository to a digest, and users have no such folder.
fn require_index(entry: &Entry, places: Places<'_>) -> Result<()> {
    let package = &entry.package;
    let from = match &package.source {
        Source::Registry { url: None } => return Ok(()),
        Source::Registry { url: Some(url) } if url.contains("://") => return Ok(()),
        Source::Registry { url: Some(path) } => format!("the folder of packages {path}"),
        Source::Git { url, .. } => format!("the git repository {}", without_credentials(url)),
        Source::Url { url } => format!("the address {}", without_credentials(url)),
        Source::Path { path } | Source::Workspace { path } => format!("the folder or file {path}"),
        Source::Bundled { by } => format!("inside of {by}"),
    };
    let from: String = from.chars().flat_map(char::escape_debug).collect();
    Err(Error::refused(format!(
        "{}:{}: package {} comes from {from}, so what is installed cannot be held to the lock",
        places.lock, package.line, package.name
    ))
    .hint("a server that ships depends on released packages only: replace the path, git or URL source in [tool.uv.sources]"))
}

/// Option lines for indexes other than the usual one. The digests decide what is taken from them.
fn indexes(locked: &Locked, requirements: &[Requirement]) -> Option<String> {
    let ships = |entry: &&Entry| {
        let package = &entry.package;
        requirements
            .iter()
            .any(|one| one.name == package.name && one.version == package.version)
    };
    let shipped: Vec<&Entry> = locked.packages.iter().filter(ships).collect();
    let address = |entry: &&Entry| match &entry.package.source {
        Source::Registry { url } => url.as_deref().map(without_credentials),
        _ => None,
    };
    let mut urls: Vec<String> = shipped.iter().filter_map(address).collect();
    urls.sort();
    urls.dedup();
    let only_others = shipped.iter().all(|entry| address(entry).is_some());
    let mut text = String::new();
    for (number, url) in urls.iter().enumerate() {
        let option = match number == 0 && only_others {
            true => "--index-url",
            false => "--extra-index-url",
        };
        text.push_str(&format!("{option} {url}\n"));
    }
    (!text.is_empty()).then_some(text)
}
