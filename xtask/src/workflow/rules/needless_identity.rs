//! `needless-identity`: only jobs that use an identity can ask for one.

use crate::workflow::identity;
use crate::workflow::model::JobBody;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "needless-identity",
    title: "Only jobs that use an identity can ask for one",
    why: "any code in the job can publish in this repository's name",
    mend: "give `id-token: write` to the publishing job alone",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for job in &workflow.jobs {
            let Some(place) = identity::granted(workflow, job) else {
                continue;
            };
            let calls = matches!(job.body, JobBody::Reusable { .. });
            if !calls && !identity::is_used(workflow, job) {
                let message = format!(
                    "nothing in the job `{}` uses `id-token: write`",
                    job.id.value
                );
                found.add(&workflow.path, place, message);
            }
        }
    }
}
