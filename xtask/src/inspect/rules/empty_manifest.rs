//! A manifest with nothing in it.

use super::Rule;
use crate::inspect::repository::folder_of;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "empty-manifest",
    stage: Stage::Deploy,
    title: "A manifest beside others says something",
    why: "`kubectl apply -f` passes over an empty file, and what it is named after does not exist",
    remedy: "write the object, or delete the file",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let objects = facts.objects();
    for file in facts.yaml.iter().filter(|file| file.documents.is_empty()) {
        let folder = folder_of(file.path);
        let text = facts.repository.text(file.path).unwrap_or_default();
        if text.trim().is_empty() && objects.iter().any(|one| folder_of(one.path) == folder) {
            found.risk(file.path, 1, "is empty");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn other_empty_files_are_fine() {
        let pod = "apiVersion: v1\nkind: Pod\n";
        check(
            &RULE,
            &[("k/a.yaml", pod), ("k/b.yaml", "\n"), ("x/c.yaml", "")],
            &["risk k/b.yaml:1"],
        );
        check(&RULE, &[("k/a.yaml", pod), ("k/b.yaml", "# later\n")], &[]);
    }
}
