//! `untrusted-input`: no text that a stranger can choose stands in a script.

use crate::workflow::expression::{Expression, Template};
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "untrusted-input",
    title: "No text that a stranger can choose stands in a script",
    why: "the text is put into the script before the shell reads it: a title such as `$(…)` is run",
    mend: "give it to the step as a variable under `env`, and use `\"$NAME\"` in the script",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for site in repository.sites() {
        if let Some(script) = site.script() {
            for (offset, path) in untrusted(&script.text) {
                found.add(
                    site.path,
                    script.place_of(offset),
                    format!("`{path}` can be chosen by anybody"),
                );
            }
        }
        let is_script = site
            .action()
            .is_some_and(|(name, _)| name == "actions/github-script");
        if let Some(input) = site.input("script").filter(|_| is_script) {
            for (_, path) in untrusted(&input.value) {
                found.add(
                    site.path,
                    input.place,
                    format!("`{path}` can be chosen by anybody"),
                );
            }
        }
    }
}

fn untrusted(text: &str) -> Vec<(usize, String)> {
    let Ok(template) = Template::parse(text) else {
        return Vec::new();
    };
    let paths = template.expressions().flat_map(Expression::paths);
    paths.filter(|(_, path)| is_untrusted(path)).collect()
}

/// The last parts of paths under `github.event` that strangers fill in.
const FREE_TEXTS: [&str; 9] = [
    "title",
    "body",
    "message",
    "name",
    "email",
    "label",
    "default_branch",
    "page_name",
    "description",
];

fn is_untrusted(path: &str) -> bool {
    if path == "github.head_ref" {
        return true;
    }
    let Some(rest) = path.strip_prefix("github.event.") else {
        return false;
    };
    let last = rest.rsplit('.').next().unwrap_or_default();
    let own = [
        "repository.",
        "organization.",
        "sender.",
        "inputs.",
        "action",
        "release.tag_name",
    ];
    if own.iter().any(|start| rest.starts_with(start))
        && !rest.starts_with("repository.description")
    {
        return rest.starts_with("inputs.") && last == "*";
    }
    FREE_TEXTS.contains(&last)
        || (last == "ref" && rest.contains("head"))
        || rest.contains("client_payload")
}
