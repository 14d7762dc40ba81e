//! A manifest that its tool cannot parse.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "broken-manifest",
    stage: Stage::Build,
    title: "`pyproject.toml`, `package.json` and YAML files can be parsed",
    why: "the tool that reads it stops at the first line it does not understand",
    remedy: "mend the file there",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let (workflows, others): (Vec<_>, Vec<_>) = facts
        .broken
        .iter()
        .partition(|one| one.path.starts_with(".github/workflows/"));
    for one in others {
        found.breaks(
            one.path,
            one.line,
            format!("cannot be parsed: {}", one.cause),
        );
    }
    if let Some(first) = workflows.first() {
        let count = match workflows.len() {
            1 => "a workflow is not YAML, and never runs".to_owned(),
            count => format!("{count} workflows are not YAML, and never run"),
        };
        found
            .breaks(first.path, first.line, format!("{count}: {}", first.cause))
            .remedy("see all that is wrong with the workflows: cargo xtask ci check");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn templates_are_no_yaml_yet() {
        let broken = "jobs:\n  a:\n    - name: Prepare: Install\n";
        check(
            &RULE,
            &[
                (".github/workflows/a.yml", broken),
                (".github/workflows/b.yml", broken),
                ("chart/templates/a.yaml", "a: {{ .Values.a }}\n"),
                ("k8s/sound.yaml", "a: 1\n---\nb: 2\n"),
            ],
            &["breaks .github/workflows/a.yml:3"],
        );
        check(
            &RULE,
            &[("package.json", "{\n\"a\": }")],
            &["breaks package.json:2"],
        );
        check(
            &RULE,
            &[("pyproject.toml", "[project\n")],
            &["breaks pyproject.toml:1"],
        );
        check(&RULE, &[("tests/x/package.json", "{")], &[]);
    }
}
