//! Yarn 1: packages by the patterns that ask for them.
//!
//! The members of a workspace are not in the file; their manifests are read where the root's
//! names them without a pattern.

use std::collections::HashMap;

use super::super::json::Object;
use super::super::node::{self, Wanted};
use super::super::shown::shortened;
use super::super::{Dependency, Input, Lock, Package, Scope, Source};
use super::lines::{Entry, entries};
use super::{REMEDY, finish, members, overrides};
use crate::error::{Error, Result};

/// Reads a lock file of Yarn 1.
pub fn read(input: &Input<'_>) -> Result<Lock> {
    let entries = entries(input)?;
    let mut packages = vec![node::folder(
        ".",
        1,
        Source::Workspace {
            path: String::new(),
        },
    )];
    let mut lookup = Lookup::default();
    for entry in &entries {
        let package =
            package(entry).map_err(|problem| node::damaged(input, entry.line, &problem, REMEDY))?;
        lookup
            .add(entry, packages.len())
            .map_err(|problem| node::damaged(input, entry.line, &problem, REMEDY))?;
        packages.push(package);
    }
    let mut project = Project::default();
    project.read(input, "", &mut packages)?;
    lookup.by_name_too = project.overrides || !project.is_there;
    for (index, entry) in entries.iter().enumerate() {
        let arrows = arrows(input, entry, &lookup)?;
        if let Some(package) = packages.get_mut(index + 1) {
            package.dependencies = arrows;
        }
    }
    let own = project.roots(&lookup)?;
    let mut notes = Vec::new();
    if !project.is_there {
        notes.push("package.json is not beside it, so it is not known what ships".to_owned());
    }
    if project.has_patterns {
        notes.push("the members of the workspace are named by pattern and not read".to_owned());
    }
    Ok(finish("1".to_owned(), packages, &own, notes))
}

/// The manifests that could be read, and what they ask for.
#[derive(Default)]
struct Project {
    is_there: bool,
    overrides: bool,
    has_members: bool,
    has_patterns: bool,
    /// Who asks (a package), where (a file), for what.
    wanted: Vec<(usize, String, Wanted)>,
}

impl Project {
    fn read(&mut self, input: &Input<'_>, folder: &str, packages: &mut Vec<Package>) -> Result<()> {
        let folders = node::with_manifest(input, folder, |manifest, path| {
            Ok(self.take(manifest, path, folder, packages))
        })?;
        for folder in folders.into_iter().flatten().filter(|_| folder.is_empty()) {
            self.read(input, &folder, packages)?;
        }
        Ok(())
    }

    /// Notes what a manifest asks for, and gives the folders of its workspace.
    fn take(
        &mut self,
        manifest: &Object<'_>,
        path: &str,
        folder: &str,
        packages: &mut Vec<Package>,
    ) -> Vec<String> {
        let name = manifest.text("name").filter(|name| node::is_name(name));
        let version = manifest
            .text("version")
            .filter(|version| node::is_version(version));
        let source = Source::Workspace {
            path: folder.to_owned(),
        };
        let package = Package {
            version: version.unwrap_or_default().to_owned(),
            ..node::folder(name.unwrap_or(folder), 1, source)
        };
        let mut folders = Vec::new();
        let index = match folder.is_empty() {
            true => {
                self.is_there = true;
                self.overrides = overrides(manifest);
                (folders, self.has_patterns) = members(manifest);
                self.has_members = self.has_patterns || !folders.is_empty();
                if let Some(project) = packages.first_mut() {
                    let name = if package.name.is_empty() {
                        "."
                    } else {
                        &package.name
                    };
                    *project = Package {
                        name: name.to_owned(),
                        ..package
                    };
                }
                0
            }
            false => {
                packages.push(package);
                packages.len() - 1
            }
        };
        let wanted = node::wanted(manifest).into_iter();
        self.wanted
            .extend(wanted.map(|wanted| (index, path.to_owned(), wanted)));
        folders
    }

    fn roots(&self, lookup: &Lookup) -> Result<Vec<(usize, Dependency)>> {
        let mut roots = Vec::new();
        for (from, path, wanted) in &self.wanted {
            let arrow = match lookup.find(&wanted.name, &wanted.constraint) {
                Some(package) => node::arrow(package, &wanted.constraint),
                // Members are not in the lock file, and may be what is asked for.
                None if wanted.may_lack || self.has_members => continue,
                None => {
                    let problem = node::lacking("the project", &wanted.name, &wanted.constraint);
                    return Err(Error::failure(format!("{path}:{}: {problem}", wanted.line))
                        .hint(format!("write it anew: {REMEDY}")));
                }
            };
            let group = Some(wanted.group.to_owned());
            roots.push((*from, Dependency { group, ..arrow }));
        }
        Ok(roots)
    }
}

/// Packages by the pattern that asked for them.
#[derive(Default)]
struct Lookup {
    by_pattern: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
    /// Whether another range of the same name will do: the manifest overrides some, or may.
    by_name_too: bool,
}

impl Lookup {
    fn add(&mut self, entry: &Entry, index: usize) -> std::result::Result<(), String> {
        for pattern in &entry.patterns {
            if self.by_pattern.insert(pattern.clone(), index).is_some() {
                return Err(format!("{:?} is there twice", shortened(pattern)));
            }
            let (name, _) = node::name_and_range(pattern);
            self.by_name.entry(name.to_owned()).or_insert(index);
        }
        Ok(())
    }

    fn find(&self, name: &str, constraint: &str) -> Option<usize> {
        let exact = match constraint {
            "" => self
                .by_pattern
                .get(name)
                .or_else(|| self.by_pattern.get(&format!("{name}@"))),
            _ => self.by_pattern.get(&format!("{name}@{constraint}")),
        };
        let any = || self.by_name.get(name).filter(|_| self.by_name_too);
        exact.or_else(any).copied()
    }
}

fn arrows(input: &Input<'_>, entry: &Entry, lookup: &Lookup) -> Result<Vec<Dependency>> {
    let mut arrows = Vec::with_capacity(entry.dependencies.len());
    for asked in &entry.dependencies {
        match lookup.find(&asked.name, &asked.constraint) {
            Some(package) => arrows.push(node::arrow(package, &asked.constraint)),
            None if asked.may_lack => {}
            None => {
                let who = entry.patterns.first().map_or("", String::as_str);
                let problem = node::lacking(who, &asked.name, &asked.constraint);
                return Err(node::damaged(input, asked.line, &problem, REMEDY));
            }
        }
    }
    Ok(arrows)
}

fn package(entry: &Entry) -> std::result::Result<Package, String> {
    let first = entry.patterns.first().map_or("", String::as_str);
    let wrong = |problem: &str| format!("{}: {problem}", shortened(first));
    let mut name = None;
    let mut other = None;
    let mut path = None;
    for pattern in &entry.patterns {
        let (written, range) = node::name_and_range(pattern);
        let range = range.unwrap_or_default();
        let real = node::alias(range).map_or(written, |(real, _)| real);
        if name.replace(real).is_some_and(|before| before != real) {
            return Err(wrong("its patterns stand for different packages"));
        }
        if real != written {
            other = Some(written);
        }
        let is_path = ["file:", "link:", "./", "../", "/"]
            .iter()
            .any(|begin| range.starts_with(begin));
        path = path.or(is_path.then_some(range));
    }
    let name = name
        .filter(|name| node::is_name(name))
        .ok_or_else(|| wrong("there is no name in it"))?;
    let version = entry
        .value("version")
        .ok_or_else(|| wrong("there is no `version`"))?;
    if !node::is_version(version) {
        return Err(wrong("this is no version"));
    }
    let resolved = entry.value("resolved");
    let source = match (resolved, path) {
        (Some(address), _) => node::source_of(address, name, version),
        (None, Some(path)) => {
            let folder = path.strip_prefix("file:").or(path.strip_prefix("link:"));
            let path = folder.unwrap_or(path).to_owned();
            Source::Path { path }
        }
        (None, None) => Source::Registry { url: None },
    };
    let mut digests = node::integrity(entry.value("integrity"));
    if digests.is_empty() && matches!(source, Source::Registry { .. }) {
        digests.extend(resolved.and_then(sha1));
    }
    Ok(Package {
        name: name.to_owned(),
        alias: other.map(str::to_owned),
        version: version.to_owned(),
        line: entry.line,
        source,
        groups: Vec::new(),
        scope: Scope::Ships,
        dependencies: Vec::new(),
        digests,
        license: None,
    })
}

/// Before Yarn 1.10 the digest stood behind the address.
fn sha1(resolved: &str) -> Option<String> {
    let (_, digest) = resolved.split_once('#')?;
    let is_digest = digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| format!("sha1:{digest}"))
}
