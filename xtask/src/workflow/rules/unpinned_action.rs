//! `unpinned-action`: every action is pinned to a commit.

use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};
use crate::workflow::uses;

/// The rule.
pub static RULE: Rule = Rule {
    id: "unpinned-action",
    title: "Every action is pinned to a commit",
    why: "whoever can move a tag of the action runs code with this repository's tokens",
    mend: "pin it to the commit: `uses: OWNER/NAME@<40 hexadecimal digits> # v1.2.3`; an image to its digest",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for uses in uses::all(repository) {
        let action = &uses.text.value;
        if action.starts_with("./") {
            continue;
        }
        let shown = crate::printable::line(action, 80);
        if let Some(image) = action.strip_prefix("docker://") {
            if !image.contains("@sha256:") {
                found.add(
                    uses.path,
                    uses.text.place,
                    format!("`{shown}` has no digest"),
                );
            }
        } else if !uses::is_pinned(action) {
            found.add(
                uses.path,
                uses.text.place,
                format!("`{shown}` is not pinned to a commit"),
            );
        }
    }
}
