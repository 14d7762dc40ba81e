//! A network policy that selects no pod.

use crate::lint::objects::{labels, matches};
use crate::lint::rules::label_not_on_pods::only_on_workload;
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "policy-without-pods",
    severity: Severity::Error,
    why: "what it should shut off stays open",
    remedy: "select by labels of the pod template",
    docs: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for policy in set
        .of("NetworkPolicy")
        .filter(|policy| set.has_workloads_beside(policy))
    {
        let Some(selector) = policy.node.at("spec.podSelector") else {
            continue;
        };
        let wanted = selector.at("matchLabels").map(labels).unwrap_or_default();
        if set
            .beside(policy, |found| matches(selector, found))
            .next()
            .is_none()
            && !Set::at_run_time(policy, &wanted)
            && !only_on_workload(set, policy, &wanted)
        {
            found.at(
                policy,
                selector.line,
                "its podSelector matches no pod template",
            );
        }
    }
}
