//! What formatters, linters and type checkers find, in one form and one order. Pure; `exec/lint`
//! runs them.

pub mod clippy;
pub mod difference;
pub mod eslint;
pub mod mypy;
pub mod ruff;
pub mod rustfmt;
pub mod sarif;
pub mod tsc;

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::github::annotation::{Annotation, Level};
use crate::printable::line;

/// The format of [`Report::json`].
pub const REPORT_SCHEMA: u32 = 1;

/// So much of a message is shown.
const LONGEST_MESSAGE: usize = 300;

/// A program that finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// The formatter of Rust.
    Rustfmt,
    /// The linter of Rust.
    Clippy,
    /// The formatter of Python.
    RuffFormat,
    /// The linter of Python.
    Ruff,
    /// The type checker of Python.
    Mypy,
    /// The formatter of TypeScript.
    Prettier,
    /// The linter of TypeScript.
    Eslint,
    /// The type checker of TypeScript.
    Tsc,
}

impl Tool {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Tool::Rustfmt => "rustfmt",
            Tool::Clippy => "clippy",
            Tool::RuffFormat => "ruff-format",
            Tool::Ruff => "ruff",
            Tool::Mypy => "mypy",
            Tool::Prettier => "prettier",
            Tool::Eslint => "eslint",
            Tool::Tsc => "tsc",
        }
    }
}

/// One thing at one place. The order of the fields is the order of the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The file, from the repository's root.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// Who found it.
    pub tool: Tool,
    /// The rule's id.
    pub rule: String,
    /// What is wrong.
    pub message: String,
}

/// How it went with one tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum State {
    /// It has run.
    Run,
    /// The repository does not use it.
    LeftOut(String),
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The tools in the order they were asked.
    pub tools: Vec<(Tool, State)>,
    /// Sorted, each once.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Adds what a tool has found.
    pub fn add(&mut self, tool: Tool, findings: Vec<Finding>) {
        self.tools.push((tool, State::Run));
        self.findings.extend(findings);
        self.findings.sort();
        self.findings.dedup();
    }

    /// Notes a tool that the repository does not use.
    pub fn leave_out(&mut self, tool: Tool, why: impl Into<String>) {
        self.tools.push((tool, State::LeftOut(why.into())));
    }

    /// How many findings are a tool's.
    pub fn count(&self, tool: Tool) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.tool == tool)
            .count()
    }

    /// The findings on the lines of their files.
    pub fn annotations(&self) -> Vec<Annotation> {
        let annotation = |finding: &Finding| {
            let title = format!("{} {}", finding.tool.word(), finding.rule);
            let annotation = Annotation::new(Level::Error, title, &finding.message);
            let on = annotation.on(&finding.path);
            on.line(finding.line).column(finding.column)
        };
        self.findings.iter().map(annotation).collect()
    }

    /// For people: a line for each finding, as compilers write them.
    pub fn text(&self) -> String {
        let one = |finding: &Finding| {
            let Finding {
                path,
                line: row,
                column,
                rule,
                message,
                tool,
            } = finding;
            let message = line(message, LONGEST_MESSAGE);
            format!(
                "{path}:{row}:{column}: {message}  [{} {rule}]\n",
                tool.word()
            )
        };
        self.findings.iter().map(one).collect()
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let tools: Vec<Value> = self
            .tools
            .iter()
            .map(|(tool, state)| {
                json!({ "tool": tool, "state": state, "findings": self.count(*tool) })
            })
            .collect();
        json!({ "schema": REPORT_SCHEMA, "tools": tools, "findings": self.findings })
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// There are findings.
    pub fn require_clean(&self) -> Result<()> {
        if self.findings.is_empty() {
            return Ok(());
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.tool.word()).or_default() += 1;
        }
        let counts: Vec<String> = counts
            .iter()
            .map(|(tool, count)| format!("{count} {tool}"))
            .collect();
        let message = format!("{} findings: {}", self.findings.len(), counts.join(", "));
        Err(Error::failure(message)
            .hint("what can be mended without asking: cargo xtask lint --fix"))
    }
}

/// A path as tools print it, from the repository's root; `folder` is where the tool ran.
pub fn shown(root: &Utf8Path, folder: &Utf8Path, path: &str) -> String {
    let path = folder.join(path);
    let inside = path.strip_prefix(root).unwrap_or(&path);
    let parts = inside
        .as_str()
        .split(['/', '\\'])
        .filter(|part| *part != ".");
    parts.collect::<Vec<&str>>().join("/")
}

/// What is wrong with the output of a tool.
pub(crate) fn unreadable(tool: Tool, why: impl std::fmt::Display) -> Error {
    let tool = tool.word();
    Error::precondition(format!("{tool}: its output cannot be read: {why}"))
        .hint("what it prints: cargo xtask lint --verbose")
}

#[cfg(test)]
mod tests;
