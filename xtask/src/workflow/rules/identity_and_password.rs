//! `identity-and-password`: a job proves who it is in one way only.

use crate::workflow::deed::{self, Kind, Target};
use crate::workflow::identity;
use crate::workflow::model::{StepBody, Variable};
use crate::workflow::repository::{Repository, Site, job_sites};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "identity-and-password",
    title: "A job proves who it is in one way only",
    why: "a token beside trusted publishing is used instead of it, and is one more secret that can leak",
    mend: "register the trusted publisher, then delete the token and its secret",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for job in &workflow.jobs {
            if !identity::has(workflow, job) {
                continue;
            }
            let publishes = |site: &Site<'_>| {
                deed::of_site(site).iter().any(|deed| {
                    matches!(deed.kind, Kind::Publish(target) | Kind::Stage(target) if takes_identity(target))
                })
            };
            let sites: Vec<Site<'_>> = job_sites(workflow, job).collect();
            for site in sites.iter().filter(|site| publishes(site)) {
                let inputs = match &site.step.body {
                    StepBody::Uses { with, .. } => with.as_slice(),
                    StepBody::Run { .. } => &[],
                };
                let variables = site.step.variables.iter().chain(inputs);
                let variables = variables.chain(&job.variables).chain(&workflow.variables);
                for variable in variables.filter(|variable| is_password(variable)) {
                    let name = &variable.name.value;
                    let message = format!("`{name}` is a password beside `id-token: write`");
                    found.add(site.path, variable.name.place, message);
                }
            }
        }
    }
}

fn takes_identity(target: Target) -> bool {
    match target {
        Target::Python
        | Target::Npm
        | Target::Crates
        | Target::Mcp
        | Target::Extension
        | Target::Profile => true,
        Target::Container | Target::GitHub => false,
    }
}

fn is_password(variable: &Variable) -> bool {
    let name = variable.name.value.to_lowercase();
    let named = [
        "password", "token", "_pat", "-pat", "secret", "api_key", "api-key",
    ]
    .iter()
    .any(|part| name.contains(part));
    let value = &variable.value.value;
    let is_secret =
        value.contains("secrets.") && !value.to_lowercase().contains("secrets.github_token");
    named && is_secret && !name.starts_with("github") && !name.starts_with("gh_")
}
