//! A manifest without any object.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "empty-file",
    severity: Severity::Error,
    why: "what should be there is not applied, and no tool complains",
    remedy: "write the object, or remove the file",
    docs: "https://kubernetes.io/docs/concepts/overview/working-with-objects/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for (index, file) in set.files.iter().enumerate() {
        let none = !set.objects.iter().any(|object| object.file == index);
        if none && file.broken.is_none() && !is_other(&file.text) {
            found.in_file(index, 1, "there is no object in this file");
        }
    }
}

/// Whether it is another kind of YAML, such as values of a chart or a kustomization.
fn is_other(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && line != "---" && line != "..."
    })
}
