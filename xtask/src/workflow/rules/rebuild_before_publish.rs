//! `rebuild-before-publish`: a publishing job does not build.

use crate::workflow::deed::{self, Kind};
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "rebuild-before-publish",
    title: "A publishing job does not build",
    why: "it sends other bytes than those that were tested, built where the publishing identity is at hand",
    mend: "build in one job, hand `dist/` over as an artifact, and publish that",
    refuses: Refuses::WithTool,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for (job, deeds) in deed::publishers(workflow) {
            let last = deeds
                .iter()
                .rposition(|deed| deed.kind.is_publish())
                .unwrap_or_default();
            for deed in deeds[..last].iter().filter(|deed| deed.kind == Kind::Build) {
                let message = format!(
                    "`{}` builds in the publishing job `{}`",
                    deed.shown, job.id.value
                );
                found.add(&workflow.path, deed.place, message);
            }
        }
    }
}
