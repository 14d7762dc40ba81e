//! Who brings a package: the shortest way to it from what the project asks for.

use std::collections::VecDeque;

use crate::lockfile::{Lock, Package, Source};

/// Shortest ways to all packages of a lock file.
#[derive(Debug)]
pub struct Chains<'lock> {
    lock: &'lock Lock,
    /// For each package the one that brings it: `None` when nothing is known to.
    bringers: Vec<Option<Bringer>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bringer {
    Project,
    Package(usize),
}

impl<'lock> Chains<'lock> {
    /// Walks the lock file once, in breadth, in the order of the file.
    pub fn of(lock: &'lock Lock) -> Chains<'lock> {
        let mut bringers = vec![None; lock.packages.len()];
        let mut queue = VecDeque::new();
        let mut reach = |index: usize, bringer: Bringer, queue: &mut VecDeque<usize>| {
            if let Some(open @ None) = bringers.get_mut(index) {
                *open = Some(bringer);
                queue.push_back(index);
            }
        };
        for root in &lock.roots {
            reach(root.package, Bringer::Project, &mut queue);
        }
        while let Some(index) = queue.pop_front() {
            for dependency in &lock.packages[index].dependencies {
                reach(dependency.package, Bringer::Package(index), &mut queue);
            }
        }
        Chains { lock, bringers }
    }

    /// The way to a package: `name version` each, the package itself last; members of the
    /// workspace are left out, as they are the project.
    pub fn to(&self, package: usize) -> Vec<String> {
        let mut chain = Vec::new();
        let mut current = Some(package);
        while let Some(index) = current {
            let Some(found) = self.lock.packages.get(index) else {
                break;
            };
            if index == package || !matches!(found.source, Source::Workspace { .. }) {
                chain.push(shown(found));
            }
            current = match self.bringers[index] {
                Some(Bringer::Package(by)) => Some(by),
                Some(Bringer::Project) | None => None,
            };
        }
        chain.reverse();
        chain
    }
}

fn shown(package: &Package) -> String {
    match &package.alias {
        Some(alias) => format!("{} {} (as {alias})", package.name, package.version),
        None => format!("{} {}", package.name, package.version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::examples::{lock, package};

    #[test]
    fn the_shortest_way_is_taken_and_circles_end() {
        let lock = lock(
            vec![
                package("a", "1", &[1]),
                package("b", "2", &[0, 2]),
                package("c", "3", &[1, 2]),
                package("d", "4", &[2]),
                package("alone", "5", &[]),
            ],
            &[0, 3],
        );
        let chains = Chains::of(&lock);
        assert_eq!(chains.to(2), ["d 4", "c 3"]);
        assert_eq!(chains.to(1), ["a 1", "b 2"]);
        assert_eq!(chains.to(0), ["a 1"]);
        assert_eq!(chains.to(4), ["alone 5"]);
        assert!(chains.to(9).is_empty());
    }
}
