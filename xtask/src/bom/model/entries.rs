//! What a lock file begins with, and how much it says about arrows. Pure.

use std::collections::BTreeSet;

use super::Knowledge;
use crate::bom::LockFile;
use crate::lockfile::{Lock, Package, Scope, Source};

/// What a lock file begins with, by index.
pub struct Entries {
    /// What the artifact asks for.
    pub shipping: Vec<usize>,
    /// What those who work on it ask for.
    pub development: Vec<usize>,
    /// Whether that is said, or had to be found.
    pub knowledge: Knowledge,
}

/// The project itself among the packages, if an artifact of it is in the bill: the artifact
/// stands for it.
pub fn own(file: &LockFile<'_>) -> Option<usize> {
    if file.carried_by.is_empty() {
        return None;
    }
    let here = |package: &Package| matches!(&package.source, Source::Workspace { path } if matches!(path.as_str(), "" | "."));
    let mut found = (file.lock.packages.iter().enumerate()).filter(|(_, package)| here(package));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

/// What the lock file says about arrows between its packages. Requirements files say nothing,
/// and where not one of several packages has an arrow, nothing is taken for said.
pub fn knowledge(file: &LockFile<'_>) -> Knowledge {
    let packages = &file.lock.packages;
    let silent = packages
        .iter()
        .all(|package| package.dependencies.is_empty());
    let list = file.path.ends_with(".txt") || file.path.ends_with(".in");
    if silent && (list || packages.len() > 1) {
        Knowledge::Unknown
    } else {
        Knowledge::Complete
    }
}

/// Finds the beginnings. When the file names none, these are the packages that nothing in it
/// depends on, or all of them, and the arrows count as incomplete.
pub fn of(file: &LockFile<'_>, own: Option<usize>) -> Entries {
    let lock = file.lock;
    let said = named(lock, own);
    let knowledge = if said.is_empty() && !lock.packages.is_empty() || !lock.notes.is_empty() {
        Knowledge::Incomplete
    } else {
        Knowledge::Complete
    };
    let found = if said.is_empty() { loose(lock) } else { said };
    let developed = development_groups(lock);
    let mut entries = Entries {
        shipping: Vec::new(),
        development: Vec::new(),
        knowledge,
    };
    for (index, group) in found {
        let ships = |package: &Package| package.scope == Scope::Ships;
        let of_development = group.is_some_and(|group| developed.contains(group));
        if lock.packages.get(index).is_some_and(ships) && !of_development {
            entries.shipping.push(index);
        } else {
            entries.development.push(index);
        }
    }
    entries
}

/// The members of a workspace, what the project asks for, and what its own entry depends on.
fn named(lock: &Lock, own: Option<usize>) -> Vec<(usize, Option<&str>)> {
    let is_member = |index: usize| {
        let member = |package: &Package| matches!(package.source, Source::Workspace { .. });
        own != Some(index) && lock.packages.get(index).is_some_and(member)
    };
    let members: BTreeSet<usize> = (0..lock.packages.len())
        .filter(|index| is_member(*index))
        .collect();
    let of_members: BTreeSet<usize> = (members.iter())
        .filter_map(|index| lock.packages.get(*index))
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.package)
        .collect();
    let project = own.and_then(|index| lock.packages.get(index));
    let of_project = project.map_or(&[][..], |package| &package.dependencies);
    let roots: BTreeSet<usize> = lock.roots.iter().map(|root| root.package).collect();
    let more = of_project
        .iter()
        .filter(|dependency| !roots.contains(&dependency.package));
    let asked = (lock.roots.iter().chain(more))
        .filter(|root| own != Some(root.package))
        .filter(|root| !members.contains(&root.package) && !of_members.contains(&root.package))
        .map(|root| (root.package, root.group.as_deref()));
    members
        .iter()
        .map(|index| (*index, None))
        .chain(asked)
        .collect()
}

/// Packages that nothing depends on; all of them when there is a circle.
fn loose(lock: &Lock) -> Vec<(usize, Option<&str>)> {
    let wanted: BTreeSet<usize> = (lock.packages.iter())
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.package)
        .collect();
    let all = 0..lock.packages.len();
    let free: Vec<usize> = all
        .clone()
        .filter(|index| !wanted.contains(index))
        .collect();
    let found = if free.is_empty() { all.collect() } else { free };
    found.into_iter().map(|index| (index, None)).collect()
}

/// Groups that ask for a package that does not ship: a group that ships has none of these.
fn development_groups(lock: &Lock) -> BTreeSet<&str> {
    let of_development = |index: usize| {
        let package = lock.packages.get(index);
        package.is_some_and(|package| package.scope == Scope::Development)
    };
    (lock.roots.iter())
        .filter(|root| of_development(root.package))
        .filter_map(|root| root.group.as_deref())
        .collect()
}
