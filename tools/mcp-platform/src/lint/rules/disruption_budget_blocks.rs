//! A disruption budget that allows no disruption.

use crate::lint::objects::matches;
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "disruption-budget-blocks",
    severity: Severity::Error,
    why: "no node with such a pod can ever be drained: upgrades of the cluster stop there",
    remedy: "say `maxUnavailable: 1`, or run more instances than `minAvailable`; a singleton needs no budget",
    docs: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for budget in set.of("PodDisruptionBudget") {
        let node = &budget.node;
        let most = node.word("spec.maxUnavailable");
        if most == "0" || most == "0%" {
            let text = "no pod may ever be missing";
            found.at(budget, node.line_of("spec.maxUnavailable"), text);
            continue;
        }
        let least = node.word("spec.minAvailable");
        let Some(selector) = node.at("spec.selector") else {
            continue;
        };
        let mut targets = set
            .beside(budget, |labels| matches(selector, labels))
            .peekable();
        if targets.peek().is_none() {
            continue;
        }
        let pods: i64 = targets
            .map(|target| {
                let autoscaler = set.autoscaler(&target);
                autoscaler
                    .and_then(|autoscaler| autoscaler.node.number("spec.minReplicas"))
                    .unwrap_or_else(|| target.replicas())
            })
            .sum();
        let blocks = least == "100%"
            || least
                .parse::<i64>()
                .is_ok_and(|least| least > 0 && least >= pods);
        if blocks {
            let text = format!("{least} of {pods} must be there at every moment");
            found.at(budget, node.line_of("spec.minAvailable"), text);
        }
    }
}
