//! `allow-comment`: a comment that accepts a finding names a rule and says why.

use crate::workflow::accept;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "allow-comment",
    title: "A comment that accepts a finding names a rule and says why",
    why: "a finding that is accepted for no reason is a finding that nobody has looked at",
    mend: "write `# xtask: allow RULE because REASON`, or take the comment out",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    let workflows = repository
        .workflows
        .iter()
        .map(|workflow| (&workflow.path, &workflow.text));
    let actions = repository
        .actions
        .iter()
        .map(|action| (&action.path, &action.text));
    for (path, text) in workflows.chain(actions) {
        for (place, problem) in accept::problems(text) {
            found.add(path, place, problem);
        }
    }
}
