//! All findings of a repository, in order, as text and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Facts;
use super::finding::{Finding, Severity};
use super::repository::{Repository, Unread};
use crate::github::annotation::{Annotation, Level};
use crate::printable;

/// The most of a message that is shown.
const SHOWN: usize = 400;

/// What an inspection found.
#[derive(Debug)]
pub struct Report {
    /// The findings: what breaks before what may; then by stage, file and line.
    pub findings: Vec<Finding>,
    /// How many files the repository has.
    pub files: usize,
    /// How many of them were read.
    pub read: usize,
    /// What tells something and was not read.
    pub unread: Vec<Unread>,
    /// Manifests that are templates, which nothing was looked for in.
    pub templates: Vec<String>,
    /// Whether nothing of an MCP server was found at all.
    pub is_empty: bool,
}

/// Sorts findings and drops those that say the same.
pub fn settle(repository: &Repository, facts: &Facts<'_>, mut findings: Vec<Finding>) -> Report {
    let order = |one: &Finding| {
        let place = (one.path.clone(), one.line, one.rule.id, one.message.clone());
        (one.severity, one.rule.stage, place)
    };
    findings.sort_by_key(order);
    findings.dedup_by(|one, other| order(one) == order(other));
    let mut unread = repository.unread.clone();
    unread.extend(facts.unread.iter().cloned());
    Report {
        findings,
        files: repository.files.len(),
        read: repository.texts.len(),
        unread,
        templates: facts
            .templates
            .iter()
            .map(|path| (*path).to_owned())
            .collect(),
        is_empty: facts.is_empty(),
    }
}

impl Report {
    /// How many findings break something.
    pub fn breaks(&self) -> usize {
        let breaks = |one: &&Finding| one.severity == Severity::Breaks;
        self.findings.iter().filter(breaks).count()
    }

    /// How many findings are risks.
    pub fn risks(&self) -> usize {
        self.findings.len() - self.breaks()
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for one in &self.findings {
            let mark = match one.severity {
                Severity::Breaks => "✗",
                Severity::Risk => "!",
            };
            let path = printable::plain(&one.path);
            let message = printable::line(&one.message, SHOWN);
            let remedy = printable::line(&one.remedy, SHOWN);
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{mark} {:<12} {path}:{}: {message}  [{}]\n{:15}→ {remedy}",
                one.rule.stage.word(),
                one.line,
                one.rule.id,
                ""
            );
        }
        let _ = writeln!(text, "{}", self.sums());
        const NAMED: usize = 10;
        for unread in self.unread.iter().take(NAMED) {
            let path = printable::plain(&unread.path);
            let why = printable::line(&unread.why, SHOWN);
            let _ = writeln!(text, "! not read     {path}: {why}");
        }
        if self.unread.len() > NAMED {
            let _ = writeln!(
                text,
                "! not read     and {} more",
                self.unread.len() - NAMED
            );
        }
        text
    }

    /// One line that sums it up.
    fn sums(&self) -> String {
        let mark = match (self.breaks(), self.risks()) {
            (0, 0) => "✓",
            (0, _) => "!",
            _ => "✗",
        };
        let mut sums = format!(
            "{mark} {:<12} {}, {}; {} of {} files read",
            "repository",
            match self.breaks() {
                0 => "nothing breaks".to_owned(),
                count => counted(count, "thing breaks", "things break"),
            },
            match self.risks() {
                0 => "no risk".to_owned(),
                count => counted(count, "risk", "risks"),
            },
            self.read,
            self.files,
        );
        if !self.templates.is_empty() {
            let count = counted(self.templates.len(), "template", "templates");
            let _ = write!(sums, ", {count} left out");
        }
        sums
    }

    /// The findings on the lines of their files.
    pub fn annotations(&self) -> Vec<Annotation> {
        let annotation = |one: &Finding| {
            let level = match one.severity {
                Severity::Breaks => Level::Error,
                Severity::Risk => Level::Warning,
            };
            let message = format!("{}\n{}", one.message, one.remedy);
            let annotation = Annotation::new(level, one.rule.id, message);
            annotation.on(&one.path).line(one.line)
        };
        self.findings.iter().map(annotation).collect()
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let finding = |one: &Finding| {
            json!({
                "rule": one.rule.id,
                "breaks": one.rule.stage,
                "severity": one.severity,
                "path": one.path,
                "line": one.line,
                "message": one.message,
                "remedy": one.remedy,
            })
        };
        json!({
            "breaks": self.breaks(),
            "risks": self.risks(),
            "files": self.files,
            "read": self.read,
            "unread": self.unread,
            "templates": self.templates,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}
