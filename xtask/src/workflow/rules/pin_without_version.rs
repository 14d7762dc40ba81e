//! `pin-without-version`: every pinned action says which version it is.

use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};
use crate::workflow::uses;

/// The rule.
pub static RULE: Rule = Rule {
    id: "pin-without-version",
    title: "Every pinned action says which version it is",
    why: "forty digits tell nobody, and no tool that keeps them fresh, what is behind them",
    mend: "add the version as a comment: `@<digest> # v1.2.3`",
    refuses: Refuses::Never,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for uses in uses::all(repository) {
        let line = uses
            .file
            .lines()
            .nth(uses.text.place.line - 1)
            .unwrap_or_default();
        let comment = line.split_once(" #").map_or("", |(_, comment)| comment);
        if uses::is_pinned(&uses.text.value) && !comment.contains(|c: char| c.is_ascii_digit()) {
            let shown = crate::printable::line(&uses.text.value, 80);
            found.add(
                uses.path,
                uses.text.place,
                format!("`{shown}` says no version"),
            );
        }
    }
}
