//! `pnpm-lock.yaml`: lockfileVersion 5.x, 6.x and 9.x.
//!
//! Source: pnpm's own specification (`pnpm/spec`, lockfile) and what its packages
//! `dependency-path` and `lockfile-types` do. 5 and 6 mark what is for development; 9 does not,
//! so it is worked out from what the projects ask for.

mod package;

use std::collections::HashMap;

use super::json::{Json, Object};
use super::{Act, Dependency, Ecosystem, Input, Kind, Lock, Package, Scope, Source, Update};
use super::{node, yaml};
use crate::error::{Error, Result};

/// The command that writes the lock file anew.
const REMEDY: &str = "pnpm install --lockfile-only";

/// pnpm's lock file.
pub static KIND: Kind = Kind {
    name: "pnpm-lock.yaml",
    ecosystem: Ecosystem::Npm,
    remedy: REMEDY,
    matches: |name| name == "pnpm-lock.yaml",
    read,
    update,
};

/// Its `update` reaches every depth, and with a version also changes the manifest.
fn update(update: &Update<'_>) -> Act {
    let package = match update.raises() {
        true => update.at(),
        false => update.package.to_owned(),
    };
    Act::run(&["pnpm", "update", "--recursive", update.barrier(), &package])
}

/// How the keys of packages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generation {
    /// `/name/1.0.0_peers`
    Five,
    /// `/name@1.0.0(peers)`
    Six,
    /// `name@1.0.0`, and `snapshots` with the peers.
    Nine,
}

/// The sections of a project or a package, their group, and whether they may lack in the file.
const SECTIONS: [(&str, &str, bool); 3] = [
    ("dependencies", "main", false),
    ("optionalDependencies", "optional", true),
    ("devDependencies", "dev", false),
];

fn read(input: &Input<'_>) -> Result<Lock> {
    node::refuse_conflicts(input, REMEDY)?;
    let top = yaml::object(input.text, input.path.as_str())
        .map_err(|error| error.hint(format!("write it anew: {REMEDY}")))?;
    let (format, generation) = generation(&top, input)?;
    let mut reading = Reading {
        input,
        generation,
        packages: Vec::new(),
        by_key: HashMap::new(),
        by_folder: HashMap::new(),
        roots: Vec::new(),
    };
    let projects = projects(&top);
    for (folder, line, _) in &projects {
        reading.add_project(folder, *line)?;
    }
    for member in top.members_of("packages") {
        let package = package::package(input, generation, member)?;
        reading.by_key.insert(&member.key, reading.packages.len());
        reading.packages.push(package);
    }
    match generation {
        Generation::Nine => reading.connect_snapshots(&top, projects.len())?,
        Generation::Five | Generation::Six => reading.connect_packages(&top)?,
    }
    reading.connect_projects(&projects)?;
    Ok(Lock {
        ecosystem: Ecosystem::Npm,
        format,
        packages: reading.packages,
        roots: reading.roots,
        notes: Vec::new(),
    })
}

fn generation(top: &Object<'_>, input: &Input<'_>) -> Result<(String, Generation)> {
    let Some(member) = top.member("lockfileVersion") else {
        return Err(node::damaged(
            input,
            1,
            "there is no lockfileVersion",
            REMEDY,
        ));
    };
    let text = match &member.value {
        Json::Text(text) => text,
        _ => "",
    };
    let number = text.strip_suffix("-inlineSpecifiers").unwrap_or(text);
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit());
    let generation = match major {
        "5" if is_number => Generation::Five,
        "6" if is_number => Generation::Six,
        "9" if is_number => Generation::Nine,
        _ => {
            let problem = "this lockfileVersion is not known; this tool reads 5.x, 6.x and 9.x";
            return Err(node::damaged(input, member.line, problem, REMEDY));
        }
    };
    Ok((text.to_owned(), generation))
}

/// The projects of the workspace: folder, line, and what each asks for.
fn projects<'tree, 'text>(
    top: &'tree Object<'text>,
) -> Vec<(&'tree str, usize, &'tree Object<'text>)> {
    if top.get("importers").is_none() {
        return vec![(".", 1, top)];
    }
    top.members_of("importers")
        .filter_map(|member| Some((&*member.key, member.line, member.value.as_object()?)))
        .collect()
}

/// A lock file in the making.
struct Reading<'a> {
    input: &'a Input<'a>,
    generation: Generation,
    packages: Vec<Package>,
    by_key: HashMap<&'a str, usize>,
    /// Projects, and folders outside of the workspace that are linked to.
    by_folder: HashMap<String, usize>,
    roots: Vec<Dependency>,
}

/// One thing that a project or a package asks for, and how.
struct Asked<'tree> {
    name: &'tree str,
    reference: &'tree str,
    specifier: Option<&'tree str>,
    group: &'static str,
    may_lack: bool,
    line: usize,
}

impl<'a> Reading<'a> {
    fn damaged(&self, line: usize, problem: &str) -> Error {
        node::damaged(self.input, line, problem, REMEDY)
    }

    /// A project's name and version stand in its manifest only.
    fn add_project(&mut self, folder: &str, line: usize) -> Result<()> {
        let manifest = node::with_manifest(self.input, folder, |manifest, _| {
            let text = |key: &str| manifest.text(key).map(str::to_owned);
            Ok((text("name"), text("version")))
        })?;
        let (name, version) = manifest.unwrap_or_default();
        let name = name.filter(|name| node::is_name(name));
        let version = version.filter(|version| node::is_version(version));
        self.by_folder
            .insert(node::join("", folder), self.packages.len());
        self.packages.push(Package {
            version: version.unwrap_or_default(),
            ..node::folder(
                &name.unwrap_or_else(|| folder.to_owned()),
                line,
                Source::Workspace {
                    path: folder.to_owned(),
                },
            )
        });
        Ok(())
    }

    /// 5 and 6: each package has its arrows in its own entry.
    fn connect_packages(&mut self, top: &Object<'_>) -> Result<()> {
        for member in top.members_of("packages") {
            let (Some(from), Some(object)) = (
                self.by_key.get(&*member.key).copied(),
                member.value.as_object(),
            ) else {
                continue;
            };
            self.connect(from, &member.key, object)?;
        }
        Ok(())
    }

    /// 9: each package has one snapshot for each set of peers; their arrows are put together.
    fn connect_snapshots(&mut self, top: &Object<'_>, projects: usize) -> Result<()> {
        let mut seen = vec![false; self.packages.len()];
        for member in top.members_of("snapshots") {
            let key = without_peers(&member.key);
            let from = self
                .by_key
                .get(&*member.key)
                .or_else(|| self.by_key.get(key));
            let Some(from) = from.copied() else {
                let problem = format!("the snapshot {key} has no package; the file is incomplete");
                return Err(self.damaged(member.line, &problem));
            };
            seen[from] = true;
            if let Some(object) = member.value.as_object() {
                self.connect(from, key, object)?;
            }
        }
        let unseen = seen.iter().skip(projects).position(|seen| !seen);
        match unseen.and_then(|index| self.packages.get(projects + index)) {
            None => Ok(()),
            Some(package) => {
                let Package {
                    name,
                    version,
                    line,
                    ..
                } = package;
                let problem =
                    format!("{name}@{version} has no snapshot; the lock file is incomplete");
                Err(self.damaged(*line, &problem))
            }
        }
    }

    fn connect(&mut self, from: usize, key: &str, object: &Object<'_>) -> Result<()> {
        for (section, group, may_lack) in SECTIONS.into_iter().take(2) {
            for member in object.members_of(section) {
                let Json::Text(reference) = &member.value else {
                    continue;
                };
                let asked = Asked {
                    name: &member.key,
                    reference,
                    specifier: None,
                    group,
                    may_lack,
                    line: member.line,
                };
                if let Some(to) = self.resolve(&asked, "", key)? {
                    self.draw(from, to, &asked);
                }
            }
        }
        Ok(())
    }

    /// What the projects ask for: first what ships, then the scopes, then what they develop with.
    fn connect_projects(&mut self, projects: &[(&str, usize, &Object<'_>)]) -> Result<()> {
        let mut found = Vec::new();
        for (index, (folder, _, object)) in projects.iter().enumerate() {
            for asked in asked(object) {
                if let Some(to) = self.resolve(&asked, folder, folder)? {
                    let constraint = asked.specifier.and_then(node::arrow_constraint);
                    let root = Dependency {
                        package: to,
                        constraint,
                        group: Some(asked.group.to_owned()),
                    };
                    self.name_alias(to, &asked);
                    self.roots.push(root.clone());
                    found.push((index, root));
                }
            }
        }
        let is_dev = |root: &Dependency| root.group.as_deref() == Some("dev");
        let (dev, ships): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, root)| is_dev(root));
        self.give(ships);
        if self.generation == Generation::Nine {
            node::scope_by_reach(&mut self.packages, &self.roots);
        }
        self.give(dev);
        Ok(())
    }

    fn give(&mut self, arrows: Vec<(usize, Dependency)>) {
        for (from, arrow) in arrows {
            if let Some(project) = self.packages.get_mut(from) {
                project.dependencies.push(Dependency {
                    group: None,
                    ..arrow
                });
            }
        }
    }

    fn draw(&mut self, from: usize, to: usize, asked: &Asked<'_>) {
        self.name_alias(to, asked);
        if let Some(package) = self.packages.get_mut(from) {
            let constraint = asked.specifier.and_then(node::arrow_constraint);
            package.dependencies.push(Dependency {
                package: to,
                constraint,
                group: None,
            });
        }
    }

    /// Who asks under another name gets the package under that name.
    fn name_alias(&mut self, to: usize, asked: &Asked<'_>) {
        if let Some(package) = self.packages.get_mut(to)
            && package.name != asked.name
            && package.alias.is_none()
            && !matches!(package.source, Source::Workspace { .. })
        {
            package.alias = Some(asked.name.to_owned());
        }
    }

    /// The package that a reference means; `None` if it lacks and may.
    fn resolve(&mut self, asked: &Asked<'_>, folder: &str, who: &str) -> Result<Option<usize>> {
        let Asked {
            name, reference, ..
        } = *asked;
        if let Some(target) = reference.strip_prefix("link:") {
            return Ok(Some(self.linked(
                name,
                &node::join(folder, target),
                asked.line,
            )));
        }
        let key = match self.generation {
            Generation::Five => format!("/{name}/{reference}"),
            Generation::Six => format!("/{name}@{reference}"),
            Generation::Nine => format!("{name}@{reference}"),
        };
        let mut candidates = vec![key.as_str(), reference];
        if self.generation == Generation::Nine {
            candidates.extend([without_peers(&key), without_peers(reference)]);
        }
        let found = candidates
            .into_iter()
            .find_map(|key| self.by_key.get(key).copied());
        if found.is_none() && !asked.may_lack {
            let problem = node::lacking(who, name, reference);
            return Err(self.damaged(asked.line, &problem));
        }
        Ok(found)
    }

    /// The project in this folder, or a package for a folder that is none.
    fn linked(&mut self, name: &str, folder: &str, line: usize) -> usize {
        let next = self.packages.len();
        let index = *self.by_folder.entry(folder.to_owned()).or_insert(next);
        if index == next {
            let source = Source::Path {
                path: folder.to_owned(),
            };
            self.packages.push(node::folder(name, line, source));
        }
        index
    }
}

/// What a project asks for. 5.x has the references here and the constraints in `specifiers`.
fn asked<'tree>(project: &'tree Object<'_>) -> Vec<Asked<'tree>> {
    let specifiers: HashMap<&str, &Json<'_>> = project
        .members_of("specifiers")
        .map(|member| (&*member.key, &member.value))
        .collect();
    let mut list = Vec::new();
    for (section, group, may_lack) in SECTIONS {
        for member in project.members_of(section) {
            let (reference, specifier) = match &member.value {
                Json::Text(reference) => match specifiers.get(&*member.key) {
                    Some(Json::Text(specifier)) => (&**reference, Some(&**specifier)),
                    _ => (&**reference, None),
                },
                Json::Object(object) => (
                    object.text("version").unwrap_or_default(),
                    object.text("specifier"),
                ),
                _ => ("", None),
            };
            list.push(Asked {
                name: &member.key,
                reference,
                specifier,
                group,
                may_lack,
                line: member.line,
            });
        }
    }
    list
}

/// `name@1.0.0(peer@2.0.0)` is `name@1.0.0`.
fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or(key)
}

#[cfg(test)]
mod tests;
