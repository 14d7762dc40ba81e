//! `release-starts-nothing`: a release that starts a workflow is made by somebody who can.

use crate::workflow::deed::{self, Kind, Target};
use crate::workflow::model::Workflow;
use crate::workflow::repository::{Repository, Site, job_sites};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "release-starts-nothing",
    title: "A release that starts a workflow is made by somebody who can",
    why: "what GitHub's own token makes starts no workflow: the one that waits for the release never runs",
    mend: "publish in the workflow that makes the release, or start the other one by `workflow_run`",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    // What a release has started adds to it, and makes none.
    let others = |workflow: &&Workflow| {
        workflow.triggers.iter().any(|trigger| {
            trigger.event.value != "release" && trigger.event.value != "workflow_dispatch"
        })
    };
    let makes = repository.workflows.iter().filter(others).any(|workflow| {
        workflow
            .jobs
            .iter()
            .any(|job| job_sites(workflow, job).any(|site| makes_release(&site)))
    });
    for workflow in repository.workflows.iter().filter(|_| makes) {
        if let Some(trigger) = workflow.trigger("release") {
            let message = "the release is made with `GITHUB_TOKEN`, which starts no workflow";
            found.add(&workflow.path, trigger.event.place, message);
        }
    }
}

/// Whether a step makes a release, and with GitHub's own token.
fn makes_release(site: &Site<'_>) -> bool {
    let makes = deed::of_site(site).iter().any(|deed| {
        let is_release = matches!(deed.kind, Kind::Publish(Target::GitHub));
        is_release && !deed.shown.contains("release upload")
    });
    let tokens = ["token", "github_token", "repo_token"]
        .iter()
        .filter_map(|name| site.input(name));
    let variables = site
        .step
        .variables
        .iter()
        .filter(|variable| matches!(variable.name.value.as_str(), "GH_TOKEN" | "GITHUB_TOKEN"));
    let mut tokens = tokens.chain(variables.map(|variable| &variable.value));
    makes
        && tokens.all(|token| {
            let token = token.value.to_lowercase();
            token.contains("github_token") || token.contains("github.token")
        })
}
