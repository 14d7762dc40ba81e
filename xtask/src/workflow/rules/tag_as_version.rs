//! `tag-as-version`: a tag is not used where a version is meant.

use crate::workflow::read::place_in;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "tag-as-version",
    title: "A tag is not used where a version is meant",
    why: "a tag with a `v` in front is no version: `name==v1.2.0` is refused by every installer",
    mend: "take the version from the tool, or cut the `v` off: `${GITHUB_REF_NAME#v}`",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        workflow.root.each_scalar(&mut |node, scalar| {
            for tag in ["github.ref_name", "github.event.release.tag_name"] {
                let before = format!("==${{{{ {tag} }}}}");
                if let Some(offset) = scalar.text.find(&before) {
                    let place = place_in(&workflow.text, node, &scalar.text, offset);
                    found.add(
                        &workflow.path,
                        place,
                        format!("`{before}` is a tag, not a version"),
                    );
                }
            }
            for written in ["==$GITHUB_REF_NAME", "==${GITHUB_REF_NAME}"] {
                if let Some(offset) = scalar.text.find(written) {
                    let place = place_in(&workflow.text, node, &scalar.text, offset);
                    found.add(
                        &workflow.path,
                        place,
                        format!("`{written}` is a tag, not a version"),
                    );
                }
            }
        });
    }
}
