//! A `MANIFEST.in` that the build back end does not read.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "ignored-manifest-in",
    stage: Stage::Build,
    title: "`MANIFEST.in` belongs to setuptools",
    why: "other build back ends ignore it, so the files it lists are missing from the package",
    remedy: "say it in the table of the build back end, and delete MANIFEST.in",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in &facts.projects {
        let path = project.join("MANIFEST.in");
        if facts.repository.has(&path) && !project.back_end.starts_with("setuptools") {
            found.risk(&path, 1, format!("{} does not read it", project.back_end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn setuptools_reads_it() {
        let of = |back_end: &str, expected: &[&str]| {
            let manifest = format!(
                "[project]\nname = \"a\"\n[build-system]\nbuild-backend = \"{back_end}\"\n"
            );
            check(
                &RULE,
                &[("pyproject.toml", &manifest), ("MANIFEST.in", "")],
                expected,
            );
        };
        of("poetry.core.masonry.api", &["risk MANIFEST.in:1"]);
        of("setuptools.build_meta", &[]);
    }
}
