//! Findings as a SARIF 2.1.0 log (OASIS, errata 01), in the subset that code-scanning services take.

use serde_json::{Value, json};

use super::{RULES, Report};

/// The log.
pub fn log(report: &Report) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": literal(rule.why) },
                "help": { "text": literal(rule.remedy) },
                "helpUri": rule.docs,
                "defaultConfiguration": { "level": rule.severity.word() },
            })
        })
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "ruleId": finding.rule,
                "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
                "level": finding.severity.word(),
                "message": { "text": literal(&format!("{}. {}", finding.message, finding.remedy)) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uri(&finding.path), "uriBaseId": "ROOT" },
                    "region": { "startLine": finding.line.max(1) },
                }}],
            })
        })
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mcp-platform lint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "originalUriBaseIds": { "ROOT": { "description": { "text": "The working folder" } } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let inside = path.trim_start_matches("./").trim_start_matches('/');
    inside
        .bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A text that stands for itself: braces would be placeholders, brackets links (SARIF 2.1.0, 3.11.5
/// and 3.11.6).
fn literal(text: &str) -> String {
    let mut message = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '{' => message.push_str("{{"),
            '}' => message.push_str("}}"),
            '[' | ']' | '\\' => message.extend(['\\', c]),
            _ => message.push(c),
        }
    }
    message
}
