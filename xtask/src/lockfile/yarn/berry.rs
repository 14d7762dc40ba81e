//! Yarn 2 and later: YAML whose keys are lists of what was asked for.
//!
//! Source: `yarnpkg-core/sources/Project.ts` and `structUtils.ts` of `yarnpkg/berry`. Versions 4
//! (Yarn 2) to 9 (Yarn 4.14) are written alike. The `checksum` is that of the archive that Yarn
//! itself packs for its cache, not of the registry's, so it is no digest of the package.

use std::collections::HashMap;

use super::super::json::{Json, Member, Object};
use super::super::node::{self, Wanted};
use super::super::shown::{shortened, without_secrets};
use super::super::{Dependency, Input, Lock, Package, Scope, Source, yaml};
use super::{REMEDY, finish, overrides};
use crate::error::{Error, Result};

/// The versions of the format that are read.
const VERSIONS: std::ops::RangeInclusive<u32> = 4..=9;

/// How often a package may be patched upon a patch.
const PATCHES: usize = 4;

/// The key that is no package.
const METADATA: &str = "__metadata";

/// Reads a lock file of Yarn 2 or later.
pub fn read(input: &Input<'_>) -> Result<Lock> {
    let top = yaml::object(input.text, input.path.as_str())
        .map_err(|error| error.hint(format!("write it anew: {REMEDY}")))?;
    let format = version(&top, input)?;
    let mut reading = Reading {
        input,
        packages: Vec::new(),
        by_descriptor: HashMap::new(),
        by_name: HashMap::new(),
        unbound: HashMap::new(),
        patched: HashMap::new(),
        by_name_too: true,
        own: Vec::new(),
        notes: Vec::new(),
    };
    let root = node::with_manifest(input, "", |manifest, _| Ok(overrides(manifest)))?;
    reading.by_name_too = root.unwrap_or(true);
    let entries: Vec<&Member<'_>> = top
        .members
        .iter()
        .filter(|member| member.key != METADATA)
        .collect();
    for entry in &entries {
        reading.add(entry)?;
    }
    for (index, entry) in entries.iter().enumerate() {
        reading.connect(index, entry)?;
    }
    Ok(finish(
        format,
        reading.packages,
        &reading.own,
        reading.notes,
    ))
}

fn version(top: &Object<'_>, input: &Input<'_>) -> Result<String> {
    let line = top.member(METADATA).map_or(1, |member| member.line);
    let metadata = top.object(METADATA);
    let version = metadata
        .and_then(|metadata| metadata.text("version"))
        .unwrap_or_default();
    let is_known = version
        .parse()
        .is_ok_and(|version| VERSIONS.contains(&version));
    if !is_known {
        let problem = "this version in __metadata is not known; this tool reads 4 to 9";
        return Err(node::damaged(input, line, problem, REMEDY));
    }
    Ok(version.to_owned())
}

/// A lock file in the making.
struct Reading<'a> {
    input: &'a Input<'a>,
    packages: Vec<Package>,
    by_descriptor: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
    /// Folders and archives on the disk, without who asks for them.
    unbound: HashMap<String, usize>,
    /// Patched packages by what they patch.
    patched: HashMap<String, usize>,
    /// Whether another range of the same name will do: the manifest overrides some, or may.
    by_name_too: bool,
    /// What the project and its members ask for, with the package that asks.
    own: Vec<(usize, Dependency)>,
    notes: Vec<String>,
}

impl Reading<'_> {
    fn wrong(&self, entry: &Member<'_>, problem: &str) -> Error {
        let problem = format!("{:?}: {problem}", shortened(&entry.key));
        node::damaged(self.input, entry.line, &problem, REMEDY)
    }

    fn add(&mut self, entry: &Member<'_>) -> Result<()> {
        let index = self.packages.len();
        let package = self.package(entry)?;
        for descriptor in descriptors(entry) {
            let normal = normal(descriptor);
            let (name, _) = node::name_and_range(&normal);
            self.by_name.entry(name.to_owned()).or_insert(index);
            if let Some(inner) = unwrapped(&normal) {
                self.patched.insert(inner, index);
            }
            if let Some((unbound, _)) = normal.split_once("::") {
                let unbound = unbound.to_owned();
                self.unbound.entry(unbound).or_insert(index);
            }
            if self.by_descriptor.insert(normal, index).is_some() {
                return Err(self.wrong(entry, "what it is for is there twice"));
            }
        }
        self.packages.push(package);
        Ok(())
    }

    fn package(&self, entry: &Member<'_>) -> Result<Package> {
        let Json::Object(object) = &entry.value else {
            return Err(self.wrong(entry, "not a mapping"));
        };
        let Some(resolution) = object.text("resolution") else {
            return Err(self.wrong(entry, "there is no `resolution`"));
        };
        let mut resolution = resolution.to_owned();
        for _ in 0..PATCHES {
            match unwrapped(&resolution) {
                Some(inner) => resolution = inner,
                None => break,
            }
        }
        let (name, reference) = node::name_and_range(&resolution);
        let reference = reference.unwrap_or_default();
        let reference = reference.split("::").next().unwrap_or(reference);
        let locked = reference.strip_prefix("npm:");
        let version = object.text("version").or(locked).unwrap_or_default();
        if !node::is_name(name) {
            return Err(self.wrong(entry, "there is no name in its `resolution`"));
        }
        if !node::is_version(version) {
            return Err(self.wrong(entry, "there is no version in it"));
        }
        let installed = descriptors(entry).map(|one| node::name_and_range(one).0);
        Ok(Package {
            alias: installed
                .into_iter()
                .find(|one| *one != name)
                .map(str::to_owned),
            name: name.to_owned(),
            version: version.to_owned(),
            line: entry.line,
            source: source(reference, name, version),
            groups: Vec::new(),
            scope: Scope::Ships,
            dependencies: Vec::new(),
            digests: Vec::new(),
            license: None,
        })
    }

    fn connect(&mut self, index: usize, entry: &Member<'_>) -> Result<()> {
        let Json::Object(object) = &entry.value else {
            return Ok(());
        };
        let folder = match self.packages.get(index).map(|package| &package.source) {
            Some(Source::Workspace { path }) => Some(path.clone()),
            _ => None,
        };
        let groups = match &folder {
            Some(folder) => self.groups(entry, folder, object)?,
            None => HashMap::new(),
        };
        let mut arrows = Vec::new();
        for descriptor in descriptors(entry) {
            let patched = unwrapped(&normal(descriptor));
            let base = patched.and_then(|inner| self.by_descriptor.get(&inner).copied());
            arrows.extend(
                base.filter(|base| *base != index)
                    .map(|base| node::arrow(base, "")),
            );
        }
        for wanted in wanted(object) {
            let Some(to) = self.find(index, &wanted) else {
                if wanted.may_lack {
                    continue;
                }
                let problem = node::lacking(&entry.key, &wanted.name, &wanted.constraint);
                return Err(node::damaged(self.input, wanted.line, &problem, REMEDY));
            };
            let arrow = arrow(to, &wanted.constraint);
            match folder {
                None => arrows.push(arrow),
                Some(_) => {
                    let group = groups.get(&wanted.name).copied().unwrap_or("main");
                    let group = Some(group.to_owned());
                    self.own.push((index, Dependency { group, ..arrow }));
                }
            }
        }
        if let Some(package) = self.packages.get_mut(index) {
            package.dependencies = arrows;
        }
        Ok(())
    }

    /// The groups of what a project asks for, which only its manifest knows.
    fn groups(
        &mut self,
        entry: &Member<'_>,
        folder: &str,
        object: &Object<'_>,
    ) -> Result<HashMap<String, &'static str>> {
        let manifest = node::with_manifest(self.input, folder, |manifest, path| {
            Ok((node::wanted(manifest), path.to_owned()))
        })?;
        let Some((asked, path)) = manifest else {
            self.notes.push(format!(
                "the manifest of {folder} is not there, so all that it asks for counts as shipped"
            ));
            return Ok(HashMap::new());
        };
        let locked: std::collections::HashSet<&str> = object
            .members_of("dependencies")
            .map(|member| &*member.key)
            .collect();
        let mut groups = HashMap::new();
        for one in asked.into_iter().filter(|one| one.group != "peer") {
            if !locked.contains(one.name.as_str()) && !one.may_lack {
                let problem = node::lacking(&entry.key, &one.name, &one.constraint);
                return Err(Error::failure(format!("{path}:{}: {problem}", one.line))
                    .hint(format!("write it anew: {REMEDY}")));
            }
            groups.entry(one.name).or_insert(one.group);
        }
        Ok(groups)
    }

    fn find(&self, from: usize, wanted: &Wanted) -> Option<usize> {
        let descriptor = normal(&format!("{}@{}", wanted.name, wanted.constraint));
        let patched = self
            .patched
            .get(&descriptor)
            .filter(|patched| **patched != from);
        let exact = patched
            .or_else(|| self.by_descriptor.get(&descriptor))
            .or_else(|| self.unbound.get(&descriptor));
        let is_indirect = ["workspace:", "catalog:"]
            .iter()
            .any(|protocol| wanted.constraint.starts_with(protocol));
        let any = || {
            self.by_name
                .get(&wanted.name)
                .filter(|_| self.by_name_too || is_indirect)
        };
        exact.or_else(any).copied()
    }
}

/// What an entry asks for; the file merges all sections but that of peers.
fn wanted(object: &Object<'_>) -> Vec<Wanted> {
    let optional: std::collections::HashSet<&str> = object
        .members_of("dependenciesMeta")
        .filter(|member| {
            member
                .value
                .as_object()
                .is_some_and(|meta| meta.is_true("optional"))
        })
        .map(|member| &*member.key)
        .collect();
    let asked = object.members_of("dependencies");
    asked
        .filter_map(|member| match &member.value {
            Json::Text(constraint) => Some(Wanted {
                name: member.key.to_string(),
                constraint: constraint.to_string(),
                group: "main",
                may_lack: optional.contains(&*member.key),
                line: member.line,
            }),
            _ => None,
        })
        .collect()
}

/// The parts of a key: `a@npm:^1, a@npm:^2`.
fn descriptors<'entry>(entry: &'entry Member<'_>) -> impl Iterator<Item = &'entry str> {
    entry
        .key
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
}

/// A descriptor with its protocol, which older versions leave out: `a@^1` is `a@npm:^1`.
fn normal(descriptor: &str) -> String {
    let (name, range) = node::name_and_range(descriptor);
    let range = range.unwrap_or("*");
    match range.contains([':', '/']) {
        true => format!("{name}@{range}"),
        false => format!("{name}@npm:{range}"),
    }
}

/// An arrow's constraint without the protocol; of an alias only what is behind its name.
fn arrow(to: usize, constraint: &str) -> Dependency {
    let behind = constraint.strip_prefix("npm:").unwrap_or(constraint);
    let range = match node::name_and_range(behind) {
        (_, Some(range)) if behind != constraint => range,
        _ => behind,
    };
    Dependency {
        package: to,
        constraint: Some(without_secrets(range)).filter(|range| !range.is_empty()),
        group: None,
    }
}

/// What a patch patches: `a@patch:a@npm%3A1.0.0#…` is for `a@npm:1.0.0`.
fn unwrapped(locator: &str) -> Option<String> {
    let (_, reference) = node::name_and_range(locator);
    let inner = reference?.strip_prefix("patch:")?;
    let inner = inner.split('#').next().unwrap_or(inner);
    Some(normal(&decoded(inner)?))
}

/// A text without its percent signs.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = behind.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

fn source(reference: &str, name: &str, version: &str) -> Source {
    if reference.starts_with("npm:") {
        return Source::Registry { url: None };
    }
    if let Some(path) = reference.strip_prefix("workspace:") {
        return Source::Workspace {
            path: path.to_owned(),
        };
    }
    let is_git = node::git(reference).is_some();
    let address = match reference.split_once('#') {
        Some((address, _)) if !is_git => address,
        _ => reference,
    };
    match node::source_of(address, name, version) {
        // Nothing but `npm:` is the registry, whatever the address looks like.
        Source::Registry { .. } => Source::Url {
            url: without_secrets(address),
        },
        other => other,
    }
}
