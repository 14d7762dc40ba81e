//! A ConfigMap that no pod reads.

use crate::lint::{Found, Node, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "configuration-unused",
    severity: Severity::Warning,
    why: "what is configured there has no effect",
    remedy: "read it by `envFrom`, `configMapKeyRef` or a volume, or take it away",
    docs: "https://kubernetes.io/docs/concepts/configuration/configmap/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for map in set
        .of("ConfigMap")
        .filter(|map| set.has_workloads_beside(map))
    {
        let read = set
            .workloads()
            .filter(|workload| workload.object.beside(map))
            .any(|workload| reads(workload.template, &map.name));
        if !read {
            found.at(map, map.line(), "no pod template reads it");
        }
    }
}

/// Whether a reference to a ConfigMap of that name is somewhere below.
fn reads(node: &Node, name: &str) -> bool {
    let here = ["configMap", "configMapRef", "configMapKeyRef"]
        .iter()
        .any(|key| {
            node.get(key)
                .is_some_and(|reference| reference.word("name") == name)
        });
    here || node.entries().any(|(_, node)| reads(node, name))
        || node.items().any(|node| reads(node, name))
}
