//! The same object twice.

use crate::lint::{Found, Rule, Set, Severity};
use std::collections::BTreeSet;

/// The rule.
pub const RULE: Rule = Rule {
    id: "object-twice",
    severity: Severity::Error,
    why: "whichever is applied last wins",
    remedy: "keep one of them",
    docs: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    let mut seen = BTreeSet::new();
    for object in set.objects.iter().filter(|object| !object.name.is_empty()) {
        let group = object.api_version.rsplit_once('/').map(|(group, _)| group);
        if !seen.insert((group, &object.kind, &object.namespace, &object.name)) {
            found.at(object, object.line(), "it is there twice");
        }
    }
}
