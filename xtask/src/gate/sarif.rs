//! A report as SARIF 2.1.0 (OASIS), in the subset that code-scanning services accept. Pure.
//!
//! Each result has a location with a relative URI, because services reject results without
//! one, and a fingerprint that does not change when the tool or the order does.

use serde_json::{Map, Value, json};

use super::report::{Accepted, Finding, Report};
use super::rules::{RULES, Rule};
use super::{EXTENSION, Form};
use crate::artifact::Digest;
use crate::sarif::{self, pascal};

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
    let rules: Vec<Value> = RULES.iter().map(|rule| describe(rule)).collect();
    sarif::log("check", &rules, &results, Map::new())
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
            "physicalLocation": sarif::place(&location(report, finding), 1),
            "logicalLocations": [{ "fullyQualifiedName": path, "kind": "resource" }],
        }],
        "partialFingerprints": { "rulePath/v1": Digest::of(print.as_bytes()).hex() },
    })
}

/// In a folder the file itself; in a package the package, as nobody has the file inside.
pub(super) fn location(report: &Report, finding: &Finding) -> String {
    let outer = finding.path.split('!').next().unwrap_or_default();
    match report.form {
        Form::Folder if !outer.is_empty() => format!("{}/{outer}", report.subject),
        _ => report.subject.clone(),
    }
}
