//! What a rule is, and what it finds.

use super::model::Place;
use super::repository::{Repository, Tool};

/// Whether a finding refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It refuses.
    Error,
    /// It is only said.
    Warning,
}

impl Severity {
    /// The word in reports; SARIF has the same levels.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// In which repositories a rule refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuses {
    /// What breaks it is wrong everywhere.
    Always,
    /// It is how this tool releases: elsewhere it is advice.
    WithTool,
    /// It is advice everywhere.
    Never,
}

impl Refuses {
    /// What the document says of it.
    pub fn word(self) -> &'static str {
        match self {
            Refuses::Always => "error",
            Refuses::WithTool => "error; without `release.toml` a warning",
            Refuses::Never => "warning",
        }
    }

    fn severity(self, tool: &Tool) -> Severity {
        match (self, tool) {
            (Refuses::Always, _) | (Refuses::WithTool, Tool::Used(_)) => Severity::Error,
            (Refuses::Never, _) | (Refuses::WithTool, Tool::Absent) => Severity::Warning,
        }
    }
}

/// One rule on workflows.
#[derive(Debug)]
pub struct Rule {
    /// Stable name in kebab-case, used in reports and in comments that accept a finding.
    pub id: &'static str,
    /// What the rule says, as a short sentence without a full stop.
    pub title: &'static str,
    /// Why breaking it matters.
    pub why: &'static str,
    /// What to do about it.
    pub mend: &'static str,
    /// Where it refuses.
    pub refuses: Refuses,
    /// Finds what breaks it.
    pub find: fn(&Repository, &mut Found<'_>),
}

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id; of another tool `tool/id`.
    pub rule: String,
    /// Whether it refuses.
    pub severity: Severity,
    /// The file, from the repository's root.
    pub path: String,
    /// Where in it.
    pub place: Place,
    /// What was seen there.
    pub detail: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub mend: String,
    /// Findings of other tools that say the same.
    pub also: Vec<String>,
}

/// Collects what one rule finds.
#[derive(Debug)]
pub struct Found<'list> {
    rule: &'static Rule,
    severity: Severity,
    findings: &'list mut Vec<Finding>,
}

impl<'list> Found<'list> {
    /// A collection for one rule in a repository with or without this tool.
    pub fn new(
        rule: &'static Rule,
        tool: &Tool,
        findings: &'list mut Vec<Finding>,
    ) -> Found<'list> {
        let severity = rule.refuses.severity(tool);
        Found {
            rule,
            severity,
            findings,
        }
    }

    /// Adds a finding with the rule's own advice.
    pub fn add(&mut self, path: &str, place: Place, detail: impl Into<String>) {
        self.add_with(path, place, detail, self.rule.mend);
    }

    /// Adds a finding with advice that fits it better.
    pub fn add_with(
        &mut self,
        path: &str,
        place: Place,
        detail: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let finding = Finding {
            rule: self.rule.id.to_owned(),
            severity: self.severity,
            path: path.to_owned(),
            place,
            detail: detail.into(),
            why: self.rule.why.to_owned(),
            mend: mend.into(),
            also: Vec::new(),
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}
