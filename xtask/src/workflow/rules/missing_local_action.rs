//! `missing-local-action`: every action and workflow of the repository that is named is there.

use crate::workflow::model::{JobBody, Text};
use crate::workflow::repository::{Repository, resolve};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-local-action",
    title: "Every action and workflow of the repository that is named is there",
    why: "the job ends before its first step",
    mend: "name one that is there, or add it",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for site in repository.sites() {
        if let Some((_, action)) = site.action() {
            let is_there = |folder: &str| {
                ["action.yml", "action.yaml", "Dockerfile"]
                    .iter()
                    .any(|name| {
                        repository
                            .disk
                            .has(format!("{folder}/{name}").trim_start_matches('/'))
                    })
            };
            judge(site.path, action, &is_there, found);
        }
    }
    for workflow in &repository.workflows {
        for job in &workflow.jobs {
            if let JobBody::Reusable { uses, .. } = &job.body {
                judge(
                    &workflow.path,
                    uses,
                    &|path: &str| repository.disk.files.contains(path),
                    found,
                );
            }
        }
    }
}

fn judge(path: &str, uses: &Text, is_there: &dyn Fn(&str) -> bool, found: &mut Found<'_>) {
    if !uses.value.starts_with("./") {
        return;
    }
    if let Some(local) = resolve("", &uses.value)
        && !is_there(&local)
    {
        found.add(
            path,
            uses.place,
            format!("there is no `{local}` in the repository"),
        );
    }
}
