//! `ruff check --output-format json` → findings. Pure.

use camino::Utf8Path;
use serde::Deserialize;

use super::{Finding, Tool, shown, unreadable};
use crate::error::Result;

#[derive(Deserialize)]
struct Message {
    code: Option<String>,
    message: String,
    filename: String,
    location: Option<Location>,
}

#[derive(Deserialize)]
struct Location {
    row: usize,
    column: usize,
}

/// Reads what it prints.
///
/// # Errors
/// Not the JSON it is known to print.
pub fn read(output: &str, root: &Utf8Path, folder: &Utf8Path) -> Result<Vec<Finding>> {
    let messages: Vec<Message> =
        serde_json::from_str(output).map_err(|cause| unreadable(Tool::Ruff, cause))?;
    let finding = |message: Message| {
        let place = message
            .location
            .map_or((1, 1), |place| (place.row, place.column));
        Finding {
            path: shown(root, folder, &message.filename),
            line: place.0,
            column: place.1,
            tool: Tool::Ruff,
            rule: message.code.unwrap_or_else(|| "syntax".to_owned()),
            message: message.message,
        }
    };
    Ok(messages.into_iter().map(finding).collect())
}
