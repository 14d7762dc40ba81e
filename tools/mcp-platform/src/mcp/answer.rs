//! Results and errors of operations as results of tools.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// A result: its JSON as structured content and, for clients that show only text, as text.
pub fn answer<T: Serialize>(result: Result<T>) -> CallToolResult {
    match result.map(|value| serde_json::to_value(value).unwrap_or(Value::Null)) {
        Ok(value @ Value::Object(_)) => CallToolResult::structured(value),
        Ok(value) => CallToolResult::structured(json!({ "result": value })),
        Err(error) => refusal(&error),
    }
}

/// An error of a tool: the text begins with its kind; hints follow.
pub fn refusal(error: &Error) -> CallToolResult {
    let kind = serde_json::to_value(error.kind).unwrap_or(Value::Null);
    let mut text = format!("{}: {error}", kind.as_str().unwrap_or("error"));
    for hint in &error.hints {
        text.push_str("\ntry: ");
        text.push_str(hint);
    }
    let mut result = CallToolResult::structured_error(json!({
        "kind": kind,
        "message": error.message,
        "details": error.details,
        "hints": error.hints,
    }));
    result.content = vec![ContentBlock::text(text)];
    result
}
