//! One finding, and what collects those of a rule.

use serde::Serialize;

use super::rules::Rule;

/// What a finding spoils.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Making and starting the package, the extension or the image.
    Build,
    /// Bringing it to an index, a marketplace or a registry.
    Publish,
    /// Running it in a container or a cluster.
    Deploy,
}

impl Stage {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Build => "build",
            Stage::Publish => "publish",
            Stage::Deploy => "deploy",
        }
    }
}

/// How a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It fails, now.
    Breaks,
    /// It works, until something that is to be expected happens.
    Risk,
}

/// One thing that was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// How it weighs.
    pub severity: Severity,
    /// The file, from the root.
    pub path: String,
    /// The line in it, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// Names another remedy than that of the rule.
    pub fn remedy(&mut self, remedy: impl Into<String>) {
        self.remedy = remedy.into();
    }
}

/// The findings of one rule.
#[derive(Debug)]
pub struct Findings {
    rule: &'static Rule,
    /// What was found so far.
    pub list: Vec<Finding>,
}

impl Findings {
    /// None yet.
    pub fn of(rule: &'static Rule) -> Findings {
        Findings {
            rule,
            list: Vec::new(),
        }
    }

    /// Notes what will fail.
    pub fn breaks(&mut self, path: &str, line: usize, message: impl Into<String>) -> &mut Finding {
        self.note(Severity::Breaks, path, line, message.into())
    }

    /// Notes what may fail.
    pub fn risk(&mut self, path: &str, line: usize, message: impl Into<String>) -> &mut Finding {
        self.note(Severity::Risk, path, line, message.into())
    }

    fn note(
        &mut self,
        severity: Severity,
        path: &str,
        line: usize,
        message: String,
    ) -> &mut Finding {
        let index = self.list.len();
        self.list.push(Finding {
            rule: self.rule,
            severity,
            path: path.to_owned(),
            line: line.max(1),
            message,
            remedy: self.rule.remedy.to_owned(),
        });
        &mut self.list[index]
    }
}
