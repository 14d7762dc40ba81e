//! The namespace as a word in a manifest.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "namespace-hard-coded",
    severity: Severity::Warning,
    why: "in another namespace the server works on the objects of the first",
    remedy: "read it by `valueFrom.fieldRef.fieldPath: metadata.namespace`",
    docs: "https://kubernetes.io/docs/tasks/inject-data-application/environment-variable-expose-pod-information/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            let variables = container.each("env").filter(|variable| {
                matches!(
                    variable.word("name").as_str(),
                    "POD_NAMESPACE" | "KUBERNETES_NAMESPACE"
                )
            });
            for variable in variables {
                if let Some(value) = variable.get("value") {
                    let name = variable.word("name");
                    found.at(
                        workload.object,
                        value.line,
                        format!("{name} is a fixed word"),
                    );
                }
            }
        }
    }
}
