//! `[gate]`: what the gate lets into the extension. Pure.

use super::reader::{Reader, Table};
use crate::gate::pattern::Pattern;
use crate::gate::rules;

/// `[gate]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gate {
    /// Patterns of paths inside the extension that it needs at run time. `*` stays within a
    /// folder, `**` crosses folders. The bundle's three files, `package.json` and the two
    /// manifest files of the container are always allowed.
    pub allow: Vec<String>,
    /// The most bytes one entry may inflate to.
    pub entry_limit: u64,
    /// The most bytes all entries together may inflate to.
    pub total_limit: u64,
    /// Findings that are accepted.
    pub exceptions: Vec<Exception>,
}

/// An entry of `[[gate.exception]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The rule's id.
    pub rule: String,
    /// A pattern for the path inside the extension.
    pub path: String,
    /// Why it is right here.
    pub reason: String,
}

/// Reads `[gate]`.
pub(super) fn read(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Gate {
    let mut table = reader.table(top, "gate");
    let allow = reader
        .optional_strings(&mut table, "allow")
        .unwrap_or_default();
    let entry_limit = reader
        .optional_number(&mut table, "entry-limit")
        .unwrap_or(64 << 20);
    let total_limit = reader
        .optional_number(&mut table, "total-limit")
        .unwrap_or(256 << 20);
    let mut exceptions = Vec::new();
    for text in &allow {
        check_pattern(reader, &table, "allow", text);
    }
    for (mut entry, span) in reader.tables(&mut table, "exception") {
        let exception = Exception {
            rule: reader.string(&mut entry, "rule"),
            path: reader.string(&mut entry, "path"),
            reason: reader.string(&mut entry, "reason"),
        };
        if entry.has("reason") && exception.reason.trim().is_empty() {
            reader.problem(
                span,
                "`gate.exception.reason` is empty: say why this is right",
            );
        }
        if entry.has("rule") {
            check_rule(reader, &entry, &exception.rule);
        }
        if entry.has("path") {
            check_pattern(reader, &entry, "path", &exception.path);
        }
        reader.finish(&entry);
        exceptions.push(exception);
    }
    reader.finish(&table);
    Gate {
        allow,
        entry_limit,
        total_limit,
        exceptions,
    }
}

fn check_pattern(reader: &mut Reader<'_>, table: &Table<'_>, key: &str, text: &str) {
    if let Err(wrong) = Pattern::parse(text) {
        let span = reader.span(table, key);
        reader.problem(span, format!("the pattern `{text}` {wrong}"));
    }
}

/// An exception must be for a rule that exists and that has exceptions.
fn check_rule(reader: &mut Reader<'_>, table: &Table<'_>, id: &str) {
    let message = match rules::find(id) {
        Some(rule) if rule.exceptable => return,
        Some(_) => format!(
            "the rule `{id}` has no exceptions: it keeps the container and the one wheel whole"
        ),
        None => match rules::nearest(id) {
            Some(near) => format!("the gate has no rule `{id}`; did you mean `{near}`?"),
            None => format!("the gate has no rule `{id}`; docs/gate-rules.md lists them all"),
        },
    };
    let span = reader.span(table, "rule");
    reader.problem(span, message);
}
