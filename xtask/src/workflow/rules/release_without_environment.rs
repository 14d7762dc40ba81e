//! `release-without-environment`: a publishing job has an environment.

use crate::workflow::deed;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "release-without-environment",
    title: "A publishing job has an environment",
    why: "without one, any branch and any pushed workflow can use the secret or the identity",
    mend: "add `environment: NAME`, allow only version tags in it, and name it in the trusted publisher",
    refuses: Refuses::WithTool,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for (job, _) in deed::publishers(workflow) {
            if job.environment.is_none() {
                let message = format!("the publishing job `{}` has no `environment`", job.id.value);
                found.add(&workflow.path, job.id.place, message);
            }
        }
    }
}
