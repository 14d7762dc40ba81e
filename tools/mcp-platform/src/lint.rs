//! Checks manifests that somebody else wrote, by the rules that our own objects keep. Pure: texts in,
//! findings out; asks no cluster.
//!
//! All files of one call are read as one set, because most mistakes lie between two objects: a
//! policy that admits pods which no template makes, a claim that two pods want.

mod objects;
mod rules;
mod sarif;
mod suppress;
mod tree;

use serde::Serialize;

pub use objects::{File, Object, Set, Workload};
pub use rules::RULES;
pub use sarif::log as sarif;
pub use tree::Node;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It is refused, or does not do what it says.
    Error,
    /// It works until something happens: a drain, a restart, a second client.
    Warning,
}

impl Severity {
    /// The word in texts; the same as in SARIF.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One rule.
pub struct Rule {
    /// Its name, in findings and suppressions.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What goes wrong otherwise.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Where to read more.
    pub docs: &'static str,
    /// Looks for it.
    pub check: fn(&Set, &mut Found),
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and with which object.
    pub message: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Takes what the rules find.
pub struct Found<'set> {
    set: &'set Set,
    rule: &'static Rule,
    findings: Vec<Finding>,
}

impl Found<'_> {
    /// A mistake in an object, on a line.
    pub fn at(&mut self, object: &Object, line: usize, message: impl Into<String>) {
        let message = format!("{} {}: {}", object.kind, object.name, message.into());
        self.in_file(object.file, line, message);
    }

    /// A mistake in a file.
    pub fn in_file(&mut self, file: usize, line: usize, message: impl Into<String>) {
        let path = self.set.files.get(file).map(|file| file.path.clone());
        self.findings.push(Finding {
            rule: self.rule.id,
            severity: self.rule.severity,
            path: path.unwrap_or_default(),
            line,
            message: message.into(),
            remedy: self.rule.remedy,
        });
    }
}

/// What was found, and what was passed over because a comment says so.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many files were read.
    pub files: usize,
    /// How many objects were in them.
    pub objects: usize,
    /// What is wrong, by file and line.
    pub findings: Vec<Finding>,
    /// How many findings a comment answers for.
    pub suppressed: usize,
}

/// Checks files, each a path for people and its text.
pub fn check(files: Vec<(String, String)>) -> Report {
    let set = Set::read(files);
    let mut findings = Vec::new();
    for rule in RULES {
        let mut found = Found {
            set: &set,
            rule,
            findings: Vec::new(),
        };
        (rule.check)(&set, &mut found);
        findings.append(&mut found.findings);
    }
    let (mut findings, suppressed) = suppress::apply(&set, findings);
    findings.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    findings.dedup();
    Report {
        files: set.files.len(),
        objects: set.objects.len(),
        findings,
        suppressed,
    }
}

#[cfg(test)]
mod tests;
