//! Several pods that want a volume which one node at a time can mount.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "claim-shared-by-replicas",
    severity: Severity::Error,
    why: "only the pods on one node start, or two write to the same files",
    remedy: "run one replica with the strategy Recreate, or use a StatefulSet with volumeClaimTemplates",
    docs: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads().filter(|workload| workload.replicas() > 1) {
        if let Some(claim) = set.single_claims(&workload).first() {
            let line = workload.object.node.line_of("spec.replicas");
            let text = format!("{} pods want claim {}", workload.replicas(), claim.name);
            found.at(workload.object, line, text);
        }
    }
}
