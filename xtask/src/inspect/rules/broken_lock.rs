//! A lock file that no tool can read.

use camino::Utf8Path;

use super::Rule;
use crate::error::Result;
use crate::inspect::repository::{beside, file_name, folder_of, is_foreign};
use crate::inspect::{Facts, Findings, Repository, Stage};
use crate::lockfile::pip::is_mere_list;
use crate::lockfile::{Input, Kind, Lock, kind_of};

/// The rule.
pub static RULE: Rule = Rule {
    id: "broken-lock",
    stage: Stage::Build,
    title: "Every lock file can be read",
    why: "installers refuse a damaged lock file, and scanners that pass over it find nothing",
    remedy: "write it anew with its tool, or see `cargo xtask lock explain FILE` and `lock repair FILE`",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let repository = facts.repository;
    for (path, text) in &repository.texts {
        let Some(kind) = kind_of(file_name(path)).filter(|_| !is_foreign(path)) else {
            continue;
        };
        if let Err(error) = read(repository, path, text, kind)
            && !is_mere_list(text, &error)
        {
            let rest = error
                .message
                .strip_prefix(path.as_str())
                .unwrap_or(&error.message);
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            let line = rest
                .split(':')
                .next()
                .and_then(|line| line.trim().parse().ok());
            let numbers = |c: char| c.is_ascii_digit() || c == ':';
            let message = rest.trim_start_matches(numbers).trim();
            found
                .breaks(path, line.unwrap_or(1), message)
                .remedy(format!(
                    "{}; or cargo xtask lock repair {path}",
                    kind.remedy
                ));
        }
    }
}

/// Reads a lock file with what lies beside it.
pub fn read(repository: &Repository, path: &str, text: &str, kind: &Kind) -> Result<Lock> {
    let text_beside = |name: &str| {
        let path = beside(folder_of(path), name)?;
        repository.text(&path).map(str::to_owned)
    };
    (kind.read)(&Input {
        text,
        path: Utf8Path::new(path),
        shipping_groups: &["main".to_owned()],
        beside: &text_beside,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn only_what_cannot_be_read_is_named() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1\"\noptional = false\npython-versions = \"*\"\ngroups = [\"main\"]\nfiles = []\n\n[package.extras]\nx = [\"y\"]\n\n[package.extras]\nz = [\"y\"]\n\n[metadata]\nlock-version = \"2.1\"\npython-versions = \"*\"\ncontent-hash = \"0\"\n";
        check(
            &RULE,
            &[("s/poetry.lock", lock)],
            &["breaks s/poetry.lock:12"],
        );
        let sound = lock.replace("\n[package.extras]\nz = [\"y\"]\n", "");
        check(
            &RULE,
            &[("s/poetry.lock", &sound), ("tests/poetry.lock", "x")],
            &[],
        );
    }

    #[test]
    fn what_never_was_locked_is_not_broken() {
        let list = "fastmcp>=2\nmsoffcrypto-tool\nrequests==2.32.0\n";
        check(&RULE, &[("requirements.txt", list)], &[]);
        let hashed = format!("a==1 --hash=sha256:{}\nb>=2\n", "0".repeat(64));
        let expected = ["breaks requirements.txt:2"];
        check(&RULE, &[("requirements.txt", &hashed)], &expected);
        let merged = "a==1\n<<<<<<< HEAD\n";
        check(&RULE, &[("requirements.txt", merged)], &expected);
    }
}
