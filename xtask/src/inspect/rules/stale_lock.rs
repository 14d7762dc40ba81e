//! A lock file that was not written from the manifest beside it.

use super::Rule;
use crate::inspect::repository::line_of;
use crate::inspect::{Facts, Findings, Stage};
use crate::lockfile::poetry;
use crate::requirements;

/// The rule.
pub static RULE: Rule = Rule {
    id: "stale-lock",
    stage: Stage::Build,
    title: "`poetry.lock` was written from the `pyproject.toml` beside it",
    why: "Poetry refuses to install from a stale lock file, and what it locks is not what is declared",
    remedy: "lock anew: poetry lock",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in &facts.projects {
        let path = project.join(poetry::FILE);
        let Some(text) = facts.repository.text(&path) else {
            continue;
        };
        let is_stale = requirements::is_stale(project.text, text);
        if is_stale == Some(true) {
            let line = line_of(text, "content-hash");
            let message = format!(
                "{} has changed what it depends on since this was locked (content-hash)",
                project.path
            );
            found.breaks(&path, line, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn the_hash_of_the_lock_is_that_of_the_manifest() {
        let manifest = "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"mcp<2\"]\n";
        let hash = requirements::content_hash(manifest).unwrap();
        let lock = |hash: &str| {
            format!(
                "package = []\n[metadata]\nlock-version = \"2.1\"\npython-versions = \"*\"\ncontent-hash = \"{hash}\"\n"
            )
        };
        let files = |hash: &str| {
            let lock = lock(hash);
            let expected: &[&str] = if hash == "0" {
                &["breaks poetry.lock:5"]
            } else {
                &[]
            };
            check(
                &RULE,
                &[("pyproject.toml", manifest), ("poetry.lock", &lock)],
                expected,
            );
        };
        files("0");
        files(&hash);
    }
}
