//! `package-lock.json` and `npm-shrinkwrap.json`: lockfileVersion 1, 2 and 3.
//!
//! Source: npm's documentation of package-lock.json and what its library Arborist writes. Version
//! 1 nests the packages; it is turned into the flat list of paths that 2 and 3 have, so that one
//! reader serves all. Version 2 has both, and its `packages` are what npm itself reads.

mod package;
mod tree;

use std::borrow::Cow;

use super::json::{self, Json, Object};
use super::node::{self, Wanted};
use super::shown::shortened;
use super::{Act, Dependency, Ecosystem, Input, Kind, Lock, Package, Source, Update};
use crate::error::{Error, Result};
use tree::{FOLDER, Tree};

/// The command that writes the lock file anew.
const REMEDY: &str = "npm install --package-lock-only";

/// npm's lock files.
pub static KIND: Kind = Kind {
    name: "package-lock.json",
    ecosystem: Ecosystem::Npm,
    remedy: REMEDY,
    matches: |name| matches!(name, "package-lock.json" | "npm-shrinkwrap.json"),
    read,
    update,
};

/// npm keeps a package in the section of the manifest in which it is.
fn update(update: &Update<'_>) -> Act {
    const LOCK: &str = "--package-lock-only";
    match update.raises() {
        true => Act::run(&["npm", "install", LOCK, &update.at()]),
        false => Act::run(&["npm", "update", LOCK, update.barrier(), update.package]),
    }
}

/// Which of the two shapes the file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Version 1: nested `dependencies`, `requires`.
    Nested,
    /// Versions 2 and 3: `packages` by path.
    Flat,
}

/// One entry of the file, by the path at which it is installed; empty for the project itself.
struct Entry<'text> {
    path: Cow<'text, str>,
    line: usize,
    object: &'text Object<'text>,
}

impl Entry<'_> {
    fn is_link(&self) -> bool {
        self.object.is_true("link")
    }

    /// Whether it lies in a `node_modules`; the project and its members do not.
    fn is_installed(&self) -> bool {
        tree::split(&self.path).is_some()
    }

    /// The problem for people, with the entry's place.
    fn error(&self, input: &Input<'_>, problem: &str) -> Error {
        let path = match self.path.is_empty() {
            true => Cow::Borrowed("the project itself"),
            false => shortened(&self.path).into(),
        };
        node::damaged(input, self.line, &format!("{path}: {problem}"), REMEDY)
    }
}

fn read(input: &Input<'_>) -> Result<Lock> {
    node::refuse_conflicts(input, REMEDY)?;
    let top = json::object(input.text, input.path.as_str())
        .map_err(|error| error.hint(format!("write it anew: {REMEDY}")))?;
    let (format, shape) = shape(&top, input)?;
    let entries = match shape {
        Shape::Nested => nested_entries(&top, input)?,
        Shape::Flat => flat_entries(&top, input)?,
    };
    let mut reading = Reading::new(input, shape, &entries)?;
    reading.connect()?;
    let packages = top.object("packages").filter(|_| shape == Shape::Flat);
    if packages.is_none_or(|packages| packages.get("").is_none()) {
        reading.begin()?;
    }
    reading.name_project(&top);
    Ok(Lock {
        ecosystem: Ecosystem::Npm,
        format,
        packages: reading.packages,
        roots: reading.roots,
        notes: reading.notes,
    })
}

fn shape(top: &Object<'_>, input: &Input<'_>) -> Result<(String, Shape)> {
    let Some(member) = top.member("lockfileVersion") else {
        let problem =
            "there is no lockfileVersion, so it is no lock file or one of an npm before 5";
        return Err(node::damaged(input, 1, problem, REMEDY));
    };
    let is = |version: f64| member.value == Json::Number(version);
    match () {
        () if is(1.0) => Ok(("1".to_owned(), Shape::Nested)),
        () if is(2.0) => Ok(("2".to_owned(), Shape::Flat)),
        () if is(3.0) => Ok(("3".to_owned(), Shape::Flat)),
        () => Err(node::damaged(
            input,
            member.line,
            "this lockfileVersion is not known; this tool reads 1, 2 and 3",
            "npm install --package-lock-only --lockfile-version 3",
        )),
    }
}

/// The entries of version 1: the project, then each package before those nested in it.
fn nested_entries<'text>(
    top: &'text Object<'text>,
    input: &Input<'_>,
) -> Result<Vec<Entry<'text>>> {
    let mut entries = vec![Entry {
        path: Cow::Borrowed(""),
        line: 1,
        object: top,
    }];
    // The last is read first. Depth is bounded by that of the JSON.
    let mut open: Vec<Entry<'text>> = Vec::new();
    nested(&entries[0], input, &mut open)?;
    while let Some(entry) = open.pop() {
        nested(&entry, input, &mut open)?;
        entries.push(entry);
    }
    Ok(entries)
}

fn nested<'text>(
    parent: &Entry<'text>,
    input: &Input<'_>,
    open: &mut Vec<Entry<'text>>,
) -> Result<()> {
    let Some(member) = parent.object.member("dependencies") else {
        return Ok(());
    };
    let Json::Object(inner) = &member.value else {
        let problem = "`dependencies` is no object";
        return Err(node::damaged(input, member.line, problem, REMEDY));
    };
    for member in inner.members.iter().rev() {
        let slash = if parent.path.is_empty() { "" } else { "/" };
        let path = format!("{}{slash}{FOLDER}{}", parent.path, member.key);
        open.push(entry(Cow::Owned(path), member, input)?);
    }
    Ok(())
}

/// The entries of versions 2 and 3, the project first.
fn flat_entries<'text>(top: &'text Object<'text>, input: &Input<'_>) -> Result<Vec<Entry<'text>>> {
    let Some(packages) = top.object("packages") else {
        return Err(node::damaged(input, 1, "there is no `packages`", REMEDY));
    };
    let mut entries = Vec::with_capacity(packages.members.len() + 1);
    if packages.get("").is_none() {
        entries.push(Entry {
            path: Cow::Borrowed(""),
            line: 1,
            object: top,
        });
    }
    for member in &packages.members {
        entries.push(entry(Cow::Borrowed(&*member.key), member, input)?);
    }
    Ok(entries)
}

fn entry<'text>(
    path: Cow<'text, str>,
    member: &'text json::Member<'text>,
    input: &Input<'_>,
) -> Result<Entry<'text>> {
    let problem = match &member.value {
        _ if !tree::is_bounded(&path) => "the path is too long or too deep",
        _ if path.contains(char::is_control) => "there is a control character in the path",
        Json::Object(object) => {
            return Ok(Entry {
                path,
                line: member.line,
                object,
            });
        }
        _ => "not an object",
    };
    let problem = format!("{:?}: {problem}", shortened(&path));
    Err(node::damaged(input, member.line, &problem, REMEDY))
}

/// A lock file in the making.
struct Reading<'a> {
    input: &'a Input<'a>,
    shape: Shape,
    entries: &'a [Entry<'a>],
    tree: Tree<'a>,
    packages: Vec<Package>,
    /// For each entry its package; a link has that of its target.
    package_of: Vec<usize>,
    roots: Vec<Dependency>,
    notes: Vec<String>,
}

impl<'a> Reading<'a> {
    fn new(input: &'a Input<'a>, shape: Shape, entries: &'a [Entry<'a>]) -> Result<Self> {
        let tree = Tree::new(entries.iter().map(|entry| &*entry.path));
        let mut packages = Vec::with_capacity(entries.len());
        let mut package_of = vec![usize::MAX; entries.len()];
        let mut bundled = 0;
        for (entry, place) in entries.iter().zip(&mut package_of) {
            if entry.is_link() && tree.entry(package::target(entry)).is_some() {
                continue;
            }
            *place = packages.len();
            packages.push(package::package(input, shape, entry)?);
            bundled += usize::from(package::is_bundled(entry));
        }
        for (index, entry) in entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.is_link())
        {
            let target = tree.entry(package::target(entry));
            if let Some(target) = target.and_then(|target| package_of.get(target).copied()) {
                package_of[index] = target;
            }
        }
        let mut notes = Vec::new();
        if bundled > 0 {
            notes.push(format!(
                "{bundled} packages lie inside of other packages' archives; they are taken for \
                 what the registry has under their names and versions"
            ));
        }
        Ok(Reading {
            input,
            shape,
            entries,
            tree,
            packages,
            package_of,
            roots: Vec::new(),
            notes,
        })
    }

    /// Draws the arrows, as Node finds packages: in the nearest `node_modules` upwards.
    fn connect(&mut self) -> Result<()> {
        let mut lost = 0;
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.is_link() || (self.shape == Shape::Nested && entry.path.is_empty()) {
                continue;
            }
            let chain = self.tree.chain(&entry.path);
            let mut arrows = Vec::new();
            for wanted in self.wanted(entry) {
                let found = Tree::find(&chain, &wanted.name);
                let found = found.and_then(|found| self.package_of.get(found).copied());
                match found {
                    Some(found) => arrows.push((found, wanted)),
                    None if package::is_bundled(entry) => lost += 1,
                    None if may_lack(entry, &wanted) => {}
                    None => return Err(self.lacking(entry, &wanted)),
                }
            }
            self.draw(self.package_of[index], &arrows);
        }
        if lost > 0 {
            self.notes.push(format!(
                "bundled packages ask for {lost} others that the lock file does not have"
            ));
        }
        Ok(())
    }

    fn lacking(&self, entry: &Entry<'_>, wanted: &Wanted) -> Error {
        let who = match entry.path.is_empty() {
            true => "the project itself",
            false => &entry.path,
        };
        let problem = node::lacking(who, &wanted.name, &wanted.constraint);
        node::damaged(self.input, wanted.line, &problem, REMEDY)
    }

    /// What an entry asks for.
    fn wanted(&self, entry: &Entry<'_>) -> Vec<Wanted> {
        if self.shape == Shape::Flat {
            let mut list = node::wanted(entry.object);
            list.retain(|wanted| wanted.group != "dev" || !entry.is_installed());
            return list;
        }
        let requires = entry.object.object("requires");
        let members = requires.into_iter().flat_map(|requires| &requires.members);
        members
            .filter_map(|member| match &member.value {
                Json::Text(constraint) => Some(Wanted {
                    name: member.key.to_string(),
                    constraint: constraint.to_string(),
                    group: "main",
                    may_lack: false,
                    line: member.line,
                }),
                _ => None,
            })
            .collect()
    }

    /// Adds arrows to a package, and as beginnings if it is the project's own.
    fn draw(&mut self, from: usize, arrows: &[(usize, Wanted)]) {
        let Some(package) = self.packages.get_mut(from) else {
            return;
        };
        let is_own = matches!(package.source, Source::Workspace { .. });
        for (to, wanted) in arrows {
            let arrow = node::arrow(*to, &wanted.constraint);
            package.dependencies.push(arrow.clone());
            if is_own {
                let group = Some(wanted.group.to_owned());
                self.roots.push(Dependency { group, ..arrow });
            }
        }
    }

    /// The project's entry may go without a name that the file itself has.
    fn name_project(&mut self, top: &Object<'_>) {
        let name = top.text("name").filter(|name| node::is_name(name));
        if let (Some(project), Some(name)) = (self.packages.first_mut(), name)
            && project.name == "."
        {
            name.clone_into(&mut project.name);
        }
    }

    /// The beginnings where the lock file itself does not hold them.
    fn begin(&mut self) -> Result<()> {
        let arrows = node::with_manifest(self.input, "", |manifest, path| {
            self.asked_by(manifest, path)
        })?;
        match arrows {
            Some(arrows) => self.draw(0, &arrows),
            None if self.packages.len() > 1 => self.guess(),
            None => {}
        }
        Ok(())
    }

    fn asked_by(&self, manifest: &Object<'_>, path: &str) -> Result<Vec<(usize, Wanted)>> {
        let chain = self.tree.chain("");
        let mut arrows = Vec::new();
        for wanted in node::wanted(manifest) {
            let found = Tree::find(&chain, &wanted.name);
            match found.and_then(|found| self.package_of.get(found).copied()) {
                Some(found) => arrows.push((found, wanted)),
                None if wanted.may_lack => {}
                None => {
                    let problem = node::lacking("the project", &wanted.name, &wanted.constraint);
                    return Err(Error::failure(format!("{path}:{}: {problem}", wanted.line))
                        .hint(format!("write it anew: {REMEDY}")));
                }
            }
        }
        Ok(arrows)
    }

    /// Without a manifest: what nothing else asks for must be what the project asks for.
    fn guess(&mut self) {
        let mut objects = vec![None; self.packages.len()];
        for (package, entry) in self.package_of.iter().zip(self.entries) {
            if let Some(object) = objects.get_mut(*package) {
                *object = Some(entry.object);
            }
        }
        let flags = |index: usize| match objects.get(index).copied().flatten() {
            Some(object) if object.is_true("dev") => "dev",
            Some(object) if object.is_true("optional") => "optional",
            Some(object) if object.is_true("peer") => "peer",
            _ => "main",
        };
        let mut roots = node::unasked(&self.packages, flags);
        roots.retain(|root| root.package != 0);
        if let Some(project) = self.packages.first_mut() {
            let arrows = roots.iter().cloned();
            let bare = |arrow| Dependency {
                group: None,
                ..arrow
            };
            project.dependencies = arrows.map(bare).collect();
        }
        self.roots = roots;
        self.notes.push(
            "package.json is not beside it, so the packages that no other asks for are taken for \
             what the project asks for"
                .to_owned(),
        );
    }
}

/// Whether an entry gets along without what it asks for. What only members and linked folders
/// develop with need not be installed.
fn may_lack(entry: &Entry<'_>, wanted: &Wanted) -> bool {
    wanted.may_lack
        || (wanted.group == "dev" && !entry.path.is_empty())
        || entry.path.starts_with("..")
}

#[cfg(test)]
mod tests;
