//! What the gate found, and how it reads: for people and as JSON (SARIF is in `sarif`). Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rules::{RULES, Rule};
use super::{EXTENSION, Form, Policy};
use crate::error::{Error, Result};
use crate::printable::plain;

/// The format of [`Report::json`].
pub const REPORT_SCHEMA: u32 = 1;

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The path in the extension, nested ones like `extension/a.zip!inner/b.py`; empty for the
    /// container as a whole.
    pub path: String,
    /// What was seen there.
    pub detail: String,
}

impl Finding {
    /// A finding.
    pub fn new(rule: &'static Rule, path: &str, detail: impl Into<String>) -> Finding {
        Finding {
            rule,
            path: path.to_owned(),
            detail: detail.into(),
        }
    }
}

/// A finding that `release.toml` accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What was found.
    pub finding: Finding,
    /// Why that is right, as `release.toml` says.
    pub reason: String,
}

/// An exception that accepted nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// The rule's id.
    pub rule: String,
    /// The path pattern.
    pub path: String,
}

/// The gate's judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was judged: a path, from the repository's root where possible.
    pub subject: String,
    /// A folder or a package.
    pub form: Form,
    /// How many entries it has.
    pub entries: usize,
    /// How many bytes they have together, unpacked.
    pub bytes: u64,
    /// What refuses it, in the order of [`RULES`] and by path.
    pub findings: Vec<Finding>,
    /// What would refuse it, but for an exception.
    pub accepted: Vec<Accepted>,
    /// Exceptions that are not needed (any more).
    pub unused: Vec<Unused>,
}

/// Sorts findings, drops repetitions and applies exceptions.
pub(super) fn settle(
    subject: String,
    form: Form,
    (entries, bytes): (usize, u64),
    mut findings: Vec<Finding>,
    policy: &Policy,
) -> Report {
    let rank = |finding: &Finding| RULES.iter().position(|rule| rule.id == finding.rule.id);
    findings.sort_by(|a, b| (rank(a), &a.path, &a.detail).cmp(&(rank(b), &b.path, &b.detail)));
    findings.dedup();
    let mut used = BTreeSet::new();
    let mut report = Report {
        subject,
        form,
        entries,
        bytes,
        findings: Vec::new(),
        accepted: Vec::new(),
        unused: Vec::new(),
    };
    for finding in findings {
        let path = finding
            .path
            .strip_prefix(EXTENSION)
            .unwrap_or(&finding.path);
        let exception = policy.exceptions.iter().position(|exception| {
            finding.rule.exceptable
                && exception.rule == finding.rule.id
                && exception.path.matches(path)
        });
        match exception {
            Some(index) => {
                used.insert(index);
                let reason = policy.exceptions[index].reason.clone();
                report.accepted.push(Accepted { finding, reason });
            }
            None => report.findings.push(finding),
        }
    }
    let unused = policy
        .exceptions
        .iter()
        .enumerate()
        .filter(|(index, _)| !used.contains(index));
    report.unused = unused
        .map(|(_, exception)| Unused {
            rule: exception.rule.clone(),
            path: exception.path.text().to_owned(),
        })
        .collect();
    report
}

/// How many places of one rule the text shows; JSON and SARIF have all of them.
const SHOWN: usize = 12;

impl Report {
    /// Whether nothing refuses it.
    pub fn passes(&self) -> bool {
        self.findings.is_empty()
    }

    /// Turns a refusal into an error (exit code 6).
    ///
    /// # Errors
    /// There are findings; the message counts them by rule.
    pub fn into_result(self) -> Result<Report> {
        if self.passes() {
            return Ok(self);
        }
        let counts: Vec<String> = groups(&self.findings)
            .map(|group| match group.len() {
                1 => group[0].rule.id.to_owned(),
                count => format!("{} ×{count}", group[0].rule.id),
            })
            .collect();
        let message = format!("the gate refuses {}: {}", self.subject, counts.join(", "));
        let error = Error::refused(message).hint("each finding says how to mend it");
        if self.findings.iter().any(|finding| finding.rule.exceptable) {
            let hint = "where a finding is right as it is, release.toml accepts it: [[gate.exception]] with `rule`, `path` and `reason`";
            return Err(error.hint(hint));
        }
        Err(error)
    }

    /// The findings for people, one block a rule; empty when there is nothing to say.
    pub fn text(&self) -> String {
        let mut blocks: Vec<String> = groups(&self.findings).map(block).collect();
        if !self.accepted.is_empty() {
            let lines = self.accepted.iter().map(|accepted| {
                let Accepted { finding, reason } = accepted;
                format!("\n  {}  {}\n    {reason}", finding.rule.id, place(finding))
            });
            blocks.push(format!(
                "accepted by release.toml{}",
                lines.collect::<String>()
            ));
        }
        if !self.unused.is_empty() {
            let lines = self
                .unused
                .iter()
                .map(|unused| format!("\n  {}  {}", unused.rule, unused.path));
            blocks.push(format!(
                "exceptions that nothing needs{}",
                lines.collect::<String>()
            ));
        }
        blocks.join("\n\n")
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "rule": finding.rule.id,
                "path": finding.path,
                "detail": finding.detail,
                "title": finding.rule.title,
                "why": finding.rule.why,
                "mend": finding.rule.mend,
            })
        };
        let accepted = self.accepted.iter().map(|accepted| {
            json!({
                "rule": accepted.finding.rule.id,
                "path": accepted.finding.path,
                "detail": accepted.finding.detail,
                "reason": accepted.reason,
            })
        });
        let unused = self
            .unused
            .iter()
            .map(|unused| json!({ "rule": unused.rule, "path": unused.path }));
        json!({
            "schema": REPORT_SCHEMA,
            "subject": self.subject,
            "kind": match self.form { Form::Folder => "folder", Form::Vsix => "vsix" },
            "passes": self.passes(),
            "entries": self.entries,
            "bytes": self.bytes,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "accepted": accepted.collect::<Vec<_>>(),
            "unusedExceptions": unused.collect::<Vec<_>>(),
        })
    }
}

/// Findings of one rule each; they are sorted by rule.
fn groups(findings: &[Finding]) -> impl Iterator<Item = &[Finding]> {
    findings.chunk_by(|a, b| a.rule.id == b.rule.id)
}

fn block(findings: &[Finding]) -> String {
    let rule = findings[0].rule;
    let shown = &findings[..findings.len().min(SHOWN)];
    let width = shown
        .iter()
        .map(|finding| place(finding).chars().count())
        .max();
    let width = width.unwrap_or_default().min(56);
    let mut text = format!("{}: {}", rule.id, rule.title);
    for finding in shown {
        text.push_str(&format!(
            "\n  {:width$}  {}",
            place(finding),
            finding.detail
        ));
    }
    if findings.len() > SHOWN {
        text.push_str(&format!("\n  … and {} more", findings.len() - SHOWN));
    }
    text.push_str(&format!(
        "\n    why   {}\n    mend  {}",
        rule.why, rule.mend
    ));
    text
}

/// The place as it may be printed: a name must not be able to steer the terminal.
fn place(finding: &Finding) -> String {
    if finding.path.is_empty() {
        return "(the file)".to_owned();
    }
    plain(&finding.path)
}
