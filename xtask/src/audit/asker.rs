//! Who asks for a package, and with which constraint.

use std::fmt;

use crate::lockfile::{Lock, Package};

/// The constraints on all packages of a lock file, by the package they are about.
#[derive(Debug)]
pub struct Askers<'lock> {
    constraints: Vec<Vec<(Asker<'lock>, &'lock str)>>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'lock> {
    /// The project itself.
    Project,
    /// A locked package.
    Package(&'lock Package),
}

impl fmt::Display for Asker<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asker::Project => formatter.write_str("the project"),
            Asker::Package(package) => write!(formatter, "{} {}", package.name, package.version),
        }
    }
}

impl<'lock> Askers<'lock> {
    /// Walks the lock file once; what asks for a package without a constraint is not kept.
    pub fn of(lock: &'lock Lock) -> Askers<'lock> {
        let mut constraints = vec![Vec::new(); lock.packages.len()];
        let roots = lock.roots.iter().map(|root| (Asker::Project, root));
        let packages = lock.packages.iter().flat_map(|package| {
            let arrows = package.dependencies.iter();
            arrows.map(move |arrow| (Asker::Package(package), arrow))
        });
        for (asker, arrow) in roots.chain(packages) {
            let asked = constraints.get_mut(arrow.package);
            if let (Some(asked), Some(constraint)) = (asked, &arrow.constraint) {
                asked.push((asker, constraint.as_str()));
            }
        }
        Askers { constraints }
    }

    /// Who constrains a package: the project first, then the packages in the order of the file.
    pub fn to(&self, package: usize) -> &[(Asker<'lock>, &'lock str)] {
        self.constraints
            .get(package)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::examples::{arrow, lock, package};

    #[test]
    fn all_who_constrain_a_package_are_named_in_order() {
        let mut one = package("one", "1", &[2]);
        one.dependencies.push(arrow(2, Some(">=3")));
        let mut two = package("two", "2", &[0]);
        two.dependencies = vec![
            arrow(2, Some("^3")),
            arrow(0, Some("*")),
            arrow(9, Some("1")),
        ];
        let mut lock = lock(vec![one, two, package("three", "3", &[])], &[0, 2]);
        lock.roots.push(arrow(2, Some("3.*")));
        let askers = Askers::of(&lock);
        let check = |index, expected: &[&str]| {
            let found = askers.to(index).iter();
            let found: Vec<String> = found.map(|(who, what)| format!("{who}: {what}")).collect();
            assert_eq!(found, expected, "{index}");
        };
        check(0, &["two 2: *"]);
        check(1, &[]);
        check(2, &["the project: 3.*", "one 1: >=3", "two 2: ^3"]);
        check(9, &[]);
    }
}
