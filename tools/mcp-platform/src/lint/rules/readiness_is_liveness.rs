//! Readiness that asks the same as liveness.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "readiness-is-liveness",
    severity: Severity::Warning,
    why: "a server that is draining or busy is ended instead of being left out for a while, or stays in rotation until it is gone",
    remedy: "let readiness ask a page that says whether sessions are taken, and liveness one that only says that the process lives",
    docs: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.containers() {
            let (Some(ready), Some(live)) = (
                container.get("readinessProbe"),
                container.get("livenessProbe"),
            ) else {
                continue;
            };
            let same = ["httpGet", "tcpSocket", "exec", "grpc"].iter().any(|look| {
                matches!((ready.get(look), live.get(look)), (Some(ready), Some(live)) if ready.same(live))
            });
            if same {
                let text = format!(
                    "container {} is asked the same for both",
                    container.word("name")
                );
                found.at(workload.object, ready.line, text);
            }
        }
    }
}
