//! Which files of a repository are lock files, and which of them are left out and why.

use camino::Utf8Path;

use super::policy::Skip;
use crate::lockfile::{self, Kind};

/// A file that git lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// From the root, with slashes.
    pub path: String,
    /// Whether it is part of the repository, or only lies in its folder.
    pub tracked: bool,
}

/// A lock file that was found.
#[derive(Debug)]
pub struct Found {
    /// From the root, with slashes.
    pub path: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// Why it is left out; `None` when it is to be read.
    pub skipped: Option<String>,
}

/// How the reason of a lock file begins that release.toml leaves out.
pub const BY_POLICY: &str = "audit.skip: ";

/// Folders that hold other people's files: what they lock is not what this repository installs.
const FOREIGN: [&str; 9] = [
    "node_modules",
    "bower_components",
    "site-packages",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    "target",
    "vendor",
];

/// Finds the lock files among listed files, by path.
pub fn discover(listed: &[Listed], skips: &[Skip]) -> Vec<Found> {
    let environments: Vec<&str> = listed
        .iter()
        .filter_map(|file| file.path.strip_suffix("/pyvenv.cfg"))
        .collect();
    let mut found: Vec<Found> = listed
        .iter()
        .filter_map(|file| {
            let kind = lockfile::kind_of(Utf8Path::new(&file.path).file_name()?)?;
            Some(Found {
                path: file.path.clone(),
                kind,
                skipped: why_not(file, &environments, skips),
            })
        })
        .collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found.dedup_by(|one, other| one.path == other.path);
    found
}

fn why_not(file: &Listed, environments: &[&str], skips: &[Skip]) -> Option<String> {
    if let Some(skip) = skips.iter().find(|skip| skip.path.matches(&file.path)) {
        return Some(format!("{BY_POLICY}{}", skip.reason));
    }
    let folders = Utf8Path::new(&file.path).parent();
    let foreign = folders.and_then(|folders| {
        let mut names = folders.components().map(|one| one.as_str());
        names.find(|name| FOREIGN.contains(name))
    });
    if let Some(name) = foreign {
        return Some(format!("inside of {name}, which holds what others made"));
    }
    let inside = |folder: &&&str| {
        let behind = file.path.strip_prefix(**folder);
        behind.is_some_and(|behind| behind.starts_with('/'))
    };
    if let Some(folder) = environments.iter().find(inside) {
        return Some(format!("inside of {folder}, a virtual environment"));
    }
    (!file.tracked).then(|| "not tracked by git; it counts once it is added".to_owned())
}

/// Resolves a path written in one file from the folder of that file, without leaving the root.
pub fn beside(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', '\0', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::pattern::Pattern;

    fn listed(path: &str) -> Listed {
        Listed {
            path: path.to_owned(),
            tracked: path != "new/poetry.lock",
        }
    }

    #[test]
    fn every_lock_file_is_listed_and_the_left_out_ones_say_why() {
        let files = [
            "poetry.lock",
            "src/poetry.lock.md",
            "web/node_modules/x/package-lock.json",
            "env/pyvenv.cfg",
            "env/lib/Cargo.lock",
            "environment/Cargo.lock",
            "tests/case/Cargo.lock",
            "new/poetry.lock",
        ]
        .map(listed);
        let skips = [Skip {
            path: Pattern::verbatim("tests/**"),
            reason: "broken on purpose".to_owned(),
        }];
        let found: Vec<String> = discover(&files, &skips)
            .into_iter()
            .map(|one| format!("{}: {}", one.path, one.skipped.unwrap_or_default()))
            .collect();
        assert_eq!(
            found,
            [
                "env/lib/Cargo.lock: inside of env, a virtual environment",
                "environment/Cargo.lock: ",
                "new/poetry.lock: not tracked by git; it counts once it is added",
                "poetry.lock: ",
                "tests/case/Cargo.lock: audit.skip: broken on purpose",
                "web/node_modules/x/package-lock.json: inside of node_modules, which holds what \
                 others made",
            ]
        );
    }

    #[test]
    fn a_file_beside_another_never_leaves_the_root() {
        let check = |folder: &str, path: &str, expected: Option<&str>| {
            assert_eq!(beside(folder, path).as_deref(), expected, "{folder} {path}");
        };
        check("a/b", "pyproject.toml", Some("a/b/pyproject.toml"));
        check("a/b", "../c/./x", Some("a/c/x"));
        check("", "x", Some("x"));
        check("a", "../../x", None);
        check("a", "/etc/passwd", None);
        check("a", "C:x", None);
        check("a", "..\\x", None);
    }
}
