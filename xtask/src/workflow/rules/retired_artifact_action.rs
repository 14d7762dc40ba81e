//! `retired-artifact-action`: no action is of a version that GitHub has shut down.

use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};
use crate::workflow::uses;

/// The rule.
pub static RULE: Rule = Rule {
    id: "retired-artifact-action",
    title: "No action is of a version that GitHub has shut down",
    why: "the step fails at once: the service behind it is gone",
    mend: "take the newest major version",
    refuses: Refuses::Always,
    find,
};

/// Actions and the newest major version that does not work any more.
const RETIRED: [(&str, u32); 4] = [
    ("actions/upload-artifact", 3),
    ("actions/download-artifact", 3),
    ("actions/cache", 2),
    ("actions/upload-pages-artifact", 1),
];

fn find(repository: &Repository, found: &mut Found<'_>) {
    for uses in uses::all(repository) {
        let Some((name, version)) = uses.text.value.split_once('@') else {
            continue;
        };
        let line = uses
            .file
            .lines()
            .nth(uses.text.place.line - 1)
            .unwrap_or_default();
        let comment = line
            .split_once(" #")
            .map_or("", |(_, comment)| comment.trim());
        let stated = if uses::is_pinned(&uses.text.value) {
            comment
        } else {
            version
        };
        let stated = stated.trim_start_matches('v');
        let major = stated
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap_or_default();
        let Ok(major) = major.parse::<u32>() else {
            continue;
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if RETIRED
            .iter()
            .any(|(known, newest)| is(known) && major <= *newest)
        {
            found.add(
                uses.path,
                uses.text.place,
                format!("`{name}` v{major} was shut down"),
            );
        }
    }
}
