//! Places that state different versions of one thing.

use super::Rule;
use crate::inspect::facts::is_below;
use crate::inspect::package::Package;
use crate::inspect::project::Project;
use crate::inspect::repository::{file_name, folder_of, line_of};
use crate::inspect::{Facts, Findings, Stage};
use crate::version::{self, place::Scope};

/// The rule.
pub static RULE: Rule = Rule {
    id: "version-disagreement",
    stage: Stage::Publish,
    title: "One version everywhere",
    why: "what is published under one version says that it is another, and `cargo xtask release` refuses it",
    remedy: "write the same version into each of them: cargo xtask version --check lists them",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in &facts.projects {
        let Some(version) = &project.version else {
            continue;
        };
        for path in beside_project(facts, project) {
            judge(facts, found, &path, (&version.text, project.path));
        }
    }
    // The extension and a VERSION file follow the server when there is one server.
    let servers: Vec<&Project<'_>> = facts.servers().collect();
    let reference = match servers.as_slice() {
        [one] => one
            .version
            .as_ref()
            .map(|version| (version.text.as_str(), one.path)),
        _ => None,
    };
    let live = |package: &&Package<'_>| package.top.get("main").is_some();
    let extensions: Vec<&Package<'_>> = facts.extensions().filter(live).collect();
    for package in &extensions {
        let own = package
            .top
            .text("version")
            .map(|version| (version, package.path));
        if let Some(own) = own {
            let lock = package.join("package-lock.json");
            for path in lock.into_iter().filter(|path| facts.repository.has(path)) {
                judge(facts, found, &path, own);
            }
        }
        if let Some(reference) = reference.filter(|_| extensions.len() == 1) {
            judge(facts, found, package.path, reference);
        }
    }
    if let Some(reference) = reference.filter(|_| facts.repository.has("VERSION")) {
        judge(facts, found, "VERSION", reference);
    }
}

/// The files of a project that state its version: `__init__.py` of its packages, `setup.py`.
fn beside_project(facts: &Facts<'_>, project: &Project<'_>) -> Vec<String> {
    let own = |path: &&str| {
        let inner = path
            .strip_prefix(project.folder)
            .unwrap_or(path)
            .trim_start_matches('/');
        let inner = inner.strip_prefix("src/").unwrap_or(inner);
        matches!(
            file_name(path),
            "__init__.py" | "__about__.py" | "_version.py"
        ) && inner.matches('/').count() == 1
            && is_below(folder_of(path), project.folder)
    };
    let name = project
        .name
        .as_ref()
        .map(|name| name.text.replace(['-', '.'], "_"));
    let python = facts
        .python_of(project)
        .map(|python| python.path)
        .filter(own);
    let named = python.filter(|path| {
        let package = file_name(folder_of(path));
        name.as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case(package))
    });
    named.map(str::to_owned).collect()
}

fn judge(facts: &Facts<'_>, found: &mut Findings, path: &str, reference: (&str, &str)) {
    let Some(text) = facts.repository.text(path) else {
        return;
    };
    let Ok(statements) = version::statements(path, text, &[], Scope::Whole) else {
        return;
    };
    let (version, from) = reference;
    let mut said: Vec<String> = Vec::new();
    for statement in statements {
        let agrees = statement.agrees(version);
        let Some(other) = statement.version else {
            continue;
        };
        let plain = other.starts_with(|c: char| c.is_ascii_digit());
        if plain && !agrees && !said.contains(&other) {
            let line = match file_name(path) {
                "VERSION" => 1,
                name if name.ends_with(".py") => line_of(text, "__version__"),
                _ => line_of(text, "\"version\""),
            };
            found.risk(
                path,
                line,
                format!("says {other}, but {from} says {version}"),
            );
            said.push(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn every_place_is_held_against_the_project() {
        let manifest =
            "[project]\nname = \"a-b\"\nversion = \"0.3.0\"\ndependencies = [\"mcp<2\"]\n";
        let of = |version: &str, expected: &[&str]| {
            let package = format!(
                "{{\n\"version\": \"{version}\",\n\"engines\": {{\"vscode\": \"1\"}}, \"main\": \"a\"}}"
            );
            let lock = format!(
                "{{\n\"version\": \"0.3.0\", \"packages\": {{\"\": {{\"version\": \"{version}\"}}}}}}"
            );
            let init = format!("\n__version__ = \"{version}\"\n");
            let files = [
                ("s/pyproject.toml", manifest),
                ("s/a_b/__init__.py", init.as_str()),
                ("s/other/__init__.py", "__version__ = \"9\"\n"),
                ("e/package.json", package.as_str()),
                ("e/package-lock.json", lock.as_str()),
                ("VERSION", version),
            ];
            check(&RULE, &files, expected);
        };
        of("0.3.0", &[]);
        let expected = [
            "risk s/a_b/__init__.py:2",
            "risk e/package-lock.json:2",
            "risk e/package.json:2",
            "risk VERSION:1",
        ];
        of("0.2.0", &expected);
    }
}
