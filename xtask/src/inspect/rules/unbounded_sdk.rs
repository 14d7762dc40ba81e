//! A requirement on the SDK that lets its next major version in.

use super::Rule;
use crate::doctor::is_bounded;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unbounded-sdk",
    stage: Stage::Build,
    title: "The requirements on `mcp` and `fastmcp` have an upper bound",
    why: "the SDK's next major version renames modules; a fresh installation takes it and the server no longer starts",
    remedy: "bound it below its next major version, such as mcp>=1.9,<2, and lock anew",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in &facts.projects {
        let sdks = project.dependencies.iter();
        for one in sdks.filter(|one| matches!(one.name.as_str(), "mcp" | "fastmcp")) {
            let range = one.range.trim();
            let poetry = range.starts_with('^') || range.starts_with('~');
            let exact = range.starts_with(|c: char| c.is_ascii_digit());
            if !poetry && !exact && !is_bounded(&one.range) {
                let message = format!("{}{} has no upper bound", one.name, range);
                found.breaks(project.path, one.line, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn every_form_of_a_bound_counts() {
        let standard = |requirement: &str, expected: &[&str]| {
            let manifest = format!(
                "[project]\nname = \"a\"\ndependencies = [\n  \"x\",\n  \"{requirement}\",\n]\n"
            );
            check(&RULE, &[("pyproject.toml", &manifest)], expected);
        };
        standard("mcp>=1", &["breaks pyproject.toml:5"]);
        standard("fastmcp", &["breaks pyproject.toml:5"]);
        standard(
            "mcp[cli]>=1.2; python_version > '3'",
            &["breaks pyproject.toml:5"],
        );
        for sound in [
            "mcp>=1,<2",
            "mcp==1.2",
            "mcp~=1.2",
            "mcp @ git+https://a.example/x",
            "httpx",
        ] {
            standard(sound, &[]);
        }
        let poetry = |range: &str, expected: &[&str]| {
            let manifest =
                format!("[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\nmcp = {range}\n");
            check(&RULE, &[("pyproject.toml", &manifest)], expected);
        };
        poetry("\"*\"", &["breaks pyproject.toml:4"]);
        poetry("\">=1\"", &["breaks pyproject.toml:4"]);
        for sound in [
            "\"^1.2\"",
            "\"~1\"",
            "\"1.2\"",
            "{path = \"../x\"}",
            "{version = \"^1\"}",
        ] {
            poetry(sound, &[]);
        }
    }
}
