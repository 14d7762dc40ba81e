//! `unknown-verb`: every call of the tool is one that it understands.

use crate::workflow::deed;
use crate::workflow::repository::{Repository, Tool};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unknown-verb",
    title: "Every call of the tool is one that it understands",
    why: "the step fails at the moment it is needed: on the day of the release",
    mend: "`cargo xtask --help` lists the verbs; `--help` behind a verb lists its options",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    let Tool::Used(problem) = repository.tool else {
        return;
    };
    for site in repository.sites() {
        let Some(script) = site.script() else {
            continue;
        };
        for command in site.commands() {
            let called = command.called();
            let Some(arguments) = deed::xtask_arguments(&called) else {
                continue;
            };
            if let Some(problem) = problem(arguments) {
                let place = script.place_of(command.offset());
                found.add(site.path, place, format!("{}: {problem}", command.shown()));
            }
        }
    }
}
