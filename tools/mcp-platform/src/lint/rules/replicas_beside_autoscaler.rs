//! A number of instances beside an autoscaler that sets it.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "replicas-beside-autoscaler",
    severity: Severity::Warning,
    why: "every apply sets the number back, and the autoscaler ends or starts instances again",
    remedy: "leave `replicas` out of the workload",
    docs: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for autoscaler in set.of("HorizontalPodAutoscaler") {
        let Some(target) = set.target(autoscaler) else {
            continue;
        };
        // A StatefulSet of one is another mistake.
        let one = target.object.kind == "StatefulSet" && target.replicas() == 1;
        let recreated = target.object.node.word("spec.strategy.type") == "Recreate";
        let single = one || recreated || !set.single_claims(&target).is_empty();
        if let (Some(replicas), false) = (target.object.node.at("spec.replicas"), single) {
            let text = format!(
                "it names a number, and the autoscaler {} sets it",
                autoscaler.name
            );
            found.at(target.object, replicas.line, text);
        }
    }
}
