//! A file that cannot be read as YAML.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "not-yaml",
    severity: Severity::Error,
    why: "nothing of it is applied",
    remedy: "mend it at that line; templates of a chart have to be rendered first",
    docs: "https://yaml.org/spec/1.2.2/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for (index, file) in set.files.iter().enumerate() {
        if let Some((line, why)) = &file.broken {
            found.in_file(index, *line, why.clone());
        }
    }
}
