//! A report as SARIF 2.1.0 for code-scanning services. Pure.
//!
//! One rule for each advisory, one result for each locked package it concerns; what an entry of
//! `[[audit.ignore]]` accepts is there as suppressed, and what was not looked at as a
//! notification, so that nothing is left out in silence.
//!
//! A level comes from the score: `error` from 7.0, `warning` from 4.0 and where nobody has
//! said how severe it is, `note` below. Without a score, malware is an `error`, unsound a
//! `warning`, and unmaintained, yanked and notices are a `note`. What the policy denies is an
//! `error`, whatever its score, because it stops the release.

mod notices;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::group;
use super::phrase::{self, name, sentence};
use super::report::{Finding, IgnoreNotice, IgnoreState, LicenseFinding, Report, Verdict};
use crate::advisory::{Class, Level};
use crate::artifact::Digest;
use crate::sarif::{literal, place};
use crate::world::CONFIGURATION_FILE;

/// How many results of each kind a log holds.
#[derive(Debug, Clone, Copy)]
struct Most {
    findings: usize,
    licenses: usize,
    ignores: usize,
}

/// GitHub rejects a log with more than 25,000 results or rules in a run.
const MOST: Most = Most {
    findings: 20_000,
    licenses: 4_000,
    ignores: 900,
};

/// The report as one SARIF log with one run.
///
/// # Panics
/// Never: the sums are plain numbers.
pub fn log(report: &Report) -> Value {
    within(report, MOST)
}

fn within(report: &Report, most: Most) -> Value {
    let mut findings = group::all(report);
    let mut licenses: Vec<_> = report.licenses.iter().collect();
    licenses.sort_by_key(|one| (&one.lock, one.line, &one.package, &one.version));
    let mut ignores: Vec<_> = report.ignores.iter().collect();
    ignores.sort_by_key(|one| (one.line, &one.id, &one.package));
    let all = findings.len() + licenses.len() + ignores.len();
    findings.truncate(most.findings);
    licenses.truncate(most.licenses);
    ignores.truncate(most.ignores);

    let rules = rules::all(&findings, &licenses, &ignores);
    let index = rules::index(&rules);
    let mut results: Vec<Value> = Vec::new();
    results.extend(findings.iter().map(|one| finding(one)));
    results.extend(licenses.iter().map(|one| license(one)));
    results.extend(ignores.iter().map(|one| ignore(one)));
    number(&mut results);
    for result in &mut results {
        let rule = result["ruleId"].as_str().and_then(|id| index.get(id));
        result["ruleIndex"] = json!(rule);
    }
    let left_out = all - results.len();

    let mut more = Map::new();
    let summary = serde_json::to_value(&report.summary).expect("the sums are plain numbers");
    more.insert("automationDetails".to_owned(), json!({ "id": "audit/" }));
    more.insert(
        "invocations".to_owned(),
        json!([notices::invocation(report, left_out)]),
    );
    more.insert("properties".to_owned(), json!({ "summary": summary }));
    let mut log = crate::sarif::log("audit", &rules, &results, more);
    if let Some(driver) = log.pointer_mut("/runs/0/tool/driver") {
        driver["notifications"] = notices::descriptors();
    }
    log
}

/// The level of a finding; see the head of this file.
fn level(finding: &Finding) -> &'static str {
    if finding.verdict == Verdict::Denied {
        return "error";
    }
    if finding.score.is_some() {
        return match phrase::tenths(finding.score) {
            70.. => "error",
            40..70 => "warning",
            0..40 => "note",
        };
    }
    match (finding.class, finding.level) {
        (Class::Malware, _) | (_, Level::Critical | Level::High) => "error",
        (Class::Unsound, Level::Unknown) | (_, Level::Medium) => "warning",
        (Class::Vulnerability, Level::Unknown) => "warning",
        (Class::Unmaintained | Class::Notice | Class::Yanked, Level::Unknown) => "note",
        (_, Level::Low | Level::None) => "note",
    }
}

fn finding(finding: &Finding) -> Value {
    let (package, version) = (name(&finding.package), name(&finding.version));
    let mut told = vec![format!("{package} {version}: {}", phrase::summary(finding))];
    if let Some(chain) = phrase::chain(finding) {
        told.push(format!("Installed by {chain}"));
    }
    told.push(format!("Mend: {}", phrase::fix(finding)));
    if let Some(command) = phrase::command(finding) {
        told.push(format!("Command: `{command}`"));
    }
    if finding.ids.len() > 1 {
        told.push(format!("All ids: {}", phrase::ids(finding)));
    }
    let verdict = phrase::verdict(&finding.verdict, &finding.because);
    told.push(format!("Policy: {verdict}"));
    let rule = rules::id(&finding.id);
    let logical = format!("{} {package} {version}", finding.ecosystem);
    let print = [&finding.id, &finding.package, &finding.lock];
    let mut result = result(
        &rule,
        level(finding),
        &told,
        (&finding.lock, finding.line),
        &print,
    );
    result["locations"][0]["logicalLocations"] =
        json!([{ "name": package, "fullyQualifiedName": logical, "kind": "module" }]);
    result["properties"] =
        json!({ "version": version, "verdict": phrase::verdict_word(&finding.verdict) });
    suppress(&mut result, &finding.verdict);
    result
}

fn license(finding: &LicenseFinding) -> Value {
    let level = match finding.verdict {
        Verdict::Denied => "error",
        Verdict::Warned | Verdict::Ignored { .. } => "warning",
    };
    let told = [
        phrase::license(finding),
        format!(
            "Policy: {}",
            phrase::verdict(&finding.verdict, &finding.because)
        ),
    ];
    let rule = rules::LICENSE.id;
    let print = [rule, &finding.package, &finding.lock];
    let mut result = result(rule, level, &told, (&finding.lock, finding.line), &print);
    result["properties"] = json!({
        "version": name(&finding.version),
        "verdict": phrase::verdict_word(&finding.verdict),
    });
    suppress(&mut result, &finding.verdict);
    result
}

fn ignore(notice: &IgnoreNotice) -> Value {
    let (rule, level) = match notice.state {
        IgnoreState::Expired { .. } => (rules::EXPIRED.id, "warning"),
        IgnoreState::Unused => (rules::UNUSED.id, "note"),
    };
    let level = if notice.denied { "error" } else { level };
    let told = [format!(
        "{} of {}: {}",
        name(&notice.id),
        name(&notice.package),
        phrase::ignore(&notice.state)
    )];
    let print = [rule, &notice.id, &notice.package];
    result(
        rule,
        level,
        &told,
        (CONFIGURATION_FILE, notice.line),
        &print,
    )
}

/// A result; what it says are sentences without their full stops.
fn result<Text: AsRef<str>>(
    rule: &str,
    level: &str,
    told: &[String],
    (path, line): (&str, usize),
    print: &[Text],
) -> Value {
    let told = literal(&(told.join(". ") + "."));
    let parts: Vec<&str> = print.iter().map(AsRef::as_ref).collect();
    json!({
        "ruleId": rule,
        "ruleIndex": null,
        "level": level,
        "message": { "text": told },
        "locations": [{ "physicalLocation": place(path, line) }],
        "partialFingerprints": { PRINT: Digest::of(parts.join("\n").as_bytes()).hex() },
    })
}

/// The fingerprint's own name, for services that know more than GitHub's.
const PRINT: &str = "packageAdvisory/v1";

/// The only fingerprint that GitHub looks at.
const GITHUB_PRINT: &str = "primaryLocationLineHash";

fn suppress(result: &mut Value, verdict: &Verdict) {
    if let Verdict::Ignored { reason, until } = verdict {
        let justification = format!("{} (until {})", sentence(reason), name(until));
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": justification,
        }]);
    }
}

/// Numbers results of the same fingerprint, as the same package may be locked in several
/// versions: by version and line, so that no verdict changes it.
fn number(results: &mut [Value]) {
    let key = |result: &Value| {
        let text = |pointer| Some(result.pointer(pointer)?.as_str()?.to_owned());
        let line = "/locations/0/physicalLocation/region/startLine";
        (
            text("/partialFingerprints/packageAdvisory~1v1"),
            text("/properties/version"),
            result.pointer(line).and_then(Value::as_u64),
        )
    };
    let keys: BTreeSet<_> = results.iter().map(key).collect();
    let mut numbers = BTreeMap::new();
    let mut last = (None, 0);
    for key in keys {
        last = if last.0 == key.0 {
            (last.0, last.1 + 1)
        } else {
            (key.0.clone(), 1)
        };
        numbers.insert(key, last.1);
    }
    for result in results {
        let key = key(result);
        let number = numbers.get(&key).copied().unwrap_or(1);
        let print = format!("{}:{number}", key.0.unwrap_or_default());
        result["partialFingerprints"] = json!({ PRINT: print, GITHUB_PRINT: print });
    }
}
