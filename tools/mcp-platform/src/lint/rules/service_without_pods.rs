//! A Service whose selector matches no pod.

use crate::lint::objects::{has_all, labels};
use crate::lint::rules::label_not_on_pods::only_on_workload;
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "service-without-pods",
    severity: Severity::Error,
    why: "every connection to it fails",
    remedy: "select by labels of the pod template",
    docs: "https://kubernetes.io/docs/concepts/services-networking/service/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for service in set
        .of("Service")
        .filter(|service| set.has_workloads_beside(service))
    {
        let Some(selector) = service
            .node
            .at("spec.selector")
            .filter(|selector| !selector.is_empty())
        else {
            continue;
        };
        let wanted = labels(selector);
        if set
            .beside(service, |found| has_all(found, &wanted))
            .next()
            .is_none()
            && !Set::at_run_time(service, &wanted)
            && !only_on_workload(set, service, &wanted)
        {
            found.at(
                service,
                selector.line,
                "its selector matches no pod template",
            );
        }
    }
}
