//! A Deployment that starts the new pod while the old one holds the volume.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "claim-with-rolling-update",
    severity: Severity::Error,
    why: "the new pod waits for a volume that the old one keeps until the new one is ready: the update never ends",
    remedy: "set `strategy.type: Recreate`",
    docs: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#recreate-deployment",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set
        .workloads()
        .filter(|workload| workload.object.kind == "Deployment")
    {
        let node = &workload.object.node;
        let several = set.several(&workload);
        if several || node.word("spec.strategy.type") == "Recreate" {
            continue;
        }
        if let Some(claim) = set.single_claims(&workload).first() {
            let text = format!(
                "it is updated by rolling, and claim {} can be mounted once",
                claim.name
            );
            found.at(workload.object, node.line_of("spec.strategy.type"), text);
        }
    }
}
