//! A network policy that admits pods which nothing makes.

use crate::lint::objects::{labels, matches};
use crate::lint::rules::label_not_on_pods::only_on_workload;
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "policy-peer-without-pods",
    severity: Severity::Error,
    why: "nobody is admitted: connections that should work are cut off",
    remedy: "name labels that a pod template of that namespace has",
    docs: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for policy in set
        .of("NetworkPolicy")
        .filter(|policy| set.has_workloads_beside(policy))
    {
        for (rules, peers) in [("spec.ingress", "from"), ("spec.egress", "to")] {
            for peer in policy.node.each(rules).flat_map(|rule| rule.each(peers)) {
                let Some(selector) = peer.get("podSelector") else {
                    continue;
                };
                let wanted = selector.at("matchLabels").map(labels).unwrap_or_default();
                let elsewhere = peer.get("namespaceSelector").is_some();
                if elsewhere || selector.is_empty() || Set::at_run_time(policy, &wanted) {
                    continue;
                }
                let none = set
                    .beside(policy, |found| matches(selector, found))
                    .next()
                    .is_none();
                if none && !only_on_workload(set, policy, &wanted) {
                    let text = format!(
                        "no pod template has the labels of a peer: {}",
                        shown(&wanted)
                    );
                    found.at(policy, selector.line, text);
                }
            }
        }
    }
}

fn shown(labels: &std::collections::BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}
