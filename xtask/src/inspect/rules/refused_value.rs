//! A value that the server's settings refuse.

use super::Rule;
use crate::inspect::kubernetes::Workload;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "refused-value",
    stage: Stage::Deploy,
    title: "The values that a manifest sets are among those that the settings list",
    why: "pydantic refuses the value when the server starts, and the process ends",
    remedy: "write one of the listed values; upper and lower case count",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let mut judge = |path: &str, name: &str, line: usize, value: &str| {
        let Some(field) = facts
            .environment
            .field(name)
            .filter(|field| !field.choices.is_empty())
        else {
            return;
        };
        if !value.contains('$') && !field.choices.iter().any(|choice| choice == value) {
            let message = format!(
                "{name} is {value:?}; the settings take {}",
                field.choices.join(", ")
            );
            found.breaks(path, line, message);
        }
    };
    for workload in facts.workloads().iter().filter(|one| one.is_own()) {
        for container in workload.containers() {
            for (name, value) in Workload::environment(container) {
                judge(
                    workload.object.path,
                    name,
                    value.line(),
                    value.text().unwrap_or_default(),
                );
            }
        }
    }
    for (file, one) in facts.instructions().filter(|(_, one)| one.word == "ENV") {
        for pair in one.words() {
            if let Some((name, value)) = pair.split_once('=') {
                judge(file.path, name, one.line, value.trim_matches(['"', '\'']));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn case_counts() {
        let source =
            "class S(BaseSettings):\n    LOG_LEVEL: Literal[\"debug\", \"info\"] = \"info\"\n";
        let of = |value: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a\n    env:\n    - name: LOG_LEVEL\n      value: {value}\n"
            );
            check(&RULE, &[("k.yaml", &text), ("s.py", source)], expected);
        };
        of("info", &[]);
        of("\"INFO\"", &["breaks k.yaml:8"]);
        let image = "FROM a\nENV LOG_LEVEL=WARN\n";
        check(
            &RULE,
            &[("Dockerfile", image), ("s.py", source)],
            &["breaks Dockerfile:2"],
        );
        check(&RULE, &[("Dockerfile", image)], &[]);
    }
}
