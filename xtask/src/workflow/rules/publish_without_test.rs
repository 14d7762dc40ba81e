//! `publish-without-test`: nothing is published that was not tested.

use crate::workflow::deed::{self, Deed};
use crate::workflow::model::JobBody;
use crate::workflow::repository::{Repository, Tool, needed};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "publish-without-test",
    title: "Nothing is published that was not tested",
    why: "a tag on a broken commit becomes a broken release",
    mend: "let the publishing job need the one that tests",
    refuses: Refuses::WithTool,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        // What another workflow's end starts has been tested there.
        if workflow.trigger("workflow_run").is_some() {
            continue;
        }
        for (job, deeds) in deed::publishers(workflow) {
            let needed = needed(workflow, job);
            let before = workflow
                .jobs
                .iter()
                .filter(|job| needed.contains(&*job.id.value));
            let calls = before
                .clone()
                .any(|job| matches!(job.body, JobBody::Reusable { .. }));
            let mut before = before.flat_map(|job| deed::of_job(workflow, job));
            let first = deeds
                .iter()
                .position(|deed| deed.kind.is_publish())
                .unwrap_or_default();
            let tested = before.any(|deed| is_test(repository, &deed))
                || deeds[..first].iter().any(|deed| is_test(repository, deed));
            if !tested && !calls {
                let message = format!("no test runs before `{}`", deeds[first].shown);
                found.add(&workflow.path, deeds[first].place, message);
            }
        }
    }
}

/// A release of this tool proves the wheel before it is sealed.
fn is_test(repository: &Repository, deed: &Deed) -> bool {
    let is_own = deed.ours.is_none() && deed.shown.contains("xtask release");
    deed.kind.is_test() || (matches!(repository.tool, Tool::Used(_)) && is_own)
}
