//! A report as SARIF 2.1.0 for code-scanning services. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Finding, Report};
use crate::artifact::Digest;
use crate::sarif::{self, literal};

/// GitHub rejects a log with more than 25,000 results.
const MOST: usize = 20_000;

/// The report as one SARIF log with one run.
pub fn log(report: &Report) -> Value {
    let findings = report.findings.iter().take(MOST);
    let ids: BTreeSet<String> = findings.clone().map(id).collect();
    let rules: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "id": id, "name": id, "defaultConfiguration": { "level": "error" } }))
        .collect();
    let results: Vec<Value> = findings
        .map(|finding| {
            let id = id(finding);
            let index = ids.iter().position(|other| *other == id);
            let mut place = sarif::place(&finding.path, finding.line);
            if let Some(region) = place.get_mut("region") {
                region["startColumn"] = json!(finding.column);
            }
            let print = format!("{id}\n{}\n{}", finding.path, finding.message);
            json!({
                "ruleId": id,
                "ruleIndex": index,
                "level": "error",
                "message": { "text": literal(&finding.message) },
                "locations": [{ "physicalLocation": place }],
                "partialFingerprints": { "rulePathMessage/v1": Digest::of(print.as_bytes()).hex() },
            })
        })
        .collect();
    sarif::log("lint", &rules, &results, Map::new())
}

fn id(finding: &Finding) -> String {
    format!("{}/{}", finding.tool.word(), finding.rule)
}
