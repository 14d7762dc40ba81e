//! A repository without a license.

use super::Rule;
use crate::inspect::repository::file_name;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-license",
    stage: Stage::Publish,
    title: "There is a LICENSE file",
    why: "without one nobody may use what is published, and license scans of others refuse it",
    remedy: "add a LICENSE file and name it in pyproject.toml (license-files) and package.json",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let is_license = |path: &String| {
        let name = file_name(path).to_ascii_lowercase();
        ["license", "licence", "copying", "unlicense"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    let first = facts.projects.first().map(|project| project.path);
    let first = first.or_else(|| facts.extensions().next().map(|package| package.path));
    if let Some(path) = first.filter(|_| !facts.repository.files.iter().any(is_license)) {
        found.risk(path, 1, "there is no LICENSE file in this repository");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn one_anywhere_is_enough() {
        let manifest = ("pyproject.toml", "[project]\nname = \"a\"\n");
        check(&RULE, &[manifest], &["risk pyproject.toml:1"]);
        check(&RULE, &[manifest, ("s/LICENSE.txt", "")], &[]);
        check(&RULE, &[("package.json", "{}")], &[]);
    }
}
