//! A namespace that is selected by a label that namespaces do not have.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "namespace-label",
    stage: Stage::Deploy,
    title: "Namespaces are selected by kubernetes.io/metadata.name",
    why: "no namespace has a label `name` by itself, so that the policy admits nobody: no DNS, no Ingress",
    remedy: "select it by kubernetes.io/metadata.name",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let objects = facts.objects();
    for policy in objects.iter().filter(|one| one.kind == "NetworkPolicy") {
        for (direction, key) in [("ingress", "from"), ("egress", "to")] {
            let rules = policy.spec(&[direction]).map_or(&[][..], Node::items);
            for peer in rules.iter().flat_map(|rule| rule.list(key)) {
                let Some(name) = peer.at(&["namespaceSelector", "matchLabels", "name"]) else {
                    continue;
                };
                let text = name.text().unwrap_or_default();
                let is_labelled = objects.iter().any(|one| {
                    one.kind == "Namespace"
                        && one
                            .node
                            .at(&["metadata", "labels", "name"])
                            .and_then(Node::text)
                            == Some(text)
                });
                if is_labelled {
                    continue;
                }
                let message = format!(
                    "selects the namespace {text} by a label `name`, which it does not have by itself"
                );
                match text.starts_with("kube-") {
                    true => found.breaks(policy.path, name.line(), message),
                    false => found.risk(policy.path, name.line(), message),
                }
                .remedy(format!("kubernetes.io/metadata.name: {text}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn labelled_namespaces_are_fine() {
        let of = |label: &str, more: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec:\n  egress:\n  - to:\n    - namespaceSelector:\n        matchLabels:\n          {label}\n---\n{more}"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("name: kube-system", "", &["breaks k.yaml:8"]);
        of("name: frontend", "", &["risk k.yaml:8"]);
        of(
            "name: frontend",
            "apiVersion: v1\nkind: Namespace\nmetadata: {labels: {name: frontend}}\n",
            &[],
        );
        of("kubernetes.io/metadata.name: kube-system", "", &[]);
    }
}
