//! A Service that leads to a named port which no container has.

use crate::lint::objects::{has_all, labels};
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "service-port-without-container",
    severity: Severity::Error,
    why: "every connection to it fails",
    remedy: "give the port of the container that name, or lead to a number",
    docs: "https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for service in set.of("Service") {
        let Some(selector) = service
            .node
            .at("spec.selector")
            .map(labels)
            .filter(|all| !all.is_empty())
        else {
            continue;
        };
        let workloads: Vec<_> = set
            .beside(service, |found| has_all(found, &selector))
            .collect();
        for port in service.node.each("spec.ports") {
            let target = port.word("targetPort");
            if target.is_empty() || target.parse::<u16>().is_ok() {
                continue;
            }
            let lacking = workloads.iter().find(|workload| {
                !workload
                    .containers()
                    .flat_map(|container| container.each("ports"))
                    .any(|port| port.word("name") == target)
            });
            if let Some(workload) = lacking {
                let text = format!(
                    "no container of {} has a port {target}",
                    workload.object.name
                );
                found.at(service, port.line_of("targetPort"), text);
            }
        }
    }
}
