//! Affinity by address behind a load balancer that hides the address.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "affinity-behind-load-balancer",
    severity: Severity::Error,
    why: "every client seems to have the address of a node, so all of them go to one pod",
    remedy: "set `externalTrafficPolicy: Local`",
    docs: "https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for service in set.of("Service") {
        let node = &service.node;
        if node.word("spec.type") == "LoadBalancer"
            && node.word("spec.sessionAffinity") == "ClientIP"
            && node.word("spec.externalTrafficPolicy") != "Local"
        {
            let line = node.line_of("spec.sessionAffinity");
            found.at(
                service,
                line,
                "ClientIP counts addresses that are not those of the clients",
            );
        }
    }
}
