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
        let is_error = matches!(severity.as_str(), "High" | "Medium") && confidence != "Low";
        findings.push(Finding {
            rule: format!("zizmor/{}", found.ident),
            severity: if is_error {
                Severity::Error
            } else {
                Severity::Warning
            },
            path: path.unwrap_or_default().trim_start_matches("./").to_owned(),
            place: Place {
                line: point.row + 1,
                column: point.column + 1,
            },
            detail: location.symbolic.annotation.clone(),
            why: found.desc,
            mend: format!("see {}", found.url),
            also: Vec::new(),
        });
    }
    Ok(findings)
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
    let finding = |found: Actionlint| Finding {
        rule: format!("actionlint/{}", found.kind),
        severity: Severity::Error,
        path: found.path,
        place: Place {
            line: found.line.max(1),
            column: found.column.max(1),
        },
        detail: found.message,
        why: "GitHub refuses it, or does something else than is meant".to_owned(),
        mend: String::new(),
        also: Vec::new(),
    };
    Ok(found.into_iter().map(finding).collect())
}
