//! Walks from what a Python project asks for to all that this brings, extras included. Pure.
//!
//! A package and each of its extras are nodes of their own: an extra's dependencies come only
//! with those who ask for that extra.

use std::collections::{HashMap, HashSet};

use super::graph;
use super::model::{Dependency, Package, Scope};
use crate::pep440::{self, Context, Version};

/// The most groups of one file, so that a hostile one cannot ask for a walk for each package.
pub const MOST_GROUPS: usize = 1_000;

/// One arrow as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The package.
    pub package: usize,
    /// Its extras that are asked for, in their normal form.
    pub extras: Vec<String>,
    /// The versions that fit, as written.
    pub constraint: Option<String>,
}

/// All arrows of a lock file.
#[derive(Debug, Default)]
pub struct Web {
    /// The arrows of each node: first those of the packages, then those of their extras.
    asks: Vec<Vec<Ask>>,
    /// The nodes of extras.
    extras: HashMap<(usize, String), usize>,
}

impl Web {
    /// A web over so many packages, without an arrow.
    pub fn new(packages: usize) -> Web {
        Web {
            asks: vec![Vec::new(); packages],
            extras: HashMap::new(),
        }
    }

    /// Adds an arrow of a package, or of one of its extras.
    pub fn add(&mut self, package: usize, extra: Option<&str>, ask: Ask) {
        let node = match extra {
            None => package,
            Some(extra) => *self
                .extras
                .entry((package, extra.to_owned()))
                .or_insert_with(|| {
                    self.asks.push(Vec::new());
                    self.asks.len() - 1
                }),
        };
        if let Some(asks) = self.asks.get_mut(node) {
            asks.push(ask);
        }
    }

    fn nodes<'ask>(&self, ask: &'ask Ask) -> impl Iterator<Item = usize> + use<'ask, '_> {
        let extra = |extra: &String| self.extras.get(&(ask.package, extra.clone())).copied();
        std::iter::once(ask.package).chain(ask.extras.iter().filter_map(extra))
    }

    /// The numbers of the groups that reach each node.
    fn groups(&self, roots: &[(Ask, usize)]) -> Vec<Vec<usize>> {
        let next = |asks: &Vec<Ask>| asks.iter().flat_map(|ask| self.nodes(ask)).collect();
        let mut edges: Vec<Vec<usize>> = self.asks.iter().map(next).collect();
        for ((package, _), node) in &self.extras {
            if let Some(next) = edges.get_mut(*node) {
                next.push(*package);
            }
        }
        let nodes = roots
            .iter()
            .flat_map(|(ask, group)| self.nodes(ask).map(move |node| (node, *group)));
        graph::groups(&edges, &nodes.collect::<Vec<_>>())
    }

    /// Gives each package its arrows, those of its extras only where somebody asks for them, and
    /// returns the numbers of the groups that bring it. Without roots nobody is known to ask, and
    /// all extras count.
    pub fn settle(self, packages: &mut [Package], roots: &[(Ask, usize)]) -> Vec<Vec<usize>> {
        let mut groups = self.groups(roots);
        let mut sources: Vec<(usize, usize)> = (0..packages.len()).map(|one| (one, one)).collect();
        let extras = self
            .extras
            .iter()
            .map(|((package, _), node)| (*package, *node));
        let is_asked = |node: usize| {
            roots.is_empty() || groups.get(node).is_some_and(|groups| !groups.is_empty())
        };
        sources.extend(extras.filter(|(_, node)| is_asked(*node)));
        sources.sort_unstable();
        let mut seen = HashSet::new();
        for (package, node) in sources {
            let Some(owner) = packages.get_mut(package) else {
                continue;
            };
            if package == node {
                seen.clear();
            }
            for ask in self.asks.get(node).into_iter().flatten() {
                if seen.insert((ask.package, ask.constraint.clone())) {
                    owner.dependencies.push(Dependency {
                        package: ask.package,
                        constraint: ask.constraint.clone(),
                        group: None,
                    });
                }
            }
        }
        groups.truncate(packages.len());
        groups
    }
}

/// Whether a package of these groups ships; one of none counts as shipping.
pub fn scope(groups: &[String], shipping: &[String]) -> Scope {
    match groups.is_empty() || groups.iter().any(|group| shipping.contains(group)) {
        true => Scope::Ships,
        false => Scope::Development,
    }
}

/// Of several constraints those that let the version in; all when none does or one is unclear.
pub fn fitting<Entry>(
    entries: Vec<Entry>,
    version: &str,
    constraint: impl Fn(&Entry) -> Option<&str>,
) -> Vec<Entry> {
    let Ok(version) = Version::parse(version) else {
        return entries;
    };
    if entries.len() < 2 {
        return entries;
    }
    let lets_in: Vec<bool> = entries
        .iter()
        .map(|entry| allows(constraint(entry), &version))
        .collect();
    if !lets_in.contains(&true) {
        return entries;
    }
    let kept = entries
        .into_iter()
        .zip(lets_in)
        .filter(|(_, lets_in)| *lets_in);
    kept.map(|(entry, _)| entry).collect()
}

/// Whether a constraint lets a version in; one that cannot be read does.
pub fn allows(constraint: Option<&str>, version: &Version) -> bool {
    constraint.is_none_or(|constraint| {
        let parsed = pep440::parse(constraint, Context::Distribution);
        parsed.map_or(true, |parsed| parsed.allows(version))
    })
}
