//! A container that is never asked whether it works.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "no-probes",
    severity: Severity::Error,
    why: "requests go to a server that has not started yet, or hangs",
    remedy: "add a readinessProbe, and a livenessProbe or startupProbe, on pages that the server really has",
    docs: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads().filter(crate::lint::Workload::serves) {
        // A container without ports serves nobody.
        for container in workload
            .containers()
            .filter(|container| container.get("ports").is_some())
        {
            let has = |key: &str| container.get(key).is_some_and(|probe| !probe.is_empty());
            let lacking = match (
                has("readinessProbe"),
                has("livenessProbe") || has("startupProbe"),
            ) {
                (true, true) => continue,
                (false, false) => "probe",
                (false, true) => "readinessProbe",
                (true, false) => "livenessProbe or startupProbe",
            };
            let text = format!("container {} has no {lacking}", container.word("name"));
            found.at(workload.object, container.line_of("name"), text);
        }
    }
}
