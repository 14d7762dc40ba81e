//! A report as SARIF 2.1.0 (OASIS), in the subset that code-scanning services accept. Pure.
//!
//! Each result has a location with a relative URI, because services reject results without
//! one, and a fingerprint that does not change when the tool or the order does.

use serde_json::{Value, json};

use super::report::{Accepted, Finding, Report};
use super::rules::{RULES, Rule};
use super::{EXTENSION, Form};
use crate::artifact::Digest;

/// The report as one SARIF log with one run.
pub fn log(report: &Report) -> Value {
    let open = report
        .findings
        .iter()
        .map(|finding| result(report, finding));
    let accepted = report.accepted.iter().map(|Accepted { finding, reason }| {
        let mut result = result(report, finding);
        result["suppressions"] = json!([{ "kind": "external", "justification": reason }]);
        result
    });
    let results: Vec<Value> = open.chain(accepted).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cargo xtask check",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|rule| describe(rule)).collect::<Vec<_>>(),
            }},
            "originalUriBaseIds": { "ROOT": { "description": { "text": "The repository's root" } } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn describe(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": format!("{}: {}.", rule.title, rule.why) },
        "help": {
            "text": format!("Why: {}. Mend: {}.", rule.why, rule.mend),
            "markdown": format!("**Why:** {}.\n\n**Mend:** {}.", rule.why, rule.mend),
        },
        "defaultConfiguration": { "level": "error" },
        "properties": properties(rule),
    })
}

/// Services show findings with the tag `security` by their score (0.1 to 10.0), others by
/// their severity.
fn properties(rule: &Rule) -> Value {
    let (tags, score) = match rule.id {
        "private-key" | "secret-token" | "environment-file" => (["security", "secrets"], "9.0"),
        _ if rule.exceptable => {
            return json!({ "tags": ["packaging"], "precision": "high", "problem.severity": "error" });
        }
        _ => (["security", "integrity"], "7.5"),
    };
    json!({ "tags": tags, "precision": "high", "security-severity": score })
}

fn result(report: &Report, finding: &Finding) -> Value {
    let index = RULES.iter().position(|rule| rule.id == finding.rule.id);
    let path = if finding.path.is_empty() {
        &report.subject
    } else {
        &finding.path
    };
    let print = format!(
        "{}\n{}",
        finding.rule.id,
        finding
            .path
            .strip_prefix(EXTENSION)
            .unwrap_or(&finding.path)
    );
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": "error",
        "message": { "text": format!("{path}: {}. {}.", finding.detail, finding.rule.title) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&location(report, finding)), "uriBaseId": "ROOT" },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "fullyQualifiedName": path, "kind": "resource" }],
        }],
        "partialFingerprints": { "rulePath/v1": Digest::of(print.as_bytes()).hex() },
    })
}

/// In a folder the file itself; in a package the package, as nobody has the file inside.
fn location(report: &Report, finding: &Finding) -> String {
    let outer = finding.path.split('!').next().unwrap_or_default();
    match report.form {
        Form::Folder if !outer.is_empty() => format!("{}/{outer}", report.subject),
        _ => report.subject.clone(),
    }
}

/// A relative reference (RFC 3986): everything but unreserved characters and slashes is
/// percent-encoded, and a file outside of the repository is shown by its name alone.
fn uri(path: &str) -> String {
    let inside = if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        path.rsplit('/').next().unwrap_or(path)
    } else {
        path
    };
    let encode = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    inside
        .trim_start_matches("./")
        .bytes()
        .map(encode)
        .collect()
}

fn pascal(id: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    id.split('-').map(capital).collect()
}
