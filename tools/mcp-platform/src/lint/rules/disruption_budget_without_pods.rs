//! A disruption budget whose selector matches no pod.

use crate::lint::objects::{labels, matches};
use crate::lint::rules::label_not_on_pods::only_on_workload;
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "disruption-budget-without-pods",
    severity: Severity::Error,
    why: "the pods that it should protect are not protected",
    remedy: "select by labels of the pod template",
    docs: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for budget in set.of("PodDisruptionBudget") {
        let Some(selector) = budget.node.at("spec.selector") else {
            continue;
        };
        let wanted = selector.at("matchLabels").map(labels).unwrap_or_default();
        if set.has_workloads_beside(budget)
            && set
                .beside(budget, |found| matches(selector, found))
                .next()
                .is_none()
            && !only_on_workload(set, budget, &wanted)
        {
            found.at(
                budget,
                selector.line,
                "its selector matches no pod template",
            );
        }
    }
}
