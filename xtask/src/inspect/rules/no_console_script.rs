//! A server without a command.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "no-console-script",
    stage: Stage::Build,
    title: "A server installs a command",
    why: "`uvx NAME` and `pipx run NAME` start the command of that name; without one they end with an error",
    remedy: "add one under [project.scripts]: NAME = \"package.module:main\"",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in facts.servers() {
        if let Some(name) = &project.name
            && project.scripts.is_empty()
            && !facts.repository.has(&project.join("setup.py"))
            && !facts.repository.has(&project.join("setup.cfg"))
        {
            found.breaks(
                project.path,
                name.line,
                format!("{} has no console script", name.text),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn only_servers_need_one() {
        let manifest = "[project]\nname = \"a\"\ndependencies = [\"mcp<2\"]\n";
        check(
            &RULE,
            &[("pyproject.toml", manifest)],
            &["breaks pyproject.toml:2"],
        );
        let with = format!("{manifest}[project.scripts]\na = \"a:main\"\n");
        check(&RULE, &[("pyproject.toml", &with)], &[]);
        check(
            &RULE,
            &[("pyproject.toml", "[project]\nname = \"a\"\n")],
            &[],
        );
    }
}
