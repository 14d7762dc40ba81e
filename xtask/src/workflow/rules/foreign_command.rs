//! `foreign-command`: what the tool does is done by the tool.

use crate::workflow::deed;
use crate::workflow::repository::{Repository, Tool};
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "foreign-command",
    title: "What the tool does is done by the tool",
    why: "CI then makes or sends other bytes than a developer does, and neither gate, proof nor ledger sees them",
    mend: "call the verb of the tool",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    if matches!(repository.tool, Tool::Absent) {
        return;
    }
    for site in repository.sites() {
        for deed in deed::of_site(&site) {
            if let Some(ours) = deed.ours {
                let mend = format!("call `{ours}`; it is the same here as at a terminal");
                found.add_with(site.path, deed.place, deed.shown, mend);
            }
        }
    }
}
