//! A disruption budget that protects nothing.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "disruption-budget-idle",
    severity: Severity::Warning,
    why: "all pods may be taken away at once, as if there were no budget",
    remedy: "say `maxUnavailable: 1`, or take the budget away",
    docs: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for budget in set.of("PodDisruptionBudget") {
        for (path, idle) in [
            ("spec.minAvailable", ["0", "0%"].as_slice()),
            ("spec.maxUnavailable", ["100%"].as_slice()),
        ] {
            let value = budget.node.word(path);
            if idle.contains(&value.as_str()) {
                found.at(
                    budget,
                    budget.node.line_of(path),
                    format!("{value} has no effect"),
                );
            }
        }
    }
}
