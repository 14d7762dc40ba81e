//! A StatefulSet that names a Service which is not there.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "stateful-set-without-service",
    severity: Severity::Warning,
    why: "its pods have no names in DNS",
    remedy: "add a headless Service (`clusterIP: None`) of that name",
    docs: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.of("StatefulSet") {
        let name = workload.node.word("spec.serviceName");
        let there = set
            .of("Service")
            .any(|service| service.name == name && service.beside(workload));
        if !name.is_empty() && !there {
            found.at(
                workload,
                workload.node.line_of("spec.serviceName"),
                format!("there is no Service {name}"),
            );
        }
    }
}
