//! A hint to install an extra that the project does not have.

use super::Rule;
use crate::inspect::repository::file_name;
use crate::inspect::{Facts, Findings, Stage};
use crate::name::normalize;

/// The rule.
pub static RULE: Rule = Rule {
    id: "unknown-extra",
    stage: Stage::Build,
    title: "Every extra that users are told to install exists",
    why: "pip installs the package without it and only warns, so the advice never helps",
    remedy: "declare it under [project.optional-dependencies]; a dependency group is no extra",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in facts.projects.iter().filter(|project| !project.is_dynamic) {
        let Some(name) = &project.name else {
            continue;
        };
        let needle = format!("{}[", name.text);
        for (path, text) in &facts.repository.texts {
            let is_told =
                path.ends_with(".py") || file_name(path).to_ascii_lowercase().starts_with("readme");
            if !is_told || !crate::inspect::source::holds(text, &needle) {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                for (at, _) in line.match_indices(&needle) {
                    let before = &line[..at];
                    let extras = line[at + needle.len()..]
                        .split(']')
                        .next()
                        .unwrap_or_default();
                    let installs = before.contains("install")
                        || before.contains("uvx")
                        || before.contains("uv add");
                    let missing = extras.split(',').map(str::trim).find(|extra| {
                        let plain = extra
                            .chars()
                            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
                        plain && !extra.is_empty() && !project.extras.contains(&normalize(extra))
                    });
                    if let Some(extra) = missing.filter(|_| installs) {
                        found.risk(
                            path,
                            index + 1,
                            format!("{} has no extra `{extra}`", name.text),
                        );
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn extras_are_not_groups() {
        let manifest = "[project]\nname = \"a-b\"\n[project.optional-dependencies]\nx_y = []\n[dependency-groups]\nsuper = []\n";
        let readme = "\npip install a-b[x-y]\npip install \"a-b[super]\"\nsee a-b[0]\n";
        check(
            &RULE,
            &[("pyproject.toml", manifest), ("README.md", readme)],
            &["risk README.md:3"],
        );
    }
}
