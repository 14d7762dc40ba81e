//! A server or an extension without a lock file.

use super::Rule;
use super::broken_lock::read;
use crate::inspect::{Facts, Findings, Stage};
use crate::lockfile::pip;

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-lock",
    stage: Stage::Build,
    title: "What a server and an extension install is locked",
    why: "without a lock file two builds of one commit install different packages, and nothing can be audited",
    remedy: "lock it and commit the lock file: poetry lock, uv lock or npm install --package-lock-only",
    look,
};

const PYTHON: [&str; 5] = [
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
];
/// A lock file when it pins everything.
const REQUIREMENTS: &str = "requirements.txt";
const NODE: [&str; 4] = [
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
];

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let has = |folder: &str, names: &[&str]| {
        names.iter().any(|name| {
            let beside = if folder.is_empty() {
                (*name).to_owned()
            } else {
                format!("{folder}/{name}")
            };
            facts.repository.has(&beside) || facts.repository.has(name)
        })
    };
    for project in facts.servers() {
        if !project.dependencies.is_empty() && !has(project.folder, &PYTHON) {
            let lists = [project.join(REQUIREMENTS), REQUIREMENTS.to_owned()];
            let message = match lists.iter().find(|path| facts.repository.has(path)) {
                Some(path) if pins(facts, path) => continue,
                Some(path) => format!("no lock file beside it, and {path} leaves versions open"),
                None => "no lock file beside it".to_owned(),
            };
            let line = project.dependencies.first().map_or(1, |one| one.line);
            found
                .risk(project.path, line, message)
                .remedy("lock it and commit the lock file: poetry lock, or uv lock");
        }
    }
    for package in facts.extensions() {
        let needs = ["dependencies", "devDependencies"]
            .iter()
            .any(|key| package.top.members_of(key).next().is_some());
        if needs && !has(package.folder, &NODE) {
            found
                .risk(package.path, 1, "no lock file beside it: `npm ci` fails")
                .remedy("npm install --package-lock-only, then commit package-lock.json");
        }
    }
}

/// Whether a list of requirements says which version of each is installed, as far as it was read.
fn pins(facts: &Facts<'_>, path: &str) -> bool {
    facts.repository.text(path).is_none_or(|text| {
        !matches!(read(facts.repository, path, text, &pip::KIND), Err(error) if pip::is_mere_list(text, &error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn a_lock_file_may_be_beside_or_at_the_root() {
        let manifest = "[project]\nname = \"a\"\ndependencies = [\"mcp<2\"]\n";
        check(
            &RULE,
            &[("s/pyproject.toml", manifest)],
            &["risk s/pyproject.toml:3"],
        );
        check(
            &RULE,
            &[("s/pyproject.toml", manifest), ("uv.lock", "")],
            &[],
        );
        let list = |text: &str, expected: &[&str]| {
            let files = [("s/pyproject.toml", manifest), ("s/requirements.txt", text)];
            check(&RULE, &files, expected);
        };
        list("mcp==1.9\n", &[]);
        list("mcp>=1.9\n", &["risk s/pyproject.toml:3"]);
        check(
            &RULE,
            &[("s/pyproject.toml", "[project]\nname = \"a\"\n")],
            &[],
        );
        let package = "{\"engines\": {\"vscode\": \"1\"}, \"devDependencies\": {\"a\": \"1\"}}";
        check(
            &RULE,
            &[("e/package.json", package)],
            &["risk e/package.json:1"],
        );
        check(
            &RULE,
            &[("e/package.json", package), ("e/yarn.lock", "")],
            &[],
        );
    }
}
