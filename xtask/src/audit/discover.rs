//! Which files of a repository are lock files, and which of them are left out and why.

use camino::Utf8Path;

use super::policy::Skip;
use super::report::LockFile;
use crate::lockfile::{self, KINDS, Kind};

/// What git lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// From the root, with slashes.
    pub path: String,
    /// What git knows of it.
    pub state: State,
}

/// What git knows of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A file of the repository.
    Tracked,
    /// A file that only lies in its folder.
    Untracked,
    /// A commit of another repository.
    Submodule,
}

/// A lock file that is to be read.
#[derive(Debug)]
pub struct Found {
    /// From the root, with slashes.
    pub path: String,
    /// Its kind.
    pub kind: &'static Kind,
}

/// How the reason of a lock file begins that release.toml leaves out.
pub const BY_POLICY: &str = "audit.skip: ";

/// All lock files of a repository, by path.
#[derive(Debug, Default)]
pub struct Discovered {
    /// To be read.
    pub wanted: Vec<Found>,
    /// Left out, and why.
    pub left_out: Vec<LockFile>,
}

/// Lock files of which nothing here can say what they lock. They are named as left out, so that
/// nobody takes them for checked.
const UNREAD: [&str; 16] = [
    "Pipfile.lock",
    "pdm.lock",
    "pixi.lock",
    "pylock.toml",
    "conda-lock.yml",
    "bun.lock",
    "bun.lockb",
    "deno.lock",
    "go.sum",
    "Gemfile.lock",
    "composer.lock",
    "gradle.lockfile",
    "packages.lock.json",
    "Package.resolved",
    "pubspec.lock",
    "mix.lock",
];

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
pub fn discover(listed: &[Listed], skips: &[Skip]) -> Discovered {
    let environments: Vec<&str> = listed
        .iter()
        .filter_map(|file| file.path.strip_suffix("/pyvenv.cfg"))
        .collect();
    let mut discovered = Discovered::default();
    let mut listed: Vec<&Listed> = listed.iter().collect();
    listed.sort_by(|one, other| one.path.cmp(&other.path));
    // A file in conflict is listed once for each side.
    listed.dedup_by(|one, other| one.path == other.path);
    for file in listed {
        let Some(name) = known_name(file) else {
            continue;
        };
        let reason = why_not(file, &environments, skips);
        match (name, reason) {
            (Name::Of(kind), None) => discovered.wanted.push(Found {
                path: file.path.clone(),
                kind,
            }),
            (name, reason) => discovered.left_out.push(LockFile {
                path: file.path.clone(),
                kind: name.word().to_owned(),
                ecosystem: name.kind().map(|kind| kind.ecosystem),
                format: String::new(),
                packages: 0,
                checked: 0,
                skipped: Some(reason.unwrap_or_else(|| name.why_not())),
                notes: Vec::new(),
            }),
        }
    }
    discovered
}

/// What a path says by its name.
#[derive(Clone, Copy)]
enum Name {
    Of(&'static Kind),
    OtherCase(&'static Kind),
    Unread(&'static str),
    Submodule,
}

impl Name {
    fn kind(self) -> Option<&'static Kind> {
        match self {
            Name::Of(kind) | Name::OtherCase(kind) => Some(kind),
            Name::Unread(_) | Name::Submodule => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Name::Of(kind) | Name::OtherCase(kind) => kind.name,
            Name::Unread(name) => name,
            Name::Submodule => "submodule",
        }
    }

    fn why_not(self) -> String {
        match self {
            Name::Of(kind) | Name::OtherCase(kind) => format!(
                "its tool reads it as {} only where capital letters do not count; rename it",
                kind.name
            ),
            Name::Unread(_) => "a lock file of a kind that this tool does not read".to_owned(),
            Name::Submodule => {
                "a submodule, in which nothing was looked for: audit that repository too".to_owned()
            }
        }
    }
}

fn known_name(file: &Listed) -> Option<Name> {
    if file.state == State::Submodule {
        return Some(Name::Submodule);
    }
    let name = Utf8Path::new(&file.path).file_name()?;
    if let Some(kind) = lockfile::kind_of(name) {
        return Some(Name::Of(kind));
    }
    let small = name.to_ascii_lowercase();
    let in_other_case = |kind: &&&Kind| (kind.matches)(&small) || small == lowered(kind);
    if let Some(kind) = KINDS.iter().find(in_other_case) {
        return Some(Name::OtherCase(kind));
    }
    let unread = UNREAD.into_iter().find(|one| *one == name);
    unread.map(Name::Unread)
}

fn lowered(kind: &Kind) -> String {
    kind.name.to_ascii_lowercase()
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
    (file.state == State::Untracked)
        .then(|| "not tracked by git; it counts once it is added".to_owned())
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
            state: match path {
                "new/poetry.lock" => State::Untracked,
                "sub" | "tests/sub" => State::Submodule,
                _ => State::Tracked,
            },
        }
    }

    #[test]
    fn every_lock_file_is_listed_and_the_left_out_ones_say_why() {
        let files = [
            "poetry.lock",
            "poetry.lock",
            "src/poetry.lock.md",
            "web/node_modules/x/package-lock.json",
            "env/pyvenv.cfg",
            "env/lib/Cargo.lock",
            "environment/Cargo.lock",
            "tests/case/Cargo.lock",
            "new/poetry.lock",
            "go.sum",
            "x/cargo.lock",
            "x/Requirements.TXT",
            "sub",
            "tests/sub",
        ]
        .map(listed);
        let skips = [Skip {
            path: Pattern::verbatim("tests/**"),
            reason: "broken on purpose".to_owned(),
        }];
        let discovered = discover(&files, &skips);
        let wanted: Vec<String> = discovered.wanted.into_iter().map(|one| one.path).collect();
        assert_eq!(wanted, ["environment/Cargo.lock", "poetry.lock"]);
        let left_out = discovered.left_out.into_iter();
        let left_out: Vec<String> = left_out
            .map(|one| format!("{}: {}", one.path, one.skipped.unwrap_or_default()))
            .collect();
        assert_eq!(
            left_out,
            [
                "env/lib/Cargo.lock: inside of env, a virtual environment",
                "go.sum: a lock file of a kind that this tool does not read",
                "new/poetry.lock: not tracked by git; it counts once it is added",
                "sub: a submodule, in which nothing was looked for: audit that repository too",
                "tests/case/Cargo.lock: audit.skip: broken on purpose",
                "tests/sub: audit.skip: broken on purpose",
                "web/node_modules/x/package-lock.json: inside of node_modules, which holds what \
                 others made",
                "x/Requirements.TXT: its tool reads it as requirements.txt only where capital \
                 letters do not count; rename it",
                "x/cargo.lock: its tool reads it as Cargo.lock only where capital letters do not \
                 count; rename it",
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
