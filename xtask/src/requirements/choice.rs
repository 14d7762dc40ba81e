//! Which lock file says what ships, and how it is read. Pure.

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Server;
use crate::error::{Error, Result};
use crate::lockfile::{pip, poetry};

/// A kind of lock file whose requirements can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// `poetry.lock`.
    Poetry,
    /// `uv.lock`.
    Uv,
    /// A hash-locked `requirements.txt`, as `pip-compile` and `uv pip compile` write it.
    Pip,
}

/// The names that are looked for beside `pyproject.toml`.
pub const NAMES: [&str; 3] = [poetry::FILE, "uv.lock", "requirements.txt"];

/// How each lock file is made; hints name all of them when there is none.
const WAYS: &str = "make one: poetry lock, or uv lock, or uv pip compile --universal \
                    --generate-hashes pyproject.toml -o requirements.txt";

impl LockKind {
    /// The kind of a file of this name.
    ///
    /// # Errors
    /// No kind that is exported.
    pub fn of(path: &Utf8Path) -> Result<LockKind> {
        match path.file_name().unwrap_or_default() {
            name if name == poetry::FILE => Ok(LockKind::Poetry),
            "uv.lock" => Ok(LockKind::Uv),
            name if (pip::KIND.matches)(name) => Ok(LockKind::Pip),
            _ => Err(Error::usage(format!(
                "{path} is no lock file whose requirements can be exported"
            ))
            .hint("known: poetry.lock, uv.lock, and requirements*.txt with digests")),
        }
    }

    /// The command that writes it anew.
    pub fn remedy(self) -> &'static str {
        match self {
            LockKind::Poetry => "poetry lock",
            LockKind::Uv => "uv lock",
            LockKind::Pip => {
                "uv pip compile --universal --generate-hashes pyproject.toml -o requirements.txt"
            }
        }
    }
}

/// The server's lock file, from the root: the one that `release.toml` names, or the only one
/// beside `pyproject.toml`.
///
/// # Errors
/// None, or several of which nothing says which one counts.
pub fn lock_file(
    server: &Server,
    exists: &dyn Fn(&Utf8Path) -> Result<bool>,
) -> Result<Utf8PathBuf> {
    if let Some(named) = &server.lock {
        return Ok(named.clone());
    }
    match beside(&server.path, exists)?.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Error::precondition(format!(
            "there is no lock file beside {}: none of {}",
            server.path.join("pyproject.toml"),
            NAMES.join(", ")
        ))
        .hint(WAYS)
        .hint("one that lies elsewhere is named in release.toml: [server] lock = \"PATH\"")),
        several => {
            let names: Vec<&str> = several.iter().map(|path| path.as_str()).collect();
            Err(Error::usage(format!(
                "{} lock files are beside {}, and nothing says which one ships: {}",
                several.len(),
                server.path.join("pyproject.toml"),
                names.join(", ")
            ))
            .hint(format!(
                "name it in release.toml: [server] lock = \"{}\"",
                several[0]
            ))
            .hint("or remove the others: a second source of dependency truth drifts apart from the first"))
        }
    }
}

/// The lock files that lie in a folder.
///
/// # Errors
/// As `exists`.
pub fn beside(
    folder: &Utf8Path,
    exists: &dyn Fn(&Utf8Path) -> Result<bool>,
) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for name in NAMES {
        let path = folder.join(name);
        if exists(&path)? {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(lock: Option<&str>) -> Server {
        Server {
            path: "server".into(),
            lock: lock.map(Utf8PathBuf::from),
            console_script: String::new(),
            groups: Vec::new(),
            extras: Vec::new(),
            test: Vec::new(),
            test_groups: Vec::new(),
        }
    }

    #[test]
    fn the_only_one_counts_and_several_are_listed() {
        let check = |lock: Option<&str>, present: &[&str], expected: &str| {
            let exists = |path: &Utf8Path| Ok(present.contains(&path.as_str()));
            let found = match lock_file(&server(lock), &exists) {
                Ok(path) => path.into_string(),
                Err(error) => error.to_string(),
            };
            assert!(found.contains(expected), "{found}");
        };
        check(None, &["server/uv.lock"], "server/uv.lock");
        check(None, &["uv.lock"], "no lock file beside server/pyproject");
        check(Some("uv.lock"), &["server/poetry.lock"], "uv.lock");
        check(
            None,
            &["server/uv.lock", "server/requirements.txt"],
            "server/uv.lock, server/requirements.txt",
        );
    }

    #[test]
    fn kinds_go_by_the_name() {
        let check = |name: &str, expected: Option<LockKind>| {
            assert_eq!(LockKind::of(Utf8Path::new(name)).ok(), expected, "{name}");
        };
        check("a/poetry.lock", Some(LockKind::Poetry));
        check("uv.lock", Some(LockKind::Uv));
        check("a/requirements-ship.txt", Some(LockKind::Pip));
        check("pdm.lock", None);
    }
}
