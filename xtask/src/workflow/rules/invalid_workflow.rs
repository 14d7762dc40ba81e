//! `invalid-workflow`: every workflow is what GitHub can read.

use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "invalid-workflow",
    title: "Every workflow is what GitHub can read",
    why: "GitHub does not run a workflow that it cannot read, and says so only on a page that nobody opens",
    mend: "write it as the message says; texts with `: ` or `#` in them need quotes",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for (path, problem) in &repository.broken {
        found.add(path, problem.place, problem.message.clone());
    }
    let workflows = repository
        .workflows
        .iter()
        .map(|workflow| (&workflow.path, &workflow.problems));
    let actions = repository
        .actions
        .iter()
        .map(|action| (&action.path, &action.problems));
    for (path, problems) in workflows.chain(actions) {
        for problem in problems {
            found.add(path, problem.place, problem.message.clone());
        }
    }
}
