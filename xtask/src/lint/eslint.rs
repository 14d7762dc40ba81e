//! `eslint --format json` → findings. Pure.

use camino::Utf8Path;
use serde::Deserialize;

use super::{Finding, Tool, shown, unreadable};
use crate::error::Result;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    file_path: String,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    rule_id: Option<String>,
    message: String,
    line: Option<usize>,
    column: Option<usize>,
}

/// Reads what it prints.
///
/// # Errors
/// Not the JSON it is known to print.
pub fn read(output: &str, root: &Utf8Path, folder: &Utf8Path) -> Result<Vec<Finding>> {
    let files: Vec<File> =
        serde_json::from_str(output).map_err(|cause| unreadable(Tool::Eslint, cause))?;
    let mut findings = Vec::new();
    for file in files {
        for message in file.messages {
            findings.push(Finding {
                path: shown(root, folder, &file.file_path),
                line: message.line.unwrap_or(1).max(1),
                column: message.column.unwrap_or(1).max(1),
                tool: Tool::Eslint,
                rule: message.rule_id.unwrap_or_else(|| "syntax".to_owned()),
                message: message.message,
            });
        }
    }
    Ok(findings)
}
