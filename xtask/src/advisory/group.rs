//! Joins advisories that speak of the same problem under different ids. Pure.
//!
//! Two advisories belong together when one names the other as alias, or both name a third id,
//! or a chain of such steps leads from one to the other: union-find over ids and aliases. What is
//! only `related` stays apart.

use std::collections::HashMap;

use super::Advisory;

/// Advisories of one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The id to name it by. Of the advisories in the group, not of what they only mention: the
    /// ecosystem's own database first (PYSEC, RUSTSEC), then GHSA, then CVE, then any other;
    /// among equals the first by its letters.
    pub id: String,
    /// All ids, aliases too: `id` first, the others sorted.
    pub ids: Vec<String>,
    /// The places of its advisories in the list that was given, sorted by their ids.
    pub members: Vec<usize>,
}

/// The groups among advisories that hit one version of one package, sorted by `id`. The order in
/// which they are given decides nothing else than the numbers in [`Group::members`].
pub fn groups(advisories: &[&Advisory]) -> Vec<Group> {
    let mut union = Union::default();
    for advisory in advisories {
        let own = union.number(&advisory.id);
        for alias in &advisory.aliases {
            let alias = union.number(alias);
            union.join(own, alias);
        }
    }
    let mut by_root: HashMap<usize, Group> = HashMap::new();
    let mut names: Vec<(String, usize)> = union
        .numbers
        .iter()
        .map(|(name, &number)| ((*name).to_owned(), number))
        .collect();
    names.sort_unstable();
    for (name, number) in names {
        let group = by_root.entry(union.root(number)).or_insert_with(|| Group {
            id: String::new(),
            ids: Vec::new(),
            members: Vec::new(),
        });
        group.ids.push(name);
    }
    for (index, advisory) in advisories.iter().enumerate() {
        let number = union.number(&advisory.id);
        if let Some(group) = by_root.get_mut(&union.root(number)) {
            group.members.push(index);
        }
    }
    let mut groups: Vec<Group> = by_root.into_values().collect();
    for group in &mut groups {
        name(group, advisories);
    }
    groups.sort_by(|one, other| one.id.cmp(&other.id));
    groups
}

fn name(group: &mut Group, advisories: &[&Advisory]) {
    let id_of = |&index: &usize| advisories.get(index).map(|advisory| advisory.id.as_str());
    group.members.sort_by_key(|index| (id_of(index), *index));
    let ids = group.members.iter().filter_map(id_of);
    let first = ids.min_by_key(|id| (rank(id), *id)).unwrap_or_default();
    group.id = first.to_owned();
    group.ids.retain(|id| *id != group.id);
    group.ids.insert(0, group.id.clone());
}

fn rank(id: &str) -> usize {
    let families: [&[&str]; 3] = [&["PYSEC-", "RUSTSEC-"], &["GHSA-"], &["CVE-"]];
    let is_of = |family: &&[&str]| family.iter().any(|prefix| id.starts_with(prefix));
    families.iter().position(is_of).unwrap_or(families.len())
}

/// Union-find, with paths halved on the way up and the smaller tree hung below the larger one.
#[derive(Default)]
struct Union<'id> {
    numbers: HashMap<&'id str, usize>,
    parents: Vec<usize>,
    sizes: Vec<usize>,
}

impl<'id> Union<'id> {
    fn number(&mut self, id: &'id str) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.parents.push(next);
            self.sizes.push(1);
        }
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return;
        }
        let (low, high) = match self.sizes[one] < self.sizes[other] {
            true => (one, other),
            false => (other, one),
        };
        self.parents[low] = high;
        self.sizes[high] += self.sizes[low];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::test_data::advisory;
    use crate::lockfile::Ecosystem;

    /// Each advisory is `ID alias alias`; each expected group `id other…: member member`.
    fn check(records: &[&str], expected: &[&str]) {
        let advisories: Vec<Advisory> = records
            .iter()
            .map(|record| {
                let (id, aliases) = record.split_once(' ').unwrap_or((record, ""));
                advisory(Ecosystem::Pypi, id, aliases, "")
            })
            .collect();
        let mut references: Vec<&Advisory> = advisories.iter().collect();
        for turn in 0..references.len().max(1) {
            let found: Vec<String> = groups(&references)
                .iter()
                .map(|group| {
                    let members = group
                        .members
                        .iter()
                        .map(|&index| references[index].id.as_str());
                    let members = members.collect::<Vec<_>>().join(" ");
                    assert_eq!(group.id, group.ids[0]);
                    format!("{}: {members}", group.ids.join(" "))
                })
                .collect();
            assert_eq!(found, expected, "turn {turn} of {records:?}");
            if !references.is_empty() {
                references.rotate_left(1);
            }
        }
        references.reverse();
        assert_eq!(groups(&references).len(), expected.len());
    }

    #[test]
    fn aliases_join_advisories() {
        check(&[], &[]);
        check(&["A", "B"], &["A: A", "B: B"]);
        check(&["A B", "B A"], &["A B: A B"]);
        check(&["A A"], &["A: A"]);
        check(
            &["A x", "B y", "C y z", "D x z"],
            &["A B C D x y z: A B C D"],
        );
        check(&["A x", "B x"], &["A B x: A B"]);
        check(&["A B", "B C", "C A"], &["A B C: A B C"]);
        check(
            &["A CVE-1", "B CVE-1", "C CVE-2"],
            &["A B CVE-1: A B", "C CVE-2: C"],
        );
    }

    #[test]
    fn a_group_is_named_by_the_ecosystems_own_record() {
        check(
            &["CVE-1 GHSA-1 PYSEC-1", "GHSA-1", "PYSEC-1"],
            &["PYSEC-1 CVE-1 GHSA-1: CVE-1 GHSA-1 PYSEC-1"],
        );
        check(
            &["CVE-1 PYSEC-1", "GHSA-1 CVE-1"],
            &["GHSA-1 CVE-1 PYSEC-1: CVE-1 GHSA-1"],
        );
        check(&["MAL-1 CVE-1", "CVE-1"], &["CVE-1 MAL-1: CVE-1 MAL-1"]);
        check(
            &["RUSTSEC-2 x", "RUSTSEC-1 x"],
            &["RUSTSEC-1 RUSTSEC-2 x: RUSTSEC-1 RUSTSEC-2"],
        );
    }

    #[test]
    fn a_long_chain_of_aliases_is_one_group() {
        let count = 20_000;
        let advisories: Vec<Advisory> = (0..count)
            .map(|at| {
                advisory(
                    Ecosystem::Npm,
                    &format!("A-{at}"),
                    &format!("A-{}", at + 1),
                    "",
                )
            })
            .collect();
        let references: Vec<&Advisory> = advisories.iter().collect();
        let groups = groups(&references);
        assert_eq!(groups.len(), 1);
        assert_eq!(
            (groups[0].members.len(), groups[0].ids.len()),
            (count, count + 1)
        );
    }
}
