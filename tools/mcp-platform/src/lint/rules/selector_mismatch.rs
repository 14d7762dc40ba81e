//! A workload whose selector does not match its own pods.

use crate::lint::objects::matches;
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "selector-mismatch",
    severity: Severity::Error,
    why: "the API server refuses it",
    remedy: "let `spec.selector.matchLabels` be a part of `spec.template.metadata.labels`",
    docs: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        let selector = workload.object.node.at("spec.selector");
        if let Some(selector) = selector.filter(|_| workload.serves())
            && !matches(selector, &workload.labels())
        {
            found.at(
                workload.object,
                selector.line,
                "its selector does not match its own pod template",
            );
        }
    }
}
