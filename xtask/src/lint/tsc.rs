//! `tsc --pretty false` → findings. Pure.

use camino::Utf8Path;

use super::{Finding, Tool, shown, unreadable};
use crate::error::Result;

/// Reads lines such as `src/a.ts(1,2): error TS2322: message`; what is indented below belongs to
/// the one before.
///
/// # Errors
/// It complains about something that is in no file.
pub fn read(output: &str, root: &Utf8Path, folder: &Utf8Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for line in output.lines() {
        if let Some(finding) = finding(line, root, folder) {
            findings.push(finding);
        } else if line.starts_with("error ") {
            return Err(unreadable(Tool::Tsc, line));
        }
    }
    Ok(findings)
}

fn finding(line: &str, root: &Utf8Path, folder: &Utf8Path) -> Option<Finding> {
    let (head, rest) = line.split_once("): error ")?;
    let (path, place) = head.rsplit_once('(')?;
    let (row, column) = place.split_once(',')?;
    let (rule, message) = rest.split_once(": ")?;
    Some(Finding {
        path: shown(root, folder, path),
        line: row.parse().ok()?,
        column: column.parse().ok()?,
        tool: Tool::Tsc,
        rule: rule.to_owned(),
        message: message.to_owned(),
    })
}
