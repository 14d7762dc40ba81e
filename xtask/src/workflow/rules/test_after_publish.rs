//! `test-after-publish`: tests come before the publish.

use crate::workflow::deed;
use crate::workflow::repository::{Repository, needed};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "test-after-publish",
    title: "Tests come before the publish",
    why: "what is found after the publish is found by users, too, and cannot be taken back",
    mend: "try the built package, or the one of the staging index, in a job that the publish needs",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        let publishers = deed::publishers(workflow);
        for job in &workflow.jobs {
            let needed = needed(workflow, job);
            let after = publishers
                .iter()
                .find(|(publisher, _)| needed.contains(&*publisher.id.value));
            let deeds = deed::of_job(workflow, job);
            for (index, deed) in deeds
                .iter()
                .enumerate()
                .filter(|(_, deed)| deed.kind.is_test())
            {
                let publisher = match after {
                    Some((publisher, _)) => {
                        Some(format!("the job `{}` has published", publisher.id.value))
                    }
                    None => deeds[..index]
                        .iter()
                        .find(|deed| deed.kind.is_publish())
                        .map(|deed| format!("`{}` has published", deed.shown)),
                };
                if let Some(publisher) = publisher {
                    found.add(
                        &workflow.path,
                        deed.place,
                        format!("`{}` runs when {publisher}", deed.shown),
                    );
                }
            }
        }
    }
}
