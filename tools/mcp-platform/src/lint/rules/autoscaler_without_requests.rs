//! An autoscaler by use of what no container asked for.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "autoscaler-without-requests",
    severity: Severity::Error,
    why: "use is measured in parts of the request; without one the autoscaler does nothing",
    remedy: "add `resources.requests` for that resource to every container",
    docs: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#how-does-a-horizontalpodautoscaler-work",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for autoscaler in set.of("HorizontalPodAutoscaler") {
        let Some(target) = set.target(autoscaler) else {
            continue;
        };
        for metric in autoscaler.node.each("spec.metrics") {
            let resource = metric.word("resource.name");
            if metric.word("resource.target.type") != "Utilization" || resource.is_empty() {
                continue;
            }
            let lacking = target.containers().find(|container| {
                ["requests", "limits"].iter().all(|part| {
                    container
                        .at(&format!("resources.{part}"))
                        .and_then(|part| part.get(&resource))
                        .is_none()
                })
            });
            if let Some(container) = lacking {
                let text = format!(
                    "container {} requests no {resource}",
                    container.word("name")
                );
                found.at(autoscaler, metric.line_of("resource.name"), text);
            }
        }
    }
}
