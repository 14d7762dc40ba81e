//! `mypy --output json` → findings. Pure.

use camino::Utf8Path;
use serde::Deserialize;

use super::{Finding, Tool, shown, unreadable};
use crate::error::Result;

#[derive(Deserialize)]
struct Message {
    file: String,
    line: i64,
    column: i64,
    message: String,
    code: Option<String>,
    severity: String,
}

/// Reads its lines, one object each. Notes belong to the error before them.
///
/// # Errors
/// Not the JSON it is known to print.
pub fn read(output: &str, root: &Utf8Path, folder: &Utf8Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for line in output.lines().filter(|line| !line.trim().is_empty()) {
        let message: Message =
            serde_json::from_str(line).map_err(|cause| unreadable(Tool::Mypy, cause))?;
        if message.severity != "error" {
            continue;
        }
        findings.push(Finding {
            path: shown(root, folder, &message.file),
            line: usize::try_from(message.line).unwrap_or(1).max(1),
            // mypy counts columns from 0, and says -1 for none.
            column: usize::try_from(message.column + 1).unwrap_or(1).max(1),
            tool: Tool::Mypy,
            rule: message.code.unwrap_or_else(|| "misc".to_owned()),
            message: message.message,
        });
    }
    Ok(findings)
}
