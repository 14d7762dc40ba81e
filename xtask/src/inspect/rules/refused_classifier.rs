//! Classifiers with which an index refuses the upload.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "refused-classifier",
    stage: Stage::Publish,
    title: "No classifier keeps the package out of the index",
    why: "an index refuses `Private ::`; beside a license expression, builds refuse a `License ::` classifier (PEP 639)",
    remedy: "take the classifier out",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in &facts.projects {
        for one in &project.classifiers {
            if one.text.starts_with("Private ::") {
                found.breaks(
                    project.path,
                    one.line,
                    format!("{:?} keeps it private", one.text),
                );
            } else if one.text.starts_with("License ::")
                && project.license.is_some()
                && project.back_end.starts_with("setuptools")
            {
                found.breaks(
                    project.path,
                    one.line,
                    format!("{:?} stands beside a license expression", one.text),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn others_are_fine() {
        let of = |more: &str, expected: &[&str]| {
            let manifest = format!("[project]\nname = \"a\"\n{more}\n");
            check(&RULE, &[("pyproject.toml", &manifest)], expected);
        };
        of(
            "classifiers = [\n\"Private :: Do Not Upload\"]",
            &["breaks pyproject.toml:4"],
        );
        of(
            "license = \"MIT\"\nclassifiers = [\"License :: OSI Approved :: MIT License\"]",
            &["breaks pyproject.toml:4"],
        );
        of(
            "classifiers = [\"License :: OSI Approved :: MIT License\"]",
            &[],
        );
        of(
            "license = \"MIT\"\nclassifiers = [\"Topic :: Software Development\"]",
            &[],
        );
    }
}
