//! Built packages under version control.

use super::Rule;
use crate::inspect::repository::{file_name, folder_of, is_foreign};
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "committed-artifact",
    stage: Stage::Build,
    title: "No built package is committed",
    why: "a build adds its wheel beside the old one, and what takes `dist/*.whl` or the newest file may ship the old",
    remedy: "git rm --cached it, and add dist/ to .gitignore",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let is_built = |path: &&String| {
        let name = file_name(path);
        let in_dist = folder_of(path).split('/').any(|folder| folder == "dist");
        !is_foreign(path)
            && (name.ends_with(".whl")
                || name.ends_with(".vsix")
                || (in_dist && name.ends_with(".tar.gz")))
    };
    for path in facts.repository.files.iter().filter(is_built) {
        found
            .risk(path, 1, "a built package is committed")
            .remedy(format!(
                "git rm --cached {path}, and add its folder to .gitignore"
            ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn sources_and_fixtures_are_fine() {
        let files = [
            ("s/dist/a-1-py3-none-any.whl", ""),
            ("s/dist/a-1.tar.gz", ""),
        ];
        let expected = [
            "risk s/dist/a-1-py3-none-any.whl:1",
            "risk s/dist/a-1.tar.gz:1",
        ];
        check(&RULE, &files, &expected);
        check(
            &RULE,
            &[
                ("tests/a.whl", ""),
                ("data/a.tar.gz", ""),
                ("dist/x.js", ""),
            ],
            &[],
        );
    }
}
