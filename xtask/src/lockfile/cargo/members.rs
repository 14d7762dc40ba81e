//! Finds the workspace's members among the packages, and what of the rest ships. Pure.
//!
//! A folder cannot be listed from here, so for a member pattern like `crates/*` the folders that
//! would be named after the package are tried, and the manifest found there must name it.

use std::collections::{HashMap, HashSet, VecDeque};

use camino::Utf8Path;

use super::super::graph;
use super::super::model::{Dependency, Lock, Package, Scope, Source};
use super::super::path::normal;
use super::manifest::{self, Ask, Manifest, Workspace};
use crate::error::Result;

/// How many files may be asked for; a workspace of 100 members asks for fewer than 1,000.
const MOST_FILES: usize = 5_000;
/// How many patterns are tried; a workspace has a handful.
const MOST_PATTERNS: usize = 64;

struct Search<'search> {
    beside: &'search dyn Fn(&str) -> Option<String>,
    /// Folders that were tried.
    tried: HashSet<String>,
    /// Packages without a source by name, with what was found out about each.
    local: HashMap<String, usize>,
    found: HashMap<usize, (String, Manifest)>,
    open: VecDeque<usize>,
}

/// Fills in roots, scopes and the folders of members.
///
/// # Errors
/// A manifest that is no TOML.
pub fn complete(lock: &mut Lock, beside: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    let is_local = |package: &Package| matches!(package.source, Source::Workspace { .. });
    let local = lock.packages.iter().enumerate();
    let local: HashMap<String, usize> = local
        .filter(|(_, package)| is_local(package))
        .map(|(index, package)| (package.name.clone(), index))
        .collect();
    let mut search = Search {
        beside,
        tried: HashSet::new(),
        local,
        found: HashMap::new(),
        open: VecDeque::new(),
    };
    let Some(mut root) = search.manifest("")? else {
        lock.notes
            .push("there is no Cargo.toml beside it, so everything counts as shipping".to_owned());
        finish(lock, &search, &Workspace::default(), true);
        return Ok(());
    };
    let workspace = root.workspace.take();
    let is_alone = workspace.is_none();
    search.accept("", root);
    let workspace = workspace.unwrap_or_default();
    search.walk_members(&workspace)?;
    search.walk_paths(&workspace)?;
    finish(lock, &search, &workspace, is_alone);
    Ok(())
}

impl Search<'_> {
    /// The manifest in a folder, if there is one and it was not tried before.
    fn manifest(&mut self, folder: &str) -> Result<Option<Manifest>> {
        if self.tried.len() >= MOST_FILES || !self.tried.insert(folder.to_owned()) {
            return Ok(None);
        }
        let path = join(folder, "Cargo.toml");
        let Some(text) = (self.beside)(&path) else {
            return Ok(None);
        };
        manifest::read(&text, Utf8Path::new(&path)).map(Some)
    }

    /// Keeps a manifest that belongs to a package of the lock file.
    fn accept(&mut self, folder: &str, manifest: Manifest) {
        let name = manifest.name.as_deref().unwrap_or_default();
        if let Some(&index) = self.local.get(name)
            && !self.found.contains_key(&index)
        {
            self.found.insert(index, (folder.to_owned(), manifest));
            self.open.push_back(index);
        }
    }

    fn walk_members(&mut self, workspace: &Workspace) -> Result<()> {
        let is_pattern = |member: &&String| member.contains(['*', '?', '[']);
        for member in workspace
            .members
            .iter()
            .filter(|member| !is_pattern(member))
        {
            self.visit(&normal(member))?;
        }
        let mut names: Vec<String> = self.local.keys().cloned().collect();
        names.sort();
        let patterns = workspace.members.iter().filter(is_pattern);
        for pattern in patterns.take(MOST_PATTERNS) {
            for name in &names {
                self.try_pattern(pattern, name)?;
            }
        }
        Ok(())
    }

    fn try_pattern(&mut self, pattern: &str, name: &str) -> Result<()> {
        for folder in folders(pattern, name) {
            let done = self
                .local
                .get(name)
                .is_none_or(|index| self.found.contains_key(index));
            if done {
                return Ok(());
            }
            self.visit(&folder)?;
        }
        Ok(())
    }

    /// Follows the folders that manifests name, from manifest to manifest.
    fn walk_paths(&mut self, workspace: &Workspace) -> Result<()> {
        for path in workspace.asks.iter().filter_map(|ask| ask.path.as_ref()) {
            self.visit(&normal(path))?;
        }
        while let Some(index) = self.open.pop_front() {
            let Some((folder, manifest)) = self.found.get(&index) else {
                continue;
            };
            let paths = manifest.asks.iter().filter_map(|ask| ask.path.as_ref());
            let folders: Vec<String> = paths.map(|path| normal(&join(folder, path))).collect();
            for folder in folders {
                self.visit(&folder)?;
            }
        }
        Ok(())
    }

    fn visit(&mut self, folder: &str) -> Result<()> {
        if let Some(manifest) = self.manifest(folder)? {
            self.accept(folder, manifest);
        }
        Ok(())
    }
}

/// The folders that a pattern gives when its last part that is a pattern stands for a package of
/// this name: the name itself, with underscores, and without its first words.
fn folders(pattern: &str, name: &str) -> Vec<String> {
    const MOST: usize = 12;
    let underscores = name.replace('-', "_");
    let mut candidates = vec![name, underscores.as_str()];
    let words = name
        .char_indices()
        .filter(|(_, character)| matches!(character, '-' | '_'));
    candidates.extend(words.filter_map(|(at, _)| name.get(at + 1..)));
    candidates.truncate(MOST);
    let parts: Vec<&str> = pattern.split('/').collect();
    let stands = |part: &str| part.contains(['*', '?', '[']);
    // A second pattern in one path could be any folder; it cannot be guessed.
    if parts.iter().filter(|part| stands(part)).count() != 1 {
        return Vec::new();
    }
    let with = |candidate: &&str| {
        let fits = |part: &str| fast_glob::glob_match(part, candidate);
        parts
            .iter()
            .all(|part| !stands(part) || fits(part))
            .then(|| {
                let parts: Vec<&str> = parts
                    .iter()
                    .map(|part| if stands(part) { *candidate } else { *part })
                    .collect();
                normal(&parts.join("/"))
            })
    };
    candidates.iter().filter_map(with).collect()
}

/// Marks members, roots and what only development reaches.
fn finish(lock: &mut Lock, search: &Search<'_>, workspace: &Workspace, is_alone: bool) {
    let mut locals: Vec<usize> = search.local.values().copied().collect();
    locals.sort_unstable();
    let listed: HashSet<String> = workspace.members.iter().map(|path| normal(path)).collect();
    let excluded: HashSet<String> = workspace.exclude.iter().map(|path| normal(path)).collect();
    let is_member = |folder: &str| {
        let mut above = Utf8Path::new(folder).ancestors();
        let is_below = !folder.starts_with("..") && !folder.starts_with('/');
        folder.is_empty()
            || listed.contains(folder)
            // A `[workspace]` has all folders below it that are depended on as members.
            || !is_alone && is_below && !above.any(|above| excluded.contains(above.as_str()))
    };
    let mut unknown = Vec::new();
    let mut members = Vec::new();
    for &index in &locals {
        let Some(package) = lock.packages.get_mut(index) else {
            continue;
        };
        let folder = search.found.get(&index).map(|(folder, _)| folder.clone());
        match folder {
            Some(path) if !is_member(&path) => {
                package.source = Source::Path { path };
                continue;
            }
            Some(path) => package.source = Source::Workspace { path },
            None => unknown.push(package.name.clone()),
        }
        members.push(index);
    }
    if !unknown.is_empty() && lock.notes.is_empty() {
        lock.notes.push(format!(
            "the manifests of these packages were not found, so all they ask for counts as \
             shipping: {}",
            unknown.join(", ")
        ));
    }
    let shared: HashMap<&str, &Ask> = workspace
        .asks
        .iter()
        .map(|ask| (ask.key.as_str(), ask))
        .collect();
    let asks = |index: &usize| {
        let manifest = search.found.get(index).map(|(_, manifest)| manifest);
        (
            *index,
            manifest
                .map(|manifest| manifest.resolved(&shared))
                .unwrap_or_default(),
        )
    };
    let asked: Vec<(usize, Vec<Ask>)> = members.iter().map(asks).collect();
    lock.roots = roots(&lock.packages, &asked);
    mark(lock, &members);
}

/// What members ask for, apart from each other.
fn roots(packages: &[Package], asked: &[(usize, Vec<Ask>)]) -> Vec<Dependency> {
    let mut roots: Vec<Dependency> = Vec::new();
    let mut seen = HashSet::new();
    for (index, asks) in asked {
        let Some(member) = packages.get(*index) else {
            continue;
        };
        let mut by_name: HashMap<&str, Vec<&Ask>> = HashMap::new();
        for ask in asks {
            by_name.entry(&ask.package).or_default().push(ask);
        }
        for arrow in &member.dependencies {
            let Some(package) = packages.get(arrow.package) else {
                continue;
            };
            if matches!(package.source, Source::Workspace { .. }) {
                continue;
            }
            let asks = by_name.get(package.name.as_str()).map(Vec::as_slice);
            for (constraint, group) in reasons(asks.unwrap_or_default(), &package.version) {
                if seen.insert((arrow.package, constraint.clone(), group)) {
                    roots.push(Dependency {
                        package: arrow.package,
                        constraint,
                        group: Some(group.to_owned()),
                    });
                }
            }
        }
    }
    roots
}

/// Of several entries for one name (renamed ones) those count whose requirement lets the
/// version in.
fn reasons(asks: &[&Ask], version: &str) -> Vec<(Option<String>, &'static str)> {
    if asks.is_empty() {
        return vec![(None, "main")];
    }
    let version = semver::Version::parse(version);
    let lets_in = |ask: &&&Ask| {
        let (Some(requirement), Ok(version)) = (&ask.requirement, &version) else {
            return true;
        };
        let requirement = semver::VersionReq::parse(requirement);
        requirement.is_ok_and(|requirement| requirement.matches(version))
    };
    let reason = |ask: &&Ask| (ask.requirement.clone(), ask.group);
    let fitting: Vec<_> = asks.iter().filter(lets_in).map(reason).collect();
    match fitting.is_empty() {
        true => asks.iter().map(reason).collect(),
        false => fitting,
    }
}

/// Everything ships that can be reached without a member's development dependencies. Members
/// are beginnings themselves, so what they depend on is walked from the roots only.
fn mark(lock: &mut Lock, members: &[usize]) {
    let mut set_aside = Vec::new();
    for &index in members {
        if let Some(member) = lock.packages.get_mut(index) {
            set_aside.push((index, std::mem::take(&mut member.dependencies)));
        }
    }
    let shipping = lock
        .roots
        .iter()
        .filter(|root| root.group.as_deref() != Some("dev"));
    let shipping = shipping
        .map(|root| root.package)
        .chain(members.iter().copied());
    let dev = lock.roots.iter().map(|root| root.package);
    let ships = graph::reachable(&lock.packages, shipping);
    let develops = graph::reachable(&lock.packages, dev);
    for (package, (ships, develops)) in lock
        .packages
        .iter_mut()
        .zip(ships.into_iter().zip(develops))
    {
        if develops && !ships {
            package.scope = Scope::Development;
        }
    }
    for (index, dependencies) in set_aside {
        if let Some(member) = lock.packages.get_mut(index) {
            member.dependencies = dependencies;
        }
    }
}

fn join(folder: &str, path: &str) -> String {
    match folder {
        "" => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}
