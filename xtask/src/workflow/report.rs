//! What was found, and how it reads: for people and as JSON. Pure.

mod sarif;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::accept::{self, Accepted};
use super::deed;
use super::model::Place;
use super::outside;
use super::repository::Repository;
use super::rule::{Finding, Severity};
use super::rules;
use crate::error::{Error, Result};
use crate::github::annotation::{Annotation, Level};
use crate::printable;

/// The format of [`Report::json`].
pub const REPORT_SCHEMA: u32 = 1;

/// Whether zizmor and actionlint were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    /// They were.
    Asked,
    /// Only our own rules were held against the files.
    LeftOut,
}

/// The judgement on a repository's workflows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The files that were read.
    pub files: Vec<String>,
    /// Whether other tools were asked.
    pub tools: Tools,
    /// What stands, by file, line and column.
    pub findings: Vec<Finding>,
    /// What a comment accepts.
    pub accepted: Vec<Accepted>,
}

/// Judges a repository. `others` is what other tools found; `texts` are the paths and texts of
/// all files.
pub fn report(
    repository: &Repository,
    texts: &[(String, String)],
    others: Option<Vec<Finding>>,
) -> Report {
    let tools = if others.is_some() {
        Tools::Asked
    } else {
        Tools::LeftOut
    };
    let own = rules::judge(repository);
    let mut others = others.unwrap_or_default();
    others.retain(|other| !is_about_us(repository, other));
    let merged = outside::merge(own, others);
    let texts_of = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    let (mut findings, accepted) = accept::settle(merged, texts_of);
    findings.sort_by(|a, b| (&a.path, a.place, &a.rule).cmp(&(&b.path, b.place, &b.rule)));
    let broken = repository.broken.iter().map(|(path, _)| path);
    let files: BTreeSet<&String> = texts.iter().map(|(path, _)| path).chain(broken).collect();
    let files = files.into_iter().cloned().collect();
    Report {
        files,
        tools,
        findings,
        accepted,
    }
}

/// zizmor takes every `cargo … publish` for one with a token. The tool asks for an identity by
/// itself.
fn is_about_us(repository: &Repository, other: &Finding) -> bool {
    other.rule == "zizmor/use-trusted-publishing"
        && repository
            .sites()
            .iter()
            .filter(|site| site.path == other.path)
            .any(|site| {
                site.script().is_some_and(|script| {
                    site.commands().iter().any(|command| {
                        let is_here = script.place_of(command.offset()).line == other.place.line;
                        is_here && deed::xtask_arguments(&command.called()).is_some()
                    })
                })
            })
}

impl Report {
    /// How many findings refuse.
    pub fn errors(&self) -> usize {
        let refuses = |finding: &&Finding| finding.severity == Severity::Error;
        self.findings.iter().filter(refuses).count()
    }

    /// Turns a refusal into an error (exit code 6).
    ///
    /// # Errors
    /// There are findings that refuse.
    pub fn into_result(self) -> Result<()> {
        let count = self.errors();
        if count == 0 {
            return Ok(());
        }
        let mut paths: Vec<&str> = self
            .findings
            .iter()
            .map(|finding| finding.path.as_str())
            .collect();
        paths.dedup();
        let (findings, files) = (counted(count, "finding"), counted(paths.len(), "file"));
        let error = Error::refused(format!("{findings} in {files} that must be mended"));
        Err(error
            .hint("each finding says how to mend it")
            .hint("where one is right as it is: `# xtask: allow RULE because REASON` on its line or above it"))
    }

    /// The findings for people; empty when there is nothing to say.
    pub fn text(&self) -> String {
        let mut blocks: Vec<String> = self.findings.iter().map(block).collect();
        if !self.accepted.is_empty() {
            let lines = self.accepted.iter().map(|Accepted { finding, reason }| {
                let Finding {
                    path, place, rule, ..
                } = finding;
                format!(
                    "\n  {}:{}  {rule}: {}",
                    printable::plain(path),
                    place.line,
                    printable::line(reason, 120)
                )
            });
            blocks.push(format!("accepted by comments{}", lines.collect::<String>()));
        }
        blocks.join("\n")
    }

    /// One line on the whole.
    pub fn summary(&self) -> String {
        let files = counted(self.files.len(), "file");
        let warnings = self.findings.len() - self.errors();
        let tools = match self.tools {
            Tools::Asked => "with zizmor and actionlint",
            Tools::LeftOut => "by our own rules only: zizmor and actionlint were not asked",
        };
        let (errors, warnings) = (
            counted(self.errors(), "error"),
            counted(warnings, "warning"),
        );
        format!(
            "{files}, {errors}, {warnings}, {} accepted, {tools}",
            self.accepted.len()
        )
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let accepted = self.accepted.iter().map(|Accepted { finding, reason }| {
            let mut value = value(finding);
            value["reason"] = json!(reason);
            value
        });
        json!({
            "schema": REPORT_SCHEMA,
            "passes": self.errors() == 0,
            "files": self.files,
            "tools": match self.tools { Tools::Asked => "asked", Tools::LeftOut => "left-out" },
            "findings": self.findings.iter().map(value).collect::<Vec<_>>(),
            "accepted": accepted.collect::<Vec<_>>(),
        })
    }

    /// The findings on the lines of the files; what is accepted is not annotated.
    pub fn annotations(&self) -> Vec<Annotation> {
        let annotation = |finding: &Finding| {
            let level = match finding.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            };
            let message = format!("{}\n{}", finding.detail, finding.mend);
            let annotation = Annotation::new(level, &finding.rule, message.trim_end());
            let Place { line, column } = finding.place;
            annotation.on(&finding.path).line(line).column(column)
        };
        self.findings.iter().map(annotation).collect()
    }

    /// The report as SARIF.
    pub fn sarif(&self) -> Value {
        sarif::log(self)
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn value(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "severity": finding.severity.word(),
        "path": finding.path,
        "line": finding.place.line,
        "column": finding.place.column,
        "message": finding.detail,
        "why": finding.why,
        "remedy": finding.mend,
        "also": finding.also,
    })
}

fn block(finding: &Finding) -> String {
    let Finding {
        path,
        place,
        severity,
        rule,
        detail,
        mend,
        also,
        ..
    } = finding;
    let path = printable::plain(path);
    let also = match also.as_slice() {
        [] => String::new(),
        also => format!(" (also {})", also.join(", ")),
    };
    let (line, column, detail) = (place.line, place.column, printable::line(detail, 300));
    let mend = printable::line(mend, 300);
    let mend = if mend.is_empty() {
        String::new()
    } else {
        format!("\n    mend  {mend}")
    };
    format!(
        "{path}:{line}:{column}: {} {rule}: {detail}{also}{mend}",
        severity.word()
    )
}
