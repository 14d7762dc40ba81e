//! `publish-in-reusable-workflow`: publishing jobs stand in the workflow that is started.

use crate::workflow::deed;
use crate::workflow::identity;
use crate::workflow::model::{Job, JobBody, Workflow};
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "publish-in-reusable-workflow",
    title: "Publishing jobs stand in the workflow that is started",
    why: "the identity of a reusable workflow is that of its caller: a trusted publisher does not match, or matches for every caller",
    mend: "write the publishing job into the workflow with the trigger",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        let is_called = workflow.trigger("workflow_call").is_some();
        for (job, deeds) in deed::publishers(workflow) {
            for deed in deeds
                .iter()
                .filter(|deed| is_called && deed.kind.is_publish())
            {
                let id = &job.id.value;
                let message = format!(
                    "`{}` publishes in the job `{id}` of a reusable workflow",
                    deed.shown
                );
                found.add(&workflow.path, deed.place, message);
            }
        }
        for job in &workflow.jobs {
            if let JobBody::Reusable { uses, .. } = &job.body
                && publishes(repository, workflow, job, &uses.value)
            {
                let shown = crate::printable::line(&uses.value, 80);
                found.add(
                    &workflow.path,
                    uses.place,
                    format!("`{shown}` publishes for this workflow"),
                );
            }
        }
    }
}

/// A workflow of this repository is looked into; of another one only the name and the
/// permissions are known.
fn publishes(repository: &Repository, workflow: &Workflow, job: &Job, uses: &str) -> bool {
    if let Some(local) = uses.strip_prefix("./") {
        let called = repository
            .workflows
            .iter()
            .find(|workflow| workflow.path == local);
        return called.is_some_and(|called| !deed::publishers(called).is_empty());
    }
    let name = uses
        .split('@')
        .next()
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let named = ["publish", "release", "deploy"]
        .iter()
        .any(|word| name.to_lowercase().contains(word));
    named && identity::has(workflow, job)
}
