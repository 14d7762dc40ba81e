//! `publish-without-artifact`: a publishing job takes what the build job made.

use crate::workflow::deed::{self, Deed, Kind, Target};
use crate::workflow::repository::{Repository, Site, job_sites};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "publish-without-artifact",
    title: "A publishing job takes what the build job made",
    why: "what it sends comes from somewhere that no test has seen",
    mend: "download the artifact of the build job before the publish",
    refuses: Refuses::WithTool,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for (job, deeds) in deed::publishers(workflow) {
            let Some(first) = deeds.iter().find(|deed| sends_files(deed)) else {
                continue;
            };
            let builds = deeds
                .iter()
                .any(|deed| deed.kind == Kind::Build && deed.step <= first.step);
            let takes = job_sites(workflow, job)
                .take(first.step + 1)
                .any(|site| takes_artifact(&site));
            if !builds && !takes {
                let message = format!("nothing hands to `{}` what it sends", first.shown);
                found.add(&workflow.path, first.place, message);
            }
        }
    }
}

fn sends_files(deed: &Deed) -> bool {
    match deed.kind {
        Kind::Publish(Target::Python | Target::Extension | Target::Npm | Target::Profile) => true,
        Kind::Publish(Target::Crates | Target::Container | Target::Mcp | Target::GitHub) => false,
        Kind::Build
        | Kind::Test
        | Kind::InstallTest
        | Kind::Audit
        | Kind::Document
        | Kind::Stage(_) => false,
    }
}

fn takes_artifact(site: &Site<'_>) -> bool {
    let by_action = site
        .action()
        .is_some_and(|(name, _)| name.contains("download") && name.contains("artifact"));
    by_action
        || site.commands().iter().any(|command| {
            matches!(
                command.called().as_slice(),
                ["gh", "release" | "run", "download", ..]
            )
        })
}
