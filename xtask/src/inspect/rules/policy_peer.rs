//! A NetworkPolicy about pods that no manifest makes.

use super::Rule;
use crate::inspect::kubernetes::shown_labels;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "policy-peer",
    stage: Stage::Deploy,
    title: "The pods that a NetworkPolicy selects and admits are made by some manifest",
    why: "a label that no pod template has admits nobody, or protects nothing",
    remedy: "use the label that the pod template carries",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let workloads = facts.workloads();
    if workloads.is_empty() {
        return;
    }
    let mut judge = |path: &str, what: &str, labels: &Node| {
        let is_known = facts.is_near_template(path)
            || labels.pairs().is_empty()
            || workloads.iter().any(|one| one.is_selected(labels));
        // A source of the server may make such pods.
        let is_made = labels.pairs().iter().all(|pair| {
            let text = pair.value.text().unwrap_or_default();
            let quoted = [format!("\"{text}\""), format!("'{text}'")];
            crate::inspect::source::programs(facts.repository)
                .any(|(_, program)| quoted.iter().any(|one| program.contains(one.as_str())))
        });
        if !is_known && !is_made {
            found.risk(
                path,
                labels.line(),
                format!("{what} {}, which no pod template has", shown_labels(labels)),
            );
        }
    };
    for policy in facts
        .objects()
        .iter()
        .filter(|one| one.kind == "NetworkPolicy")
    {
        if let Some(labels) = policy.spec(&["podSelector", "matchLabels"]) {
            judge(policy.path, "is for pods with", labels);
        }
        for (direction, key, what) in [
            ("ingress", "from", "admits pods with"),
            ("egress", "to", "lets out to pods with"),
        ] {
            let rules = policy.spec(&[direction]).map_or(&[][..], Node::items);
            for peer in rules.iter().flat_map(|rule| rule.list(key)) {
                let labels = peer.at(&["podSelector", "matchLabels"]);
                if let Some(labels) = labels.filter(|_| peer.get("namespaceSelector").is_none()) {
                    judge(policy.path, what, labels);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn peers_elsewhere_are_not_judged() {
        let text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec:\n  podSelector:\n    matchLabels: {app: a}\n  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app: b\n    - namespaceSelector: {}\n      podSelector:\n        matchLabels: {app: c}\n---\napiVersion: v1\nkind: Pod\nmetadata: {labels: {app: a}}\nspec: {containers: []}\n";
        check(&RULE, &[("k.yaml", text)], &["risk k.yaml:10"]);
        check(
            &RULE,
            &[("k.yaml", text), ("s.py", "labels = {'app': 'b'}\n")],
            &[],
        );
    }
}
