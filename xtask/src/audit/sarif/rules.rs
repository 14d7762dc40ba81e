//! The rules of a SARIF log: one for each advisory that was found, and three of our own. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::markdown::escape;
use super::super::phrase::{self, name};
use super::super::report::{Finding, Fix, IgnoreNotice, IgnoreState, LicenseFinding};
use crate::advisory::{Class, Level};
use crate::printable;
use crate::sarif::{literal, pascal};

/// A rule that is not an advisory.
pub struct Own {
    /// Its id.
    pub id: &'static str,
    title: &'static str,
    why: &'static str,
    mend: &'static str,
}

/// A license that the policy does not allow.
pub const LICENSE: Own = Own {
    id: "license-not-allowed",
    title: "A license that is not on the list",
    why: "what ships must be allowed to ship",
    mend: "replace the package, or add the license to the list in release.toml",
};

/// An entry whose day is over.
pub const EXPIRED: Own = Own {
    id: "expired-ignore",
    title: "An entry of [[audit.ignore]] whose day is over",
    why: "it accepts nothing any more, and its finding has come back",
    mend: "mend the finding, or decide anew and set another day",
};

/// An entry that accepts nothing.
pub const UNUSED: Own = Own {
    id: "unused-ignore",
    title: "An entry of [[audit.ignore]] that nothing needs",
    why: "it would hide a finding that comes later, for a reason that no longer holds",
    mend: "delete it from release.toml",
};

/// How long GitHub lets the descriptions of a rule be.
const LONG: usize = 1000;

/// The id of the rule for an advisory.
pub fn id(advisory: &str) -> String {
    printable::line(advisory, 200)
}

/// The rules that some results need, by id. The findings are sorted worst first.
pub fn all(
    findings: &[&Finding],
    licenses: &[&LicenseFinding],
    ignores: &[&IgnoreNotice],
) -> Vec<Value> {
    let mut advisories: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for &finding in findings {
        advisories.entry(id(&finding.id)).or_default().push(finding);
    }
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    for (id, findings) in advisories {
        if let Some(rule) = advisory(&id, &findings) {
            rules.insert(id, rule);
        }
    }
    let is_expired = |one: &&IgnoreNotice| matches!(one.state, IgnoreState::Expired { .. });
    let needed = [
        (&LICENSE, !licenses.is_empty()),
        (&EXPIRED, ignores.iter().any(is_expired)),
        (&UNUSED, !ignores.iter().all(is_expired)),
    ];
    for (rule, _) in needed.into_iter().filter(|(_, needed)| *needed) {
        rules.insert(rule.id.to_owned(), own(rule));
    }
    rules.into_values().collect()
}

/// The places of the rules in their list.
pub fn index(rules: &[Value]) -> BTreeMap<String, usize> {
    let place = |(index, rule): (usize, &Value)| Some((rule["id"].as_str()?.to_owned(), index));
    rules.iter().enumerate().filter_map(place).collect()
}

fn own(rule: &Own) -> Value {
    json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": { "text": literal(rule.title) },
        "fullDescription": { "text": literal(&format!("{}: {}.", rule.title, rule.why)) },
        "help": {
            "text": literal(&format!("Why: {}. Mend: {}.", rule.why, rule.mend)),
            "markdown": format!("**Why:** {}.\n\n**Mend:** {}.", rule.why, rule.mend),
        },
        "properties": { "tags": ["audit"], "precision": "very-high", "problem.severity": "warning" },
    })
}

fn advisory(id: &str, findings: &[&Finding]) -> Option<Value> {
    let worst = findings.first()?;
    let packages = packages(findings);
    let summary = phrase::summary(worst);
    let full = format!(
        "{summary}. Concerns {packages}; {}. All ids: {}.",
        phrase::severity(worst),
        phrase::ids(worst)
    );
    let short = format!("{packages}: {summary}");
    let mut rule = json!({
        "id": id,
        "shortDescription": { "text": literal(&printable::line(&short, LONG)) },
        "fullDescription": { "text": literal(&printable::line(&full, LONG)) },
        "help": help(id, &summary, findings),
        "defaultConfiguration": { "level": super::level(worst) },
        "properties": properties(findings),
    });
    if let Some(address) = worst.url.as_deref().and_then(phrase::address) {
        rule["helpUri"] = json!(address);
    }
    Some(rule)
}

/// How many packages, and how many fixes, a rule names.
const NAMED: usize = 10;

fn packages(findings: &[&Finding]) -> String {
    let mut names: Vec<String> = Vec::new();
    for finding in findings {
        let name = name(&finding.package);
        if names.len() < NAMED && !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn help(id: &str, summary: &str, findings: &[&Finding]) -> Value {
    let mut text = format!("{summary}.");
    let mut markdown = format!("**{}:** {}.\n", escape(id), escape(summary));
    let mut fixes: Vec<(String, Option<String>)> = Vec::new();
    for finding in findings {
        let (package, version) = (name(&finding.package), name(&finding.version));
        let what = match &finding.fix {
            Fix::Version { .. } => format!("{package} {version} → {}", phrase::fix(finding)),
            Fix::None => format!("{package} {version}: {}", phrase::fix(finding)),
        };
        let fix = (what, phrase::command(finding));
        if fixes.len() < NAMED && !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    for (what, command) in fixes {
        text.push_str(&format!("\nMend: {what}."));
        markdown.push_str(&format!("\n- {}", escape(&what)));
        if let Some(command) = command {
            text.push_str(&format!(" Command: `{command}`"));
            markdown.push_str(&format!(": <code>{}</code>", escape(&command)));
        }
    }
    json!({ "text": literal(&text), "markdown": markdown })
}

/// Services show rules with the tag `security` by their score.
fn properties(findings: &[&Finding]) -> Value {
    let Some(worst) = findings.first() else {
        return json!({});
    };
    let kind = match worst.class {
        Class::Vulnerability | Class::Malware | Class::Unsound => "security",
        Class::Unmaintained | Class::Notice | Class::Yanked => "maintenance",
    };
    let tags = [kind, phrase::class(worst.class), worst.ecosystem.name()];
    let mut properties = json!({ "tags": tags, "precision": "very-high" });
    let scores = findings.iter().filter_map(|finding| score(finding));
    if let Some(tenths) = scores.max() {
        properties["security-severity"] = json!(format!("{}.{}", tenths / 10, tenths % 10));
    }
    properties
}

/// The score in tenths. Where there is only a word, it is the lowest score of that word (CVSS
/// v3.1, section 5); malware counts as critical. Nothing is made up for an unknown severity.
fn score(finding: &Finding) -> Option<u8> {
    if finding.score.is_some() {
        return Some(phrase::tenths(finding.score)).filter(|tenths| *tenths > 0);
    }
    match (finding.class, finding.level) {
        (Class::Malware, _) | (_, Level::Critical) => Some(90),
        (_, Level::High) => Some(70),
        (_, Level::Medium) => Some(40),
        (_, Level::Low) => Some(1),
        (_, Level::None | Level::Unknown) => None,
    }
}
