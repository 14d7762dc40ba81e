//! A claim that no pod mounts.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "claim-unused",
    severity: Severity::Warning,
    why: "the data is not where it is believed to be: it is lost with the pod, and the claim is paid for",
    remedy: "mount it by `volumes[].persistentVolumeClaim.claimName`, or take it away",
    docs: "https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for claim in set
        .of("PersistentVolumeClaim")
        .filter(|claim| set.has_workloads_beside(claim))
    {
        let used = set
            .workloads()
            .filter(|workload| workload.object.beside(claim))
            .any(|workload| workload.claims().contains(&claim.name));
        if !used {
            found.at(claim, claim.line(), "no pod template mounts it");
        }
    }
}
