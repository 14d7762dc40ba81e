//! `missing-script`: every script, npm script and make target is there.

mod tree;
mod wanted;

use crate::workflow::repository::{Repository, Site, job_sites, resolve};
use crate::workflow::rule::{Found, Refuses, Rule};
use tree::Tree;

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-script",
    title: "Every script, npm script and make target is there",
    why: "the step fails, and a step that nobody reads the result of has never done anything",
    mend: "name one that is there, or add it",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for job in &workflow.jobs {
            let mut tree = Tree::default();
            for site in job_sites(workflow, job) {
                tree.see(&site);
                if tree.is_checkout() {
                    judge(repository, &site, &tree, found);
                }
            }
        }
    }
}

fn judge(repository: &Repository, site: &Site<'_>, tree: &Tree, found: &mut Found<'_>) {
    let (Some(script), Some(mut folder)) = (site.script(), site.folder()) else {
        return;
    };
    if tree.is_made(&folder) {
        return;
    }
    let mut made = tree.clone();
    for command in site.commands() {
        let called = command.called();
        if let ["cd" | "pushd", target, ..] = called.as_slice() {
            match resolve(&folder, target) {
                Some(target) if command.depth == 0 => folder = target,
                // In a group the folder is another one up to its end only.
                _ => return,
            }
            continue;
        }
        made.see_command(&command);
        let Some(wanted) = wanted::wanted(&called, &folder) else {
            continue;
        };
        if made.is_made(wanted.path()) {
            continue;
        }
        if let Some(problem) = wanted.problem(&repository.disk) {
            found.add(site.path, script.place_of(command.offset()), problem);
        }
    }
}
