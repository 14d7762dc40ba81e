//! What can be reached from what: over packages, and for whole sets of groups at once. Pure.

use std::collections::HashMap;

use super::model::Package;
use super::toml::Place;
use crate::error::Result;

/// The most packages of one name; real files have fewer than ten.
const MOST_OF_ONE_NAME: usize = 100;

/// The packages of each name.
///
/// # Errors
/// So many of one name that choosing among them again and again would take too long.
pub fn by_name<'package>(
    packages: &'package [Package],
    place: &Place<'_>,
) -> Result<HashMap<&'package str, Vec<usize>>> {
    let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, package) in packages.iter().enumerate() {
        let same = names.entry(package.name.as_str()).or_default();
        same.push(index);
        if same.len() > MOST_OF_ONE_NAME {
            let problem = format!(
                "more than {MOST_OF_ONE_NAME} packages named {}",
                package.name
            );
            return Err(place.error(package.line, problem));
        }
    }
    Ok(names)
}

/// Which packages can be reached from these, themselves included.
pub fn reachable(packages: &[Package], from: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut found = vec![false; packages.len()];
    let mut open: Vec<usize> = from.collect();
    while let Some(index) = open.pop() {
        let (Some(seen), Some(package)) = (found.get_mut(index), packages.get(index)) else {
            continue;
        };
        if !std::mem::replace(seen, true) {
            open.extend(package.dependencies.iter().map(|arrow| arrow.package));
        }
    }
    found
}

/// Which groups reach each node: `edges` are the arrows of each node, `roots` pairs of a node
/// and the number of a group that asks for it. The answer holds ascending group numbers.
pub fn groups(edges: &[Vec<usize>], roots: &[(usize, usize)]) -> Vec<Vec<usize>> {
    const AT_ONCE: usize = 64;
    let mut found = vec![Vec::new(); edges.len()];
    let count = roots.iter().map(|(_, group)| group + 1).max().unwrap_or(0);
    for first in (0..count).step_by(AT_ONCE) {
        let mut masks = vec![0u64; edges.len()];
        let mut open = Vec::new();
        for &(node, group) in roots {
            if (first..first + AT_ONCE).contains(&group)
                && let Some(mask) = masks.get_mut(node)
            {
                *mask |= 1 << (group - first);
                open.push(node);
            }
        }
        spread(edges, &mut masks, open);
        for (mask, groups) in masks.iter().zip(&mut found) {
            groups.extend(
                (0..AT_ONCE)
                    .filter(|bit| mask >> bit & 1 == 1)
                    .map(|bit| first + bit),
            );
        }
    }
    found
}

/// A node comes back only when its set has grown, so at most once for each group.
fn spread(edges: &[Vec<usize>], masks: &mut [u64], mut open: Vec<usize>) {
    while let Some(node) = open.pop() {
        let (Some(&mask), Some(next)) = (masks.get(node), edges.get(node)) else {
            continue;
        };
        for &other in next {
            if let Some(there) = masks.get_mut(other)
                && *there | mask != *there
            {
                *there |= mask;
                open.push(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_reach_through_cycles_and_beyond_one_word() {
        let edges = vec![vec![1], vec![0, 2], vec![], vec![9]];
        let found = groups(&edges, &[(0, 0), (2, 70), (3, 1), (8, 2)]);
        assert_eq!(found, [vec![0], vec![0], vec![0, 70], vec![1]]);
        assert!(groups(&[], &[(0, 0)]).is_empty());
    }
}
