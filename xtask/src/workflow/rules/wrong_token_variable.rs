//! `wrong-token-variable`: a token is given under the name that its index is asked by.

use crate::workflow::deed;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "wrong-token-variable",
    title: "A token is given under the name that its index is asked by",
    why: "Poetry reads `POETRY_PYPI_TOKEN_<REPOSITORY>`; under another name the token is not found, or goes to the wrong index",
    mend: "name the variable after the repository that is published to",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for site in repository.sites() {
        let Some(script) = site.script() else {
            continue;
        };
        for command in site.commands() {
            let called = command.called();
            let words = deed::unwrapped(&called);
            if !matches!(words.as_slice(), ["poetry", "publish", ..]) {
                continue;
            }
            let repository = words
                .iter()
                .enumerate()
                .find_map(|(index, word)| match *word {
                    "-r" | "--repository" => words.get(index + 1).copied(),
                    word => word.strip_prefix("--repository="),
                });
            let wanted = repository
                .unwrap_or("pypi")
                .to_uppercase()
                .replace('-', "_");
            let job = site.job.map_or(&[][..], |job| &job.variables);
            let variables = site.step.variables.iter().chain(job);
            let given: Vec<&str> = variables
                .filter_map(|variable| variable.name.value.strip_prefix("POETRY_PYPI_TOKEN_"))
                .collect();
            if !given.is_empty() && !given.contains(&wanted.as_str()) {
                let message = format!(
                    "`{}` reads POETRY_PYPI_TOKEN_{wanted}, which is not set",
                    command.shown()
                );
                found.add(site.path, script.place_of(command.offset()), message);
            }
        }
    }
}
