//! The report as SARIF 2.1.0 (OASIS), in the subset that code-scanning services accept.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Accepted, Finding, Report};
use crate::artifact::Digest;
use crate::sarif::{self, literal, pascal};
use crate::workflow::rules::RULES;

pub(super) fn log(report: &Report) -> Value {
    let all = report
        .findings
        .iter()
        .chain(report.accepted.iter().map(|accepted| &accepted.finding));
    let mut others: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in all {
        if RULES.iter().all(|rule| rule.id != finding.rule) {
            others.insert(&finding.rule, finding);
        }
    }
    let own = RULES
        .iter()
        .map(|rule| describe(rule.id, rule.title, rule.why, rule.mend));
    let foreign = others.iter().map(|(id, finding)| {
        let why = if finding.why.is_empty() {
            id
        } else {
            finding.why.as_str()
        };
        describe(id, why, why, &finding.mend)
    });
    let rules: Vec<Value> = own.chain(foreign).collect();
    let ids: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.id)
        .chain(others.keys().copied())
        .collect();
    let open = report.findings.iter().map(|finding| result(&ids, finding));
    let accepted = report.accepted.iter().map(|Accepted { finding, reason }| {
        let mut result = result(&ids, finding);
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
        result
    });
    let results: Vec<Value> = open.chain(accepted).collect();
    sarif::log("ci check", &rules, &results, Map::new())
}

fn describe(id: &str, title: &str, why: &str, mend: &str) -> Value {
    json!({
        "id": id,
        "name": pascal(&id.replace('/', "-")),
        "shortDescription": { "text": title },
        "fullDescription": { "text": format!("{title}: {why}.") },
        "help": { "text": format!("Why: {why}. Mend: {mend}.") },
        "properties": { "tags": ["security", "workflow"], "precision": "high" },
    })
}

fn result(ids: &[&str], finding: &Finding) -> Value {
    let mut place = sarif::place(&finding.path, finding.place.line);
    place["region"]["startColumn"] = json!(finding.place.column.max(1));
    let print = format!("{}\n{}\n{}", finding.rule, finding.path, finding.detail);
    json!({
        "ruleId": finding.rule,
        "ruleIndex": ids.iter().position(|id| *id == finding.rule),
        "level": finding.severity.word(),
        "message": { "text": literal(&format!("{}. {}.", finding.detail, finding.mend)) },
        "locations": [{ "physicalLocation": place }],
        "partialFingerprints": { "findingDetail/v1": Digest::of(print.as_bytes()).hex() },
    })
}
