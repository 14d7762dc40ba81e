//! `tag-is-no-version`: a tag that starts a release is a version.

use crate::workflow::deed;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "tag-is-no-version",
    title: "A tag that starts a release is a version",
    why: "any tag at all would start it: `test`, `latest`, a colleague's bookmark",
    mend: "filter by the form of a version: `tags: [\"v[0-9]+.[0-9]+.[0-9]+\"]`",
    refuses: Refuses::WithTool,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        if deed::publishers(workflow).is_empty() {
            continue;
        }
        let Some(push) = workflow.trigger("push") else {
            continue;
        };
        for pattern in push
            .patterns("tags")
            .iter()
            .filter(|pattern| !is_version(&pattern.value))
        {
            let shown = crate::printable::line(&pattern.value, 60);
            found.add(
                &workflow.path,
                pattern.place,
                format!("the pattern `{shown}` matches more than versions"),
            );
        }
        let filters = ["tags", "tags-ignore", "branches", "branches-ignore"];
        let has_filter = push
            .filters
            .as_ref()
            .is_some_and(|node| filters.iter().any(|key| node.get(key).is_some()));
        if !has_filter {
            found.add(
                &workflow.path,
                push.event.place,
                "every push starts the release",
            );
        }
    }
}

/// Whether the pattern holds a tag to numbers and dots: `v1.*` does not, `v*.*.*` does enough.
fn is_version(pattern: &str) -> bool {
    if pattern.starts_with('!') {
        return true;
    }
    let dots = pattern.matches('.').count();
    let numbers = pattern.contains("[0-9]") || pattern.contains(|c: char| c.is_ascii_digit());
    dots >= 2 && (numbers || pattern.matches('*').count() >= 3)
}
