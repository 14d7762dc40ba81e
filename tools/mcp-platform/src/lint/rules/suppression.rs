//! A comment that ignores a rule, without a reason or for nothing. Found where comments are read.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "suppression",
    severity: Severity::Warning,
    why: "a comment that answers for nothing hides the next mistake",
    remedy: "write `# mcp-platform: ignore[rule-id] reason` at the line or above it, or take it away",
    docs: "https://kubernetes.io/docs/concepts/configuration/overview/",
    check,
};

fn check(_: &Set, _: &mut Found) {}
