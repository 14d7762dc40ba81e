//! A network policy that finds a namespace by a label `name`.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "namespace-by-name-label",
    severity: Severity::Error,
    why: "no namespace has that label by itself: the peer matches nothing",
    remedy: "use `kubernetes.io/metadata.name`, which every namespace has since 1.21",
    docs: "https://kubernetes.io/docs/concepts/services-networking/network-policies/#targeting-a-namespace-by-its-name",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for policy in set.of("NetworkPolicy") {
        for (rules, peers) in [("spec.ingress", "from"), ("spec.egress", "to")] {
            for peer in policy.node.each(rules).flat_map(|rule| rule.each(peers)) {
                let Some(name) = peer
                    .at("namespaceSelector.matchLabels")
                    .and_then(|all| all.get("name"))
                else {
                    continue;
                };
                let text = name.text().unwrap_or_default();
                let labelled = set
                    .of("Namespace")
                    .any(|namespace| namespace.node.word("metadata.labels.name") == text);
                if !labelled {
                    found.at(
                        policy,
                        name.line,
                        format!("namespace {text} is found by the label `name`"),
                    );
                }
            }
        }
    }
}
