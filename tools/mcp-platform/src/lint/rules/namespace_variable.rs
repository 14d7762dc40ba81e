//! The namespace under a name that the server does not read.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "namespace-variable",
    severity: Severity::Error,
    why: "the server believes to be in the namespace `default`, and looks there for its kernels",
    remedy: "call the variable POD_NAMESPACE",
    docs: "https://kubernetes.io/docs/tasks/inject-data-application/environment-variable-expose-pod-information/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            let has = |name: &str| {
                container
                    .each("env")
                    .find(|variable| variable.word("name") == name)
            };
            if let (Some(variable), None) = (has("KUBERNETES_NAMESPACE"), has("POD_NAMESPACE")) {
                let text = "KUBERNETES_NAMESPACE is set, and POD_NAMESPACE is what is read";
                found.at(workload.object, variable.line_of("name"), text);
            }
        }
    }
}
