//! What zizmor and actionlint found, in our form, and joined with what our own rules found.

use serde::Deserialize;
use serde_json::Value;

use super::model::Place;
use super::rule::{Finding, Severity};
use crate::error::{Error, Result};

/// Their names for what our rules say, too.
const SAME: [(&str, &[&str]); 14] = [
    ("zizmor/unpinned-uses", &["unpinned-action"]),
    ("zizmor/unpinned-images", &["unpinned-action"]),
    (
        "zizmor/template-injection",
        &["untrusted-input", "secret-in-command"],
    ),
    (
        "zizmor/excessive-permissions",
        &["broad-permissions", "needless-identity"],
    ),
    (
        "zizmor/dangerous-triggers",
        &["pull-request-target-checkout"],
    ),
    (
        "zizmor/use-trusted-publishing",
        &["identity-and-password", "foreign-command"],
    ),
    (
        "zizmor/concurrency-limits",
        &["release-without-concurrency"],
    ),
    (
        "actionlint/syntax-check",
        &["invalid-workflow", "invalid-expression"],
    ),
    (
        "actionlint/expression",
        &[
            "invalid-expression",
            "untrusted-input",
            "undefined-matrix-value",
        ],
    ),
    (
        "actionlint/action",
        &["retired-artifact-action", "missing-local-action"],
    ),
    ("actionlint/job-needs", &["invalid-workflow"]),
    ("actionlint/id", &["invalid-workflow"]),
    ("actionlint/workflow-call", &["missing-local-action"]),
    ("actionlint/permissions", &["broad-permissions"]),
];

/// Findings of other tools that are no reason to refuse: they judge by the name of an event, or
/// by lists of actions, labels and versions that are older than GitHub's.
const ADVICE: [&str; 4] = [
    "zizmor/dangerous-triggers",
    "zizmor/unpinned-tools",
    "actionlint/action",
    "actionlint/runner-label",
];

/// What actionlint does not know yet.
const NEWER: [&str; 2] = [
    r#"unexpected key "queue" for "concurrency" section"#,
    r#"unexpected key "description" for "workflow" section"#,
];

/// Rules whose findings of another tool may stand elsewhere in the file: at the job instead of
/// the top.
const ONCE_A_FILE: [&str; 2] = ["zizmor/excessive-permissions", "zizmor/dangerous-triggers"];

/// Joins the findings: what ours says already on the same line is said once, and names the
/// others.
pub fn merge(mut own: Vec<Finding>, others: Vec<Finding>) -> Vec<Finding> {
    let mut more: Vec<Finding> = Vec::new();
    for other in others {
        let same = SAME
            .iter()
            .find(|(id, _)| *id == other.rule)
            .map_or(&[][..], |(_, same)| *same);
        let anywhere = ONCE_A_FILE.contains(&other.rule.as_str());
        let ours = own.iter_mut().find(|ours| {
            let here = ours.place.line == other.place.line || anywhere;
            ours.path == other.path && here && same.contains(&ours.rule.as_str())
        });
        match ours {
            Some(ours) if ours.also.contains(&other.rule) => {}
            Some(ours) => ours.also.push(other.rule),
            None if more.contains(&other) => {}
            None => more.push(other),
        }
    }
    own.extend(more);
    own
}

#[derive(Deserialize)]
struct Zizmor {
    ident: String,
    desc: String,
    url: String,
    determinations: Determinations,
    locations: Vec<Location>,
    #[serde(default)]
    ignored: bool,
}

#[derive(Deserialize)]
struct Determinations {
    confidence: String,
    severity: String,
}

#[derive(Deserialize)]
struct Location {
    symbolic: Symbolic,
    concrete: Concrete,
}

#[derive(Deserialize)]
struct Symbolic {
    key: Value,
    annotation: String,
    kind: String,
}

#[derive(Deserialize)]
struct Concrete {
    location: Span,
}

#[derive(Deserialize)]
struct Span {
    start_point: Point,
}

#[derive(Deserialize)]
struct Point {
    row: usize,
    column: usize,
}

/// Reads zizmor's `json-v1`.
///
/// # Errors
/// It has not that form.
pub fn zizmor(text: &str) -> Result<Vec<Finding>> {
    let found: Vec<Zizmor> = serde_json::from_str(text).map_err(|cause| {
        Error::failure(format!("zizmor: an answer that cannot be read: {cause}"))
    })?;
    let mut findings = Vec::new();
    for found in found.into_iter().filter(|found| !found.ignored) {
        let primary = found
            .locations
            .iter()
            .find(|location| location.symbolic.kind == "Primary");
        let Some(location) = primary.or(found.locations.first()) else {
            continue;
        };
        let path = location
            .symbolic
            .key
            .pointer("/Local/verbatim_path")
            .and_then(Value::as_str);
        let point = &location.concrete.location.start_point;
        let Determinations {
            confidence,
            severity,
        } = &found.determinations;
        let rule = format!("zizmor/{}", found.ident);
        let is_grave = matches!(severity.as_str(), "High" | "Medium") && confidence != "Low";
        findings.push(Finding {
            severity: match is_grave {
                true => severity_of(&rule),
                false => Severity::Warning,
            },
            rule,
            path: path.unwrap_or_default().trim_start_matches("./").to_owned(),
            place: Place {
                line: point.row + 1,
                column: point.column + 1,
            },
            detail: format!("{}: {}", found.desc, location.symbolic.annotation),
            why: found.desc,
            mend: format!("see {}", found.url),
            also: Vec::new(),
        });
    }
    Ok(findings)
}

fn severity_of(rule: &str) -> Severity {
    match ADVICE.contains(&rule) {
        true => Severity::Warning,
        false => Severity::Error,
    }
}

#[derive(Deserialize)]
struct Actionlint {
    path: String,
    kind: String,
    message: String,
    line: usize,
    column: usize,
}

/// Reads what our driver of actionlint prints.
///
/// # Errors
/// It has not that form.
pub fn actionlint(text: &str) -> Result<Vec<Finding>> {
    let found: Vec<Actionlint> = serde_json::from_str(text).map_err(|cause| {
        Error::failure(format!(
            "actionlint: an answer that cannot be read: {cause}"
        ))
    })?;
    let is_known = |found: &Actionlint| !NEWER.iter().any(|newer| found.message.starts_with(newer));
    let finding = |found: Actionlint| {
        let rule = format!("actionlint/{}", found.kind);
        Finding {
            severity: severity_of(&rule),
            rule,
            path: found.path,
            place: Place {
                line: found.line.max(1),
                column: found.column.max(1),
            },
            detail: found.message,
            why: "GitHub refuses it, or does something else than is meant".to_owned(),
            mend: String::new(),
            also: Vec::new(),
        }
    };
    Ok(found.into_iter().filter(is_known).map(finding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_actionlint_cannot_know_is_no_reason_to_refuse() {
        let check = |kind: &str, message: &str, expected: &[Severity]| {
            let found = serde_json::json!([{
                "path": "w.yml", "kind": kind, "message": message, "line": 0, "column": 0,
            }]);
            let found = actionlint(&found.to_string()).unwrap();
            let found: Vec<Severity> = found.iter().map(|finding| finding.severity).collect();
            assert_eq!(found, expected, "{kind}: {message}");
        };
        let queue = "unexpected key \"queue\" for \"concurrency\" section. expected one of";
        check("syntax-check", queue, &[]);
        let typing = "unexpected key \"qeue\" for \"concurrency\" section. expected one of";
        check("syntax-check", typing, &[Severity::Error]);
        let label = "label \"ubuntu-slim\" is unknown. available labels are";
        check("runner-label", label, &[Severity::Warning]);
        check("action", "the runner is too old", &[Severity::Warning]);
        check("expression", "property is not defined", &[Severity::Error]);
        assert!(actionlint("[").is_err());
    }

    #[test]
    fn zizmors_severities_are_ours_except_where_it_judges_by_a_name() {
        let check = |ident: &str, severity: &str, confidence: &str, expected: Severity| {
            let found = serde_json::json!([{
                "ident": ident, "desc": "d", "url": "u",
                "determinations": { "confidence": confidence, "severity": severity },
                "locations": [{
                    "symbolic": {
                        "key": { "Local": { "verbatim_path": "./w.yml" } },
                        "annotation": "a", "kind": "Primary",
                    },
                    "concrete": { "location": { "start_point": { "row": 1, "column": 2 } } },
                }],
            }]);
            let found = zizmor(&found.to_string()).unwrap();
            assert_eq!(
                found[0].severity, expected,
                "{ident} {severity} {confidence}"
            );
            assert_eq!((&*found[0].path, found[0].place.line), ("w.yml", 2));
        };
        check("template-injection", "High", "High", Severity::Error);
        check("template-injection", "High", "Low", Severity::Warning);
        check("template-injection", "Low", "High", Severity::Warning);
        check("dangerous-triggers", "High", "Medium", Severity::Warning);
        assert!(zizmor("{}").is_err());
    }
}
