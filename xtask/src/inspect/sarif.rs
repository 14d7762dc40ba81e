//! A report as SARIF 2.1.0 (OASIS), in the subset that code-scanning services accept.

use serde_json::{Map, Value, json};

use super::finding::{Finding, Severity};
use super::report::Report;
use super::rules::{RULES, Rule};
use crate::artifact::Digest;
use crate::sarif::{self, literal, pascal};

/// The report as one log with one run.
pub fn log(report: &Report) -> Value {
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let rules: Vec<Value> = RULES.iter().map(|rule| describe(rule)).collect();
    sarif::log("doctor", &rules, &results, Map::new())
}

fn describe(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": format!("{}: {}.", rule.title, rule.why) },
        "help": {
            "text": format!("Why: {}. Mend: {}.", rule.why, rule.remedy),
            "markdown": format!("**Why:** {}.\n\n**Mend:** {}.", rule.why, rule.remedy),
        },
        "properties": { "tags": [rule.stage.word()], "precision": "high" },
    })
}

fn result(finding: &Finding) -> Value {
    let index = RULES.iter().position(|rule| rule.id == finding.rule.id);
    let level = match finding.severity {
        Severity::Breaks => "error",
        Severity::Risk => "warning",
    };
    let print = format!("{}\n{}\n{}", finding.rule.id, finding.path, finding.message);
    let message = format!("{}. Mend: {}.", finding.message, finding.remedy);
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": level,
        "message": { "text": literal(&message) },
        "locations": [{
            "physicalLocation": sarif::place(&finding.path, finding.line),
        }],
        "partialFingerprints": { "ruleMessage/v1": Digest::of(print.as_bytes()).hex() },
    })
}
