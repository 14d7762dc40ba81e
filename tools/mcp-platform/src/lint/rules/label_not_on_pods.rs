//! A label that the Deployment has and its pods lack, and that somebody selects by.

use crate::lint::objects::{has_all, labels};
use crate::lint::{Found, Node, Object, Rule, Set, Severity};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "label-not-on-pods",
    severity: Severity::Error,
    why: "Services, policies and budgets select pods by the labels of the pod template; those of the Deployment itself do not count",
    remedy: "add the label to `spec.template.metadata.labels`",
    docs: "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/",
    check,
};

/// The label by which policies of kernels admit the server that started them.
const MANAGER: (&str, &str) = ("app", "mcp-server-manager");

fn check(set: &Set, found: &mut Found) {
    let selectors: Vec<(&Object, BTreeMap<String, String>)> = set
        .objects
        .iter()
        .flat_map(|object| {
            wanted(object)
                .into_iter()
                .map(move |wanted| (object, wanted))
        })
        .collect();
    for workload in set.workloads() {
        let own = workload.object.node.at("metadata.labels");
        let pods = workload.labels();
        for (key, value) in own.into_iter().flat_map(Node::entries) {
            let Some(text) = value.text() else {
                continue;
            };
            if pods.get(key) == Some(&text) || workload.object.kind == "Pod" {
                continue;
            }
            let selected = selectors.iter().any(|(object, wanted)| {
                object.beside(workload.object)
                    && wanted.get(key) == Some(&text)
                    && set
                        .beside(object, |labels| has_all(labels, wanted))
                        .next()
                        .is_none()
            });
            if selected || (key, text.as_str()) == MANAGER {
                let message =
                    format!("{key}: {text} is not on its pods, and is what they are selected by");
                found.at(workload.object, value.line, message);
            }
        }
    }
}

/// The plain selectors of pods of its own namespace that an object has.
fn wanted(object: &Object) -> Vec<BTreeMap<String, String>> {
    let node = &object.node;
    let mut all: Vec<&Node> = Vec::new();
    match object.kind.as_str() {
        "Service" => all.extend(node.at("spec.selector")),
        "PodDisruptionBudget" => all.extend(node.at("spec.selector.matchLabels")),
        "NetworkPolicy" => {
            all.extend(node.at("spec.podSelector.matchLabels"));
            for (rules, peers) in [("spec.ingress", "from"), ("spec.egress", "to")] {
                let peers = node.each(rules).flat_map(|rule| rule.each(peers));
                all.extend(
                    peers
                        .filter(|peer| peer.get("namespaceSelector").is_none())
                        .filter_map(|peer| peer.at("podSelector.matchLabels")),
                );
            }
        }
        _ => {}
    }
    all.into_iter()
        .map(labels)
        .filter(|labels| !labels.is_empty())
        .collect()
}

/// Whether a selector would match the labels of a workload itself: then this rule speaks of it, and
/// no other has to.
pub fn only_on_workload(set: &Set, object: &Object, wanted: &BTreeMap<String, String>) -> bool {
    set.workloads().any(|workload| {
        let own = workload
            .object
            .node
            .at("metadata.labels")
            .map(labels)
            .unwrap_or_default();
        let pods = workload.labels();
        workload.object.beside(object)
            && !wanted.is_empty()
            && wanted
                .iter()
                .all(|(key, value)| own.get(key) == Some(value) || pods.get(key) == Some(value))
    })
}
