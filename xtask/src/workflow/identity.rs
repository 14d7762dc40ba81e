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

/// Actions that never ask for one, by the beginning of their names. What any other one does is
/// not known here.
const WITHOUT: [&str; 15] = [
    "actions/checkout",
    "actions/setup-",
    "actions/cache",
    "actions/upload-artifact",
    "actions/download-artifact",
    "actions/github-script",
    "astral-sh/setup-uv",
    "swatinem/rust-cache",
    "dtolnay/rust-toolchain",
    "docker/setup-",
    "docker/login-action",
    "docker/metadata-action",
    "snok/install-poetry",
    "pnpm/action-setup",
    "softprops/action-gh-release",
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

/// Whether anything in the job asks for one, or may.
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
        let may_by_action = site
            .action()
            .is_some_and(|(name, _)| !WITHOUT.iter().any(|known| name.starts_with(known)));
        by_script || may_by_action
    })
}
