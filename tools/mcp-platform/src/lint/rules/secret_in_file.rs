//! A Secret with its values, in a file.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "secret-in-file",
    severity: Severity::Warning,
    why: "base64 is no encryption: whoever can read the repository has them, also from its history",
    remedy: "create the Secret by other means, or keep the file encrypted; change the values that were there",
    docs: "https://kubernetes.io/docs/concepts/configuration/secret/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for secret in set.of("Secret") {
        let values = ["data", "stringData"]
            .iter()
            .filter_map(|key| secret.node.get(key));
        if let Some(values) = values.into_iter().find(|values| !values.is_empty()) {
            found.at(secret, values.line, "its values are in the file");
        }
    }
}
