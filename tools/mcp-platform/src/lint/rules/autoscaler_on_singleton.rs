//! An autoscaler that may start a second one of what can only be one.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "autoscaler-on-singleton",
    severity: Severity::Error,
    why: "a second instance waits for a volume that only one can have, or works beside the first on the same state",
    remedy: "take the autoscaler away, or give each instance its own volume with a StatefulSet and make it sticky",
    docs: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for autoscaler in set.of("HorizontalPodAutoscaler") {
        let Some(target) = set.target(autoscaler) else {
            continue;
        };
        if autoscaler.node.number("spec.maxReplicas").unwrap_or(1) < 2 {
            continue;
        }
        let node = &target.object.node;
        let why = if !set.single_claims(&target).is_empty() {
            "mounts a claim that one node at a time can have"
        } else if node.word("spec.strategy.type") == "Recreate" {
            "is never to run twice: its strategy is Recreate"
        } else if target.object.kind == "StatefulSet" && node.number("spec.replicas") == Some(1) {
            "is a StatefulSet of one"
        } else {
            continue;
        };
        let line = autoscaler.node.line_of("spec.maxReplicas");
        found.at(
            autoscaler,
            line,
            format!("{} {} {why}", target.object.kind, target.object.name),
        );
    }
}
