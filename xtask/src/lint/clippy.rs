//! `cargo clippy --message-format=json` → findings. Pure.

use camino::Utf8Path;
use serde::Deserialize;

use super::{Finding, Tool, shown};

#[derive(Deserialize)]
struct Line {
    reason: String,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    column_start: usize,
    is_primary: bool,
}

/// Reads its lines; those that are not the compiler's are passed over. A message without a place
/// is a summary of others.
pub fn read(output: &str, root: &Utf8Path) -> Vec<Finding> {
    let messages = output.lines().filter_map(|line| {
        let line: Line = serde_json::from_str(line).ok()?;
        line.message.filter(|_| line.reason == "compiler-message")
    });
    let finding = |message: Message| {
        let span = message.spans.iter().find(|span| span.is_primary)?;
        let counts = message.level.starts_with("error") || message.level == "warning";
        counts.then(|| Finding {
            path: shown(root, root, &span.file_name),
            line: span.line_start,
            column: span.column_start,
            tool: Tool::Clippy,
            rule: message
                .code
                .map_or_else(|| message.level.clone(), |code| code.code),
            message: message.message.clone(),
        })
    };
    messages.filter_map(finding).collect()
}
