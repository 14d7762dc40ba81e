//! `pull-request-target-checkout`: what a stranger sends is not checked out where secrets are.

use crate::workflow::model::Text;
use crate::workflow::repository::{Repository, job_sites};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "pull-request-target-checkout",
    title: "What a stranger sends is not checked out where secrets are",
    why: "`pull_request_target` and `workflow_run` run with the repository's secrets; its build scripts would run with them",
    mend: "use `pull_request`, or leave the stranger's commit alone",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        let target = ["pull_request_target", "workflow_run", "issue_comment"];
        let Some(event) = target
            .iter()
            .find(|event| workflow.trigger(event).is_some())
        else {
            continue;
        };
        for job in &workflow.jobs {
            if job.condition.as_ref().is_some_and(keeps_strangers_out) {
                continue;
            }
            for site in job_sites(workflow, job) {
                if site
                    .step
                    .condition
                    .as_ref()
                    .is_some_and(keeps_strangers_out)
                {
                    continue;
                }
                let is_checkout = site
                    .action()
                    .is_some_and(|(name, _)| name == "actions/checkout");
                let inputs = [site.input("ref"), site.input("repository")];
                for input in inputs.into_iter().flatten().filter(|_| is_checkout) {
                    if is_head(&input.value) {
                        found.add(
                            site.path,
                            input.place,
                            format!("the head of the request is checked out on `{event}`"),
                        );
                    }
                }
                let Some(script) = site.script() else {
                    continue;
                };
                for command in site.commands() {
                    let called = command.called();
                    let fetches = matches!(called.as_slice(), ["gh", "pr", "checkout", ..])
                        || (called.first() == Some(&"git") && is_head(&called.join(" ")));
                    if fetches {
                        found.add(
                            site.path,
                            script.place_of(command.offset()),
                            format!("the head of the request is checked out on `{event}`"),
                        );
                    }
                }
            }
        }
    }
}

/// Whether a condition lets through only what did not come from a fork, or whom the repository
/// trusts.
fn keeps_strangers_out(condition: &Text) -> bool {
    let text: String = condition.value.split_whitespace().collect();
    let own_events = ["push", "release", "schedule", "workflow_dispatch"];
    own_events
        .iter()
        .any(|event| text.contains(&format!("workflow_run.event=='{event}'")))
        || [
            "head_repository.full_name==github.repository",
            "head.repo.full_name==github.repository",
            "head.repo.fork==false",
            "!github.event.pull_request.head.repo.fork",
            "author_association",
        ]
        .iter()
        .any(|guard| text.contains(guard))
}

fn is_head(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "pull_request.head",
        "github.head_ref",
        "refs/pull/",
        "workflow_run.head",
    ]
    .iter()
    .any(|part| text.contains(part))
}
