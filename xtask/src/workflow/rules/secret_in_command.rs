//! `secret-in-command`: no secret stands in a command line.

use crate::workflow::deed;
use crate::workflow::expression::{Expression, Template};
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};
use crate::workflow::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-in-command",
    title: "No secret stands in a command line",
    why: "every process of the machine can read it there, and a shell may write it into a log",
    mend: "give it to the step as a variable under `env`, and let the program read the variable",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for site in repository.sites() {
        let Some(script) = site.script() else {
            continue;
        };
        if let Ok(template) = Template::parse(&script.text) {
            for (offset, path) in template.expressions().flat_map(Expression::paths) {
                if path.starts_with("secrets.") || path == "github.token" {
                    let message = format!("`{path}` is written into the script");
                    found.add(site.path, script.place_of(offset), message);
                }
            }
        }
        for command in site.commands() {
            if let Some(option) = secret_option(&command) {
                let message = format!(
                    "`{option}` hands a secret to `{}`",
                    command.called().first().unwrap_or(&"")
                );
                found.add(site.path, script.place_of(command.offset()), message);
            }
        }
    }
}

/// Options that take a secret.
const OPTIONS: [&str; 9] = [
    "--token",
    "--password",
    "--pat",
    "--api-key",
    "--auth-token",
    "--access-token",
    "--secret",
    "--github-token",
    "--registry-token",
];

/// An option with a variable that holds a secret, such as `--token $TOKEN` or `-p "$PAT"`.
fn secret_option(command: &Command) -> Option<String> {
    let called = command.called();
    let publishes = ["twine", "vsce", "ovsx", "docker", "podman", "@vscode/vsce"];
    let words = deed::unwrapped(&called);
    let short = words
        .first()
        .is_some_and(|program| publishes.contains(program));
    for (index, word) in words.iter().enumerate() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, value),
            None => (*word, *words.get(index + 1).unwrap_or(&"")),
        };
        let is_option = OPTIONS.contains(&option) || (short && option == "-p");
        if is_option && value.starts_with('$') && !value.starts_with("${{") {
            return Some(option.to_owned());
        }
    }
    let header = |word: &&str| {
        word.to_lowercase().starts_with("authorization:")
            && word.contains('$')
            && !word.contains("${{")
    };
    words
        .iter()
        .find(|word| header(word))
        .map(|_| "Authorization".to_owned())
}
