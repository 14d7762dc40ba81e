//! A variable that is set twice.

use crate::lint::{Found, Rule, Set, Severity};
use std::collections::BTreeSet;

/// The rule.
pub const RULE: Rule = Rule {
    id: "variable-twice",
    severity: Severity::Warning,
    why: "only the last one counts, and server-side apply refuses the list",
    remedy: "keep one of them",
    docs: "https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            let mut seen = BTreeSet::new();
            for variable in container.each("env") {
                let name = variable.word("name");
                if !seen.insert(name.clone()) {
                    let text = format!("container {} has {name} twice", container.word("name"));
                    found.at(workload.object, variable.line_of("name"), text);
                }
            }
        }
    }
}
