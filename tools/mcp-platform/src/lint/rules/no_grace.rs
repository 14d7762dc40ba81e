//! A server that is killed without being asked to end.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "no-grace",
    severity: Severity::Error,
    why: "sessions are cut off and data is lost at every update and every drain",
    remedy: "take `terminationGracePeriodSeconds: 0` out of the template; to end pods at once, delete them with grace 0",
    docs: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        let path = "spec.terminationGracePeriodSeconds";
        if workload.template.number(path) == Some(0) {
            let line = workload.template.line_of(path);
            found.at(workload.object, line, "its pods have no time to end");
        }
    }
}
