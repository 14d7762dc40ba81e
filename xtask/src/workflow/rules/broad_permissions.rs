//! `broad-permissions`: a job has no more permissions than it needs.

use crate::workflow::model::{Grant, Permissions, Workflow};
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "broad-permissions",
    title: "A job has no more permissions than it needs",
    why: "whatever runs in the job, a dependency's install script too, has them",
    mend: "begin with `permissions: {}` at the top, and give each job what it needs",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        match &workflow.permissions {
            Some(permissions) => judge(workflow, permissions, Level::Workflow, found),
            None => {
                let everywhere = workflow.jobs.iter().all(|job| job.permissions.is_some());
                if !everywhere || workflow.jobs.is_empty() {
                    let place = workflow.root.place;
                    let message =
                        "there is no `permissions`: the jobs get the repository's default";
                    found.add(&workflow.path, place, message);
                }
            }
        }
        for permissions in workflow
            .jobs
            .iter()
            .filter_map(|job| job.permissions.as_ref())
        {
            judge(workflow, permissions, Level::Job, found);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Workflow,
    Job,
}

fn judge(workflow: &Workflow, permissions: &Permissions, level: Level, found: &mut Found<'_>) {
    match &permissions.grant {
        Grant::All(all) if all.value == "write-all" => {
            found.add(&workflow.path, all.place, "`write-all` gives everything");
        }
        Grant::All(_) => {}
        Grant::Each(each) => {
            let alone = workflow.jobs.len() == 1;
            let writes = each.iter().filter(|grant| grant.value.value == "write");
            for grant in writes.filter(|_| level == Level::Workflow && !alone) {
                let message = format!(
                    "`{}: write` is given to every job of the workflow",
                    grant.name.value
                );
                found.add(&workflow.path, grant.name.place, message);
            }
        }
    }
}
