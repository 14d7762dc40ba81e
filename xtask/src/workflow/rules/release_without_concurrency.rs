//! `release-without-concurrency`: two releases do not run at the same time.

use crate::workflow::deed;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "release-without-concurrency",
    title: "Two releases do not run at the same time",
    why: "each finds the other one's half, and the second may overwrite or be refused in the middle",
    mend: "add `concurrency: {group: release, cancel-in-progress: false}` at the top",
    refuses: Refuses::WithTool,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for (job, deeds) in deed::publishers(workflow) {
            let concurrency = job.concurrency.as_ref().or(workflow.concurrency.as_ref());
            let Some(concurrency) = concurrency else {
                let message = format!(
                    "the publishing job `{}` is in no `concurrency` group",
                    job.id.value
                );
                found.add(&workflow.path, job.id.place, message);
                continue;
            };
            if concurrency
                .cancel_in_progress
                .as_ref()
                .is_some_and(|text| text.value == "true")
            {
                let what = deeds
                    .iter()
                    .find(|deed| deed.kind.is_publish())
                    .map_or("", |deed| &deed.shown);
                let message = format!("a newer run ends `{what}` in the middle");
                let mend = "say `cancel-in-progress: false` where something is published";
                found.add_with(&workflow.path, concurrency.place, message, mend);
            }
        }
    }
}
