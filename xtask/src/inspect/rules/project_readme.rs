//! The description that a package index shows.

use super::Rule;
use crate::inspect::repository::beside;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "project-readme",
    stage: Stage::Publish,
    title: "A project names a readme that exists, in the type that it is written in",
    why: "the build fails on a missing readme; an index shows none, or raw markup, and `twine check --strict` refuses it",
    remedy: "set readme = \"README.md\" in pyproject.toml",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in facts
        .projects
        .iter()
        .filter(|project| project.name.is_some())
    {
        let Some((readme, kind)) = &project.readme else {
            let line = project.name.as_ref().map_or(1, |name| name.line);
            if facts.servers().any(|server| server.path == project.path) {
                found.risk(project.path, line, "names no readme");
            }
            continue;
        };
        let path = beside(project.folder, &readme.text);
        if path
            .as_ref()
            .is_some_and(|path| !facts.repository.has(path))
        {
            found.breaks(
                project.path,
                readme.line,
                format!("the readme {} does not exist", readme.text),
            );
        }
        let lower = readme.text.to_ascii_lowercase();
        let expected = match lower.rsplit_once('.').map(|(_, end)| end) {
            Some("md" | "markdown") => "text/markdown",
            Some("rst") => "text/x-rst",
            _ => continue,
        };
        if let Some(kind) = kind.as_deref().filter(|kind| !kind.starts_with(expected)) {
            found
                .risk(
                    project.path,
                    readme.line,
                    format!("{} is declared as {kind}", readme.text),
                )
                .remedy(format!("set its content-type to {expected}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn the_file_is_there_and_of_its_type() {
        let of = |readme: &str, expected: &[&str]| {
            let manifest =
                format!("[project]\nname = \"a\"\ndependencies = [\"mcp<2\"]\n{readme}\n");
            check(
                &RULE,
                &[("pyproject.toml", &manifest), ("README.md", "")],
                expected,
            );
        };
        of("readme = \"README.md\"", &[]);
        of("readme = \"README.rst\"", &["breaks pyproject.toml:4"]);
        of(
            "readme = {file = \"README.md\", content-type = \"text/x-rst\"}",
            &["risk pyproject.toml:4"],
        );
        of(
            "readme = {file = \"README.md\", content-type = \"text/markdown; charset=UTF-8\"}",
            &[],
        );
        of("", &["risk pyproject.toml:2"]);
        of("readme = {text = \"x\"}", &["risk pyproject.toml:2"]);
    }
}
