//! A variable that a manifest sets and the server never reads.

use std::collections::BTreeMap;

use super::Rule;
use crate::inspect::kubernetes::is_known_service;
use crate::inspect::source;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unread-variable",
    stage: Stage::Deploy,
    title: "The variables that a manifest sets are read by the server",
    why: "the setting has no effect: the server listens on another port, in another namespace, or without its token",
    remedy: "use the name that the server reads, or drop the variable",
    look,
};

/// Names that only the server itself can be meant to read.
const PLAIN: [&str; 7] = [
    "HOST",
    "PORT",
    "LOG_LEVEL",
    "POD_NAMESPACE",
    "KUBERNETES_NAMESPACE",
    "DATA_DIR",
    "WORKSPACE_DIR",
];

fn look(facts: &Facts<'_>, found: &mut Findings) {
    // Only Python is read well enough, and only a server that reads something at all.
    let is_python = facts.servers().next().is_some() && !facts.environment.fields.is_empty();
    let other = source::programs(facts.repository).any(|(path, _)| path.ends_with(".go"));
    let reads_all = facts.python.iter().any(|python| {
        [
            "dict(os.environ)",
            "os.environ.items()",
            "environ.copy()",
            "in os.environ:",
        ]
        .iter()
        .any(|one| source::holds(python.text, one))
            && source::holds(python.text, "startswith(")
    });
    if !is_python || other || reads_all || !facts.repository.is_whole() {
        return;
    }
    let mut judged: BTreeMap<String, bool> = BTreeMap::new();
    for workload in facts.workloads().iter().filter(|one| one.is_own()) {
        for container in workload.containers() {
            if is_known_service(container.text_of("image").unwrap_or_default()) {
                continue;
            }
            for entry in container.list("env") {
                if let Some(name) = entry.text_of("name") {
                    let is_unread = *judged
                        .entry(name.to_owned())
                        .or_insert_with(|| is_unread(facts, name));
                    if is_unread {
                        let message = format!("sets {name}, which no source of the server reads");
                        found.breaks(workload.object.path, entry.line(), message);
                    }
                }
            }
        }
    }
}

fn is_unread(facts: &Facts<'_>, name: &str) -> bool {
    let is_meant = name.starts_with("MCP_") || PLAIN.contains(&name);
    is_meant && !facts.environment.may_read(facts.repository, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn only_names_that_are_surely_unread() {
        let manifest = "[project]\nname = \"a\"\ndependencies = [\"mcp<2\"]\n";
        let of = |name: &str, source: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a\n    env:\n    - name: {name}\n      value: x\n"
            );
            check(
                &RULE,
                &[
                    ("pyproject.toml", manifest),
                    ("k.yaml", &text),
                    ("a/s.py", source),
                ],
                expected,
            );
        };
        let source = "import os\nport = os.getenv('PORT', '8000')\n";
        of("PORT", source, &[]);
        of("MCP_PORT", source, &["breaks k.yaml:7"]);
        of("KUBERNETES_NAMESPACE", source, &["breaks k.yaml:7"]);
        of("OPENAI_API_KEY", source, &[]);
        of(
            "MCP_PORT",
            "class S(BaseSettings):\n    model_config = {'env_prefix': 'MCP_'}\n    port: int = 1\n",
            &[],
        );
        of("MCP_PORT", "x = 1\n", &[]);
    }
}
