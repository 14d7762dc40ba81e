//! An admin page of a database without a password.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "admin-page-open",
    severity: Severity::Error,
    why: "everybody who reaches the pod reads and changes everything",
    remedy: "switch the password on, or take the page away and use port forwarding when it is needed",
    docs: "https://kubernetes.io/docs/concepts/security/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            for variable in container.each("env") {
                let name = variable.word("name").to_ascii_uppercase();
                let off = matches!(
                    variable.word("value").to_ascii_lowercase().as_str(),
                    "false" | "0" | "no" | "off"
                );
                let about = [
                    "BASICAUTH",
                    "BASIC_AUTH",
                    "AUTH_ENABLED",
                    "ENABLE_AUTH",
                    "LOGIN_REQUIRED",
                ]
                .iter()
                .any(|part| name.contains(part));
                if off && about {
                    let text = format!("container {} has {name} off", container.word("name"));
                    found.at(workload.object, variable.line_of("value"), text);
                }
            }
        }
    }
}
