//! `cannot-fail`: a step that guards a release or tests it can fail.

mod ignored;

use crate::workflow::deed::{self, Deed};
use crate::workflow::model::{Job, Text, Workflow};
use crate::workflow::repository::{Repository, Site, job_sites};
use crate::workflow::rule::{Found, Refuses, Rule};
use crate::workflow::shell::Joint;

/// The rule.
pub static RULE: Rule = Rule {
    id: "cannot-fail",
    title: "A step that guards a release or tests it can fail",
    why: "a check whose result is thrown away passes on the day that it would have mattered",
    mend: "let the command's own result decide; what may really fail belongs into a step of its own that guards nothing",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        let releases = !deed::publishers(workflow).is_empty();
        for job in &workflow.jobs {
            let guards_by_name = guards_by_name(&job.id.value);
            if let Some(accepts) = &job.continue_on_error
                && is_accepting(&accepts.value)
                && (releases || guards_by_name || tests(workflow, job))
            {
                let message = format!(
                    "the job `{}` may fail without anybody knowing",
                    job.id.value
                );
                found.add(&workflow.path, accepts.place, message);
            }
            for site in job_sites(workflow, job) {
                let deeds = deed::of_site(&site);
                if releases || guards_by_name || !deeds.is_empty() || guards_by_name_of(&site) {
                    judge(&site, &deeds, found);
                }
            }
        }
    }
}

fn tests(workflow: &Workflow, job: &Job) -> bool {
    deed::of_job(workflow, job)
        .iter()
        .any(|deed| deed.kind.is_test())
}

/// Names of what is there to find faults.
const GUARDS: [&str; 12] = [
    "test", "smoke", "e2e", "check", "lint", "audit", "scan", "verify", "validat", "gate",
    "security", "install",
];

fn guards_by_name(name: &str) -> bool {
    GUARDS.iter().any(|word| name.to_lowercase().contains(word))
}

fn guards_by_name_of(site: &Site<'_>) -> bool {
    guards_by_name(&site.names())
}

/// An expression that depends on the leg of a matrix is a decision; a plain `true` is not.
fn is_accepting(value: &str) -> bool {
    value == "true"
        || (value.contains("true") && value.contains("${{") && !value.contains("matrix."))
}

/// Whether anything depends on the step's result: an action that only hands something over, such
/// as a cache, a report or a log, decides nothing, whatever its job is called.
fn decides(site: &Site<'_>, deeds: &[Deed]) -> bool {
    let Some((action, _)) = site.action() else {
        // A script that sees the result through `steps.ID.outcome` decides further down.
        return !is_asked_later(site);
    };
    let name = action.rsplit('/').next().unwrap_or_default().to_owned();
    let hands_over = ["upload", "download", "cache", "setup", "comment"];
    let own = site.step.name.as_ref().map_or("", |name| &name.value);
    !deeds.is_empty()
        || !hands_over.iter().any(|word| name.contains(word))
            && !action.starts_with("codecov/")
            && (guards_by_name(&action) || guards_by_name(own))
            && !is_asked_later(site)
}

/// Whether the file asks for the result of the step, which `continue-on-error` is made for.
fn is_asked_later(site: &Site<'_>) -> bool {
    let asks = |id: &Text| {
        let id = &id.value;
        ["outcome", "conclusion"]
            .iter()
            .any(|part| site.text.contains(&format!("steps.{id}.{part}")))
    };
    site.step.id.as_ref().is_some_and(asks)
}

fn judge(site: &Site<'_>, deeds: &[Deed], found: &mut Found<'_>) {
    // What runs only after a failure collects its traces.
    let after_failure = |text: &Text| text.value.contains("failure()");
    if site.step.condition.as_ref().is_some_and(after_failure) {
        return;
    }
    if let Some(accepts) = &site.step.continue_on_error
        && is_accepting(&accepts.value)
        && decides(site, deeds)
    {
        found.add(
            site.path,
            accepts.place,
            "`continue-on-error` throws the result away",
        );
    }
    let Some(script) = site.script() else {
        return;
    };
    let commands = site.commands();
    for ignored in ignored::ignored(&commands, &script.text) {
        found.add(site.path, script.place_of(ignored.offset), ignored.message);
    }
    if !site.shell().is_some_and(|shell| shell.starts_with("bash"))
        && !script.text.contains("pipefail")
    {
        for deed in deeds {
            let piped = commands.iter().find(|command| {
                command.after == Joint::Pipe && script.place_of(command.offset()) == deed.place
            });
            if piped.is_some() {
                let message = format!(
                    "`{}` ends in a pipe, whose last command alone decides",
                    deed.shown
                );
                let mend =
                    "say `shell: bash`, with which GitHub sets pipefail, or `set -o pipefail`";
                found.add_with(site.path, deed.place, message, mend);
            }
        }
    }
}
