//! `removed-option`: no command uses what its program does not have (any more).

use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "removed-option",
    title: "No command uses what its program does not have (any more)",
    why: "the step fails on every machine that installs the program anew",
    mend: "use what took its place",
    refuses: Refuses::Always,
    find,
};

/// The words of a command, an option, and what to do.
const REMOVED: [(&[&str], &str, &str); 3] = [
    (
        &["poetry", "lock"],
        "--no-update",
        "Poetry 2 has no such option; plain `poetry lock` keeps what is locked",
    ),
    (
        &["poetry", "install"],
        "--no-dev",
        "Poetry 2 has no such option; say `--only main`",
    ),
    (
        &["poetry", "export"],
        "--dev",
        "it is gone; say `--with dev`",
    ),
];

fn find(repository: &Repository, found: &mut Found<'_>) {
    for site in repository.sites() {
        let Some(script) = site.script() else {
            continue;
        };
        for command in site.commands() {
            let called = command.called();
            for (words, option, mend) in &REMOVED {
                if called.starts_with(words) && called.contains(option) {
                    let message = format!("`{}`: there is no `{option}`", command.shown());
                    found.add_with(site.path, script.place_of(command.offset()), message, *mend);
                }
            }
        }
    }
}
