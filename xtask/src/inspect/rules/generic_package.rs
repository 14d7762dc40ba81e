//! A top-level package with a name that anyone may have.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "generic-package",
    stage: Stage::Build,
    title: "The wheel's top-level package has a name of its own",
    why: "two wheels that both install `src` or `server` overwrite each other's files",
    remedy: "name the package after the distribution, and its scripts with it",
    look,
};

const GENERIC: [&str; 14] = [
    "src", "server", "app", "main", "lib", "utils", "tools", "common", "core", "client", "api",
    "scripts", "tests", "config",
];

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in &facts.projects {
        let scripts = project.scripts.iter().map(|(_, target)| target);
        let packages = project.packages.iter().map(|(package, _)| package);
        for stated in packages.chain(scripts) {
            let module = stated.text.split(':').next().unwrap_or_default();
            let top = module.split(['.', '/']).next().unwrap_or_default();
            if GENERIC.contains(&top) {
                let message = format!("the wheel installs a top-level module `{top}`");
                found.breaks(project.path, stated.line, message);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn names_of_ones_own_are_fine() {
        let of = |more: &str, expected: &[&str]| {
            let manifest = format!("[project]\nname = \"a\"\n{more}\n");
            check(&RULE, &[("pyproject.toml", &manifest)], expected);
        };
        of(
            "[project.scripts]\na = \"src.main:main\"",
            &["breaks pyproject.toml:4"],
        );
        of(
            "[tool.hatch.build.targets.wheel]\npackages = [\"src\"]",
            &["breaks pyproject.toml:4"],
        );
        of(
            "[tool.hatch.build.targets.wheel]\npackages = [\"src/a\"]",
            &[],
        );
        of(
            "[tool.poetry]\npackages = [{include = \"a\", from = \"src\"}]",
            &[],
        );
        of("[project.scripts]\na = \"a.server:main\"", &[]);
    }
}
