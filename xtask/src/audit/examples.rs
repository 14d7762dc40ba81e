//! Small locks and advisories for the tests of this room.

use crate::lockfile::{Dependency, Ecosystem, Kind, Lock, Package, Scope, Source};

/// A shipped package of a registry with arrows to the packages of these numbers.
pub fn package(name: &str, version: &str, dependencies: &[usize]) -> Package {
    Package {
        name: name.to_owned(),
        alias: None,
        version: version.to_owned(),
        line: 1,
        source: Source::Registry { url: None },
        groups: vec!["main".to_owned()],
        scope: Scope::Ships,
        dependencies: dependencies
            .iter()
            .map(|&index| arrow(index, None))
            .collect(),
        digests: Vec::new(),
        license: None,
    }
}

/// An arrow to the package of this number.
pub fn arrow(package: usize, constraint: Option<&str>) -> Dependency {
    Dependency {
        package,
        constraint: constraint.map(str::to_owned),
        group: None,
    }
}

/// A lock file of Python packages, on different lines, of which the project asks for these.
pub fn lock(mut packages: Vec<Package>, roots: &[usize]) -> Lock {
    for (index, package) in packages.iter_mut().enumerate() {
        package.line = index * 10 + 1;
    }
    Lock {
        ecosystem: Ecosystem::Pypi,
        format: "2.1".to_owned(),
        packages,
        roots: roots.iter().map(|&index| arrow(index, None)).collect(),
        notes: Vec::new(),
    }
}

/// The kind of lock file that all examples are.
pub fn kind() -> &'static Kind {
    crate::lockfile::kind_of("poetry.lock").expect("poetry.lock is a kind")
}
