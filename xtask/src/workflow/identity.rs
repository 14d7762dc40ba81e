//! Who may ask GitHub for an identity, and who does.

use super::deed::{self, Kind, Target};
use super::model::{Grant, Job, Permissions, Place, Workflow};
use super::repository::job_sites;

/// Where `id-token: write` is given to a job, by itself or by its workflow.
pub fn granted(workflow: &Workflow, job: &Job) -> Option<Place> {
    let permissions = job.permissions.as_ref().or(workflow.permissions.as_ref())?;
    place(permissions)
}

/// Whether a job can ask for an identity.
pub fn has(workflow: &Workflow, job: &Job) -> bool {
    granted(workflow, job).is_some()
}

fn place(permissions: &Permissions) -> Option<Place> {
    match &permissions.grant {
        Grant::All(all) => (all.value == "write-all").then_some(all.place),
        Grant::Each(each) => each
            .iter()
            .find(|grant| grant.name.value == "id-token" && grant.value.value == "write")
            .map(|grant| grant.name.place),
    }
}

/// Actions that ask for one, by the beginning of their names.
const ACTIONS: [&str; 14] = [
    "pypa/gh-action-pypi-publish",
    "actions/attest",
    "actions/deploy-pages",
    "aws-actions/configure-aws-credentials",
    "azure/login",
    "google-github-actions/auth",
    "hashicorp/vault-action",
    "sigstore/",
    "slsa-framework/",
    "codecov/",
    "rust-lang/crates-io-auth-action",
    "docker/build-push-action",
    "ossf/scorecard-action",
    "pulumi/auth-actions",
];

/// Words in a script that ask for one.
const WORDS: [&str; 8] = [
    "ACTIONS_ID_TOKEN",
    "cosign",
    "sigstore",
    "github-oidc",
    "--provenance",
    "--oidc",
    "trusted-publishing",
    "attest",
];

/// Whether anything in the job asks for one.
pub fn is_used(workflow: &Workflow, job: &Job) -> bool {
    let publishes = |kind: Kind| match kind {
        Kind::Publish(target) | Kind::Stage(target) => !matches!(target, Target::GitHub),
        Kind::Build | Kind::Test | Kind::InstallTest | Kind::Audit | Kind::Document => false,
    };
    if deed::of_job(workflow, job)
        .iter()
        .any(|deed| publishes(deed.kind))
    {
        return true;
    }
    job_sites(workflow, job).any(|site| {
        let by_script = site
            .script()
            .is_some_and(|script| WORDS.iter().any(|word| script.text.contains(word)));
        // What an own action does is not known here.
        by_script
            || site.action().is_some_and(|(name, _)| {
                name.starts_with("./") || ACTIONS.iter().any(|known| name.starts_with(known))
            })
    })
}
