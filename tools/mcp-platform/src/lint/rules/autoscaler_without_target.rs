//! An autoscaler of something that is not there.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "autoscaler-without-target",
    severity: Severity::Error,
    why: "it does nothing, and nobody is told",
    remedy: "name the kind and the name of the workload in `scaleTargetRef`",
    docs: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for autoscaler in set.of("HorizontalPodAutoscaler") {
        if set.has_workloads_beside(autoscaler) && set.target(autoscaler).is_none() {
            let node = &autoscaler.node;
            let text = format!(
                "there is no {} {}",
                node.word("spec.scaleTargetRef.kind"),
                node.word("spec.scaleTargetRef.name")
            );
            found.at(autoscaler, node.line_of("spec.scaleTargetRef.name"), text);
        }
    }
}
