//! A bill's packages and arrows, joined over all lock files; what all documents are written
//! from. Pure.
//!
//! A package that is in several lock files, or several times in one (npm nests copies), is one
//! component: its places, digests, groups and dependencies are united. It ships if any of them
//! does.

use std::collections::{BTreeMap, BTreeSet};

use super::hash::{self, Hash};
use super::license::{self, License};
use super::{Bill, Declared, Development, LockFile, address, purl};
use crate::artifact::Artifact;
use crate::lockfile::{Ecosystem, Package, Scope, Source};

mod entries;

/// The joined bill.
pub struct Graph<'input> {
    /// The product's reference.
    pub product: String,
    /// The product's source as an address that clients of git understand.
    pub origin: Option<String>,
    /// The built artifacts, by reference.
    pub parts: BTreeMap<String, Part<'input>>,
    /// The packages, by reference.
    pub components: BTreeMap<String, Component>,
    /// What the product needs itself: its artifacts, and packages whose artifact was not built.
    pub needs: BTreeSet<String>,
    /// What those who work on the product ask for.
    pub development: BTreeSet<String>,
    /// What the lock files that no artifact carries begin with.
    pub tools: BTreeSet<String>,
    /// What is known of the product's own arrows.
    pub knowledge: Knowledge,
}

/// A built artifact.
pub struct Part<'input> {
    /// The artifact.
    pub artifact: &'input Artifact,
    /// The artifacts inside of it.
    pub holds: BTreeSet<String>,
    /// The packages it asks for.
    pub needs: BTreeSet<String>,
    /// What is known of its arrows.
    pub knowledge: Knowledge,
}

/// A package.
pub struct Component {
    /// Whose.
    pub ecosystem: Ecosystem,
    /// Its name in the registry.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
    /// Its package URL, in the form of the specification.
    pub purl: String,
    /// Where it comes from.
    pub source: Source,
    /// Whether it reaches users.
    pub ships: bool,
    /// Its license with where that was read, and the text there.
    pub license: Option<(License, Declared)>,
    /// The digests of its files.
    pub hashes: BTreeSet<Hash>,
    /// Where it is locked.
    pub places: BTreeSet<Place>,
    /// The groups that bring it.
    pub groups: BTreeSet<String>,
    /// Other names under which it is installed.
    pub aliases: BTreeSet<String>,
    /// What it depends on.
    pub needs: BTreeSet<String>,
    /// What is known of these arrows.
    pub knowledge: Knowledge,
}

/// A lock file's line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The lock file.
    pub lock: String,
    /// The line.
    pub line: usize,
}

/// What is known of something's arrows, from least to most. Of a package the most counts that
/// any lock file says, of what several lock files belong to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knowledge {
    /// Nothing: its lock file does not say what depends on what.
    Unknown,
    /// A part of them.
    Incomplete,
    /// All of them.
    Complete,
}

impl<'input> Graph<'input> {
    /// Joins a bill.
    pub fn of(bill: &Bill<'input>) -> Graph<'input> {
        let product = &bill.product;
        let repository = product.repository.as_deref();
        let mut graph = Graph {
            product: format!("product:{}@{}", product.name, product.version),
            origin: repository.and_then(|url| address::git(url, Some(&product.commit))),
            parts: parts(bill),
            components: BTreeMap::new(),
            needs: BTreeSet::new(),
            development: BTreeSet::new(),
            tools: BTreeSet::new(),
            knowledge: Knowledge::Complete,
        };
        graph.needs.extend(graph.parts.keys().cloned());
        let mut locks: Vec<&LockFile<'_>> = bill.locks.iter().collect();
        locks.sort_by(|one, other| one.path.cmp(&other.path));
        for lock in locks {
            graph.add(bill, lock);
        }
        graph
    }

    fn add(&mut self, bill: &Bill<'_>, file: &LockFile<'_>) {
        let carried = !file.carried_by.is_empty();
        let own = entries::own(file);
        let ships = |package: &Package| carried && package.scope == Scope::Ships;
        let left_out =
            |package: &Package| bill.development == Development::LeftOut && !ships(package);
        let reference = |(index, package): (usize, &Package)| {
            let absent = own == Some(index) || left_out(package);
            (!absent).then(|| self.purl(file, package).to_string())
        };
        let packages = &file.lock.packages;
        let references: Vec<Option<String>> = packages.iter().enumerate().map(reference).collect();
        if packages.iter().any(left_out) {
            self.knowledge = self.knowledge.min(Knowledge::Incomplete);
        }
        let target = |index: usize| references.get(index).cloned().flatten();
        let knowledge = entries::knowledge(file);
        for (package, reference) in packages.iter().zip(&references) {
            if let Some(reference) = reference {
                let mut component = self.component(bill, file, package);
                component.ships = ships(package);
                component.knowledge = knowledge;
                let arrows = package.dependencies.iter();
                component.needs = arrows.filter_map(|arrow| target(arrow.package)).collect();
                self.join(reference, component);
            }
        }
        self.begin(file, &entries::of(file, own), &target);
    }

    /// Draws the arrows from product and artifacts to what a lock file begins with.
    fn begin(
        &mut self,
        file: &LockFile<'_>,
        entries: &entries::Entries,
        target: &dyn Fn(usize) -> Option<String>,
    ) {
        let named = |indices: &[usize]| -> BTreeSet<String> {
            indices.iter().filter_map(|index| target(*index)).collect()
        };
        let (shipping, development) = (named(&entries.shipping), named(&entries.development));
        if file.carried_by.is_empty() {
            self.tools.extend(shipping);
            self.tools.extend(development);
            self.knowledge = self.knowledge.min(entries.knowledge);
            return;
        }
        self.development.extend(development);
        let mut carriers = self.parts.values_mut();
        let mut carried = false;
        for part in carriers
            .by_ref()
            .filter(|part| file.carried_by.contains(&part.artifact.kind))
        {
            part.needs.extend(shipping.iter().cloned());
            part.knowledge = part.knowledge.min(entries.knowledge);
            carried = true;
        }
        if !carried {
            self.needs.extend(shipping);
            self.knowledge = self.knowledge.min(entries.knowledge);
        }
    }

    fn join(&mut self, reference: &str, new: Component) {
        let Some(old) = self.components.get_mut(reference) else {
            self.components.insert(reference.to_owned(), new);
            return;
        };
        old.ships |= new.ships;
        old.license = old.license.take().or(new.license);
        old.hashes.extend(new.hashes);
        old.places.extend(new.places);
        old.groups.extend(new.groups);
        old.aliases.extend(new.aliases);
        old.needs.extend(new.needs);
        old.knowledge = old.knowledge.max(new.knowledge);
    }

    fn purl(&self, file: &LockFile<'_>, package: &Package) -> purl::Purl {
        let named = (package.name.as_str(), package.version.as_str());
        let origin = self.origin.as_deref();
        purl::of(
            file.lock.ecosystem,
            named,
            &package.source,
            &file.path,
            origin,
        )
    }

    fn component(&self, bill: &Bill<'_>, file: &LockFile<'_>, package: &Package) -> Component {
        Component {
            ecosystem: file.lock.ecosystem,
            name: package.name.clone(),
            version: package.version.clone(),
            purl: self.purl(file, package).canonical().to_string(),
            source: package.source.clone(),
            ships: true,
            license: license(bill, file, package),
            hashes: package
                .digests
                .iter()
                .flat_map(|text| hash::read(text))
                .collect(),
            places: BTreeSet::from([Place {
                lock: file.path.clone(),
                line: package.line,
            }]),
            groups: package.groups.iter().cloned().collect(),
            aliases: package.alias.iter().cloned().collect(),
            needs: BTreeSet::new(),
            knowledge: Knowledge::Complete,
        }
    }
}

fn parts<'input>(bill: &Bill<'input>) -> BTreeMap<String, Part<'input>> {
    let reference = |artifact: &Artifact| format!("artifact:{}", artifact.path);
    let holds = |outer: &Artifact| {
        let inside = |inner: &&Artifact| {
            let fits = |one: &super::Embedded| one.outer == outer.kind && one.inner == inner.kind;
            inner.path != outer.path && bill.embedded.iter().any(fits)
        };
        bill.artifacts
            .iter()
            .filter(inside)
            .map(reference)
            .collect()
    };
    let part = |artifact: &'input Artifact| {
        let part = Part {
            artifact,
            holds: holds(artifact),
            needs: BTreeSet::new(),
            knowledge: Knowledge::Complete,
        };
        (reference(artifact), part)
    };
    bill.artifacts.iter().map(part).collect()
}

fn license(bill: &Bill<'_>, file: &LockFile<'_>, package: &Package) -> Option<(License, Declared)> {
    let key = (
        file.lock.ecosystem,
        package.name.clone(),
        package.version.clone(),
    );
    let found = bill.licenses.get(&key).cloned();
    let locked = package.license.as_ref().map(|text| Declared {
        text: text.clone(),
        origin: file.path.clone(),
    });
    let read = |declared: Declared| Some((license::read(&declared.text)?, declared));
    found.and_then(read).or_else(|| locked.and_then(read))
}
