//! What each verb needs, and what is wrong with a repository as far as reading tells. Pure.

use serde::Serialize;

use crate::tools::Version;

/// How a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Good,
    /// The tool provides it by itself on first use.
    Provided,
    /// Works, but deserves a look.
    Warning,
    /// The verbs named will fail.
    Missing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it weighs.
    pub state: State,
    /// What was looked at: a tool's name or a file.
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What is needed, when that is a version.
    pub needed: Option<String>,
    /// The verbs that need it; empty for all.
    pub verbs: Vec<&'static str>,
    /// How to mend it.
    pub remedy: Option<String>,
}

/// A tool that must or may be on the machine.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// The oldest version that works.
    pub minimum: Version,
    /// The verbs that need it.
    pub verbs: &'static [&'static str],
    /// How to install it.
    pub remedy: &'static str,
    /// Whether the tool brings its own when the machine has none.
    pub provided: bool,
}

/// Every tool that some verb needs.
pub const TOOLS: [Tool; 4] = [
    Tool {
        name: "git",
        minimum: Version(2, 30, 0),
        verbs: &["build", "bundle", "package", "release"],
        remedy: "apt-get install git",
        provided: false,
    },
    Tool {
        name: "python3",
        minimum: Version(3, 10, 0),
        verbs: &["build", "prove", "package", "image", "release", "test"],
        remedy: "apt-get install python3 python3-venv",
        provided: false,
    },
    Tool {
        name: "cargo",
        minimum: Version(1, 90, 0),
        verbs: &["test"],
        remedy: "install Rust with rustup: see rust-lang.org/tools/install",
        provided: false,
    },
    Tool {
        name: "node",
        minimum: Version(22, 0, 0),
        verbs: &["package", "release", "test"],
        remedy: "nothing to do: a private one is installed from PyPI on first use",
        provided: true,
    },
];

/// Judges a tool by the version that was found.
pub fn judge(tool: &Tool, found: Option<Version>) -> Finding {
    let enough = found.is_some_and(|version| version >= tool.minimum);
    let state = match (enough, tool.provided) {
        (true, _) => State::Good,
        (false, true) => State::Provided,
        (false, false) => State::Missing,
    };
    Finding {
        state,
        subject: tool.name.to_owned(),
        found: found.map_or_else(|| "not found".to_owned(), |version| version.to_string()),
        needed: Some(tool.minimum.to_string()),
        verbs: tool.verbs.to_vec(),
        remedy: (!enough).then(|| tool.remedy.to_owned()),
    }
}

/// Whether an upper bound keeps the next major version of a requirement out.
pub fn is_bounded(requirement: &str) -> bool {
    let range = requirement.split(';').next().unwrap_or_default();
    range.contains('<') || range.contains("==") || range.contains("~=") || range.contains(" @ ")
}

/// Warnings about the dependency strings of a project.
pub fn unbounded<'text>(
    file: &str,
    requirements: impl Iterator<Item = &'text str>,
) -> Vec<Finding> {
    requirements
        .filter(|requirement| !is_bounded(requirement))
        .map(|requirement| Finding {
            state: State::Warning,
            subject: file.to_owned(),
            found: format!("the dependency {requirement:?} has no upper bound"),
            needed: None,
            verbs: Vec::new(),
            remedy: Some("bound it below its next major version, e.g. `mcp>=2,<3`".to_owned()),
        })
        .collect()
}

/// One finding as a line, with its remedy below it.
pub fn line(finding: &Finding) -> String {
    let mark = match finding.state {
        State::Good => "✓",
        State::Provided => "=",
        State::Warning => "!",
        State::Missing => "✗",
    };
    let mut text = format!("{mark} {:<12} {}", finding.subject, finding.found);
    if let Some(needed) = &finding.needed {
        text.push_str(&format!(
            "  (needed: {needed} for {})",
            finding.verbs.join(", ")
        ));
    }
    if let Some(remedy) = &finding.remedy {
        text.push_str(&format!("\n{:15}→ {remedy}", ""));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_good_provided_or_missing() {
        let [git, .., node] = &TOOLS;
        assert_eq!(judge(git, Some(Version(2, 47, 3))).state, State::Good);
        assert_eq!(judge(git, Some(Version(2, 1, 0))).state, State::Missing);
        assert_eq!(judge(git, None).state, State::Missing);
        assert_eq!(judge(node, Some(Version(20, 0, 0))).state, State::Provided);
        assert!(line(&judge(git, None)).contains("apt-get install git"));
    }

    #[test]
    fn a_dependency_without_upper_bound_is_named() {
        let check = |requirement, expected| assert_eq!(is_bounded(requirement), expected);
        check("mcp>=1", false);
        check("mcp", false);
        check("mcp>=2,<3", true);
        check("mcp~=2.1", true);
        check("tomli>=2; python_version < '3.11'", false);
        assert_eq!(unbounded("p", ["a", "b<2"].into_iter()).len(), 1);
    }
}
