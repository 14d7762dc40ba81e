//! What an audit found as a CycloneDX 1.6 VEX document that speaks about the bill of materials
//! by its serial number (BOM-Link). Pure.
//!
//! Nobody has looked at what a finding means for the product; a version matched. So the analysis
//! says no more than the policy does:
//!
//! - A finding that the policy denies is `exploitable` ("may be directly or indirectly
//!   exploitable", says CycloneDX); the response is `update` where a version without it is known.
//! - One that the policy only reports is `in_triage`.
//! - One that an entry of `[[audit.ignore]]` accepts is `in_triage` too, with the entry's reason
//!   and last day. An acceptance for a time is not the claim that the product is
//!   `not_affected`, and not the decision never to mend it (`will_not_fix`).
//!
//! Unmaintained, unsound and other classes are there as well, told apart by the property
//! `xtask:class`; where they have no severity it is `info`. The document's time is the newest of
//! the commit's and the databases' states. What was not looked up, and lock files that were left
//! out, are properties of its metadata: `xtask:unchecked`, `xtask:skipped`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::Graph;
use super::{Bill, address, cyclonedx, purl};
use crate::advisory::{Class, Level};
use crate::audit::report::{Finding, Fix, LockFile, Report, Unchecked, Verdict};
use crate::lockfile::{Ecosystem, Source};

/// The document. `bill` must be the one whose CycloneDX document is published: this one points
/// to the components in it. A finding on a package that is not in it brings its own component.
pub fn document(report: &Report, bill: &Bill<'_>) -> Value {
    let graph = Graph::of(bill);
    let materials = cyclonedx::whole(bill, &graph);
    let mut book = Book::of(&graph, &materials);
    let mut entries: BTreeMap<(String, String), Entry> = BTreeMap::new();
    for finding in &report.findings {
        let reference = book.find(finding);
        let body = body(finding);
        let key = (finding.id.clone(), body.to_string());
        let entry = entries.entry(key).or_insert_with(|| Entry::new(body));
        entry
            .versions
            .entry(reference)
            .or_default()
            .insert(finding.version.clone());
        entry.properties.extend(properties(finding));
    }
    let vulnerabilities: Vec<Value> = entries.into_values().map(Entry::value).collect();
    let mut document = super::object([
        ("metadata", metadata(report, bill, &graph)),
        ("vulnerabilities", Value::Array(vulnerabilities)),
    ]);
    if let (Some(map), false) = (document.as_object_mut(), book.strangers.is_empty()) {
        let strangers: Vec<Value> = book.strangers.into_values().collect();
        map.insert("components".to_owned(), Value::Array(strangers));
    }
    cyclonedx::numbered(document)
}

/// Findings that say the same about several components are one vulnerability.
struct Entry {
    body: Value,
    versions: BTreeMap<String, BTreeSet<String>>,
    properties: BTreeSet<(&'static str, String)>,
}

impl Entry {
    fn new(body: Value) -> Entry {
        Entry {
            body,
            versions: BTreeMap::new(),
            properties: BTreeSet::new(),
        }
    }

    fn value(self) -> Value {
        let version = |version: String| json!({ "version": version, "status": "affected" });
        let affected = |(reference, versions): (String, BTreeSet<String>)| {
            let versions: Vec<Value> = versions.into_iter().map(version).collect();
            json!({ "ref": reference, "versions": versions })
        };
        let mut value = self.body;
        if let Some(map) = value.as_object_mut() {
            let affects: Vec<Value> = self.versions.into_iter().map(affected).collect();
            map.insert("affects".to_owned(), Value::Array(affects));
            if let Some(list) = cyclonedx::properties(self.properties) {
                map.insert("properties".to_owned(), list);
            }
        }
        value
    }
}

/// Where to find a component.
struct Book<'graph> {
    materials: &'graph Value,
    by_place: BTreeMap<(&'graph str, usize, &'graph str, &'graph str), &'graph str>,
    by_name: BTreeMap<(Ecosystem, &'graph str, &'graph str), &'graph str>,
    strangers: BTreeMap<String, Value>,
}

impl<'graph> Book<'graph> {
    fn of(graph: &'graph Graph<'_>, materials: &'graph Value) -> Book<'graph> {
        let mut book = Book {
            materials,
            by_place: BTreeMap::new(),
            by_name: BTreeMap::new(),
            strangers: BTreeMap::new(),
        };
        for (reference, component) in &graph.components {
            let (name, version) = (component.name.as_str(), component.version.as_str());
            for place in &component.places {
                let key = (place.lock.as_str(), place.line, name, version);
                book.by_place.insert(key, reference);
            }
            if matches!(component.source, Source::Registry { .. }) {
                book.by_name
                    .insert((component.ecosystem, name, version), reference);
            }
        }
        book
    }

    /// The reference to what a finding is about.
    fn find(&mut self, finding: &Finding) -> String {
        let (name, version) = (finding.package.as_str(), finding.version.as_str());
        let here = (finding.lock.as_str(), finding.line, name, version);
        let anywhere = (finding.ecosystem, name, version);
        let known = self
            .by_place
            .get(&here)
            .or_else(|| self.by_name.get(&anywhere));
        if let Some(reference) = known {
            return cyclonedx::link(self.materials, reference);
        }
        let url = purl::Purl::new(finding.ecosystem.purl_type(), name, version);
        let reference = url.to_string();
        let stranger = json!({
            "type": "library",
            "bom-ref": reference,
            "name": name,
            "version": version,
            "purl": url.canonical().to_string(),
        });
        self.strangers.insert(reference.clone(), stranger);
        reference
    }
}

fn metadata(report: &Report, bill: &Bill<'_>, graph: &Graph<'_>) -> Value {
    let states = report
        .databases
        .iter()
        .filter_map(|database| database.date.parse::<Timestamp>().ok());
    let newest = states
        .chain([bill.product.date])
        .max()
        .unwrap_or(bill.product.date);
    let database = |database: &crate::advisory::Provenance| {
        let state = format!(
            "{} {} {}",
            database.ecosystem, database.date, database.digest
        );
        ("database", state)
    };
    let mut metadata = json!({
        "timestamp": super::moment(newest),
        "tools": cyclonedx::tools(),
        "component": cyclonedx::product(bill, graph),
    });
    let unchecked = |one: &Unchecked| {
        let place = format!("{}:{}", one.lock, one.line);
        let text = format!("{place} {} {}: {}", one.package, one.version, one.reason);
        ("unchecked", text)
    };
    let skipped = |lock: &LockFile| {
        let reason = lock.skipped.as_ref()?;
        Some(("skipped", format!("{}: {reason}", lock.path)))
    };
    let known = report.databases.iter().map(database);
    let open = report.unchecked.iter().map(unchecked);
    let skipped = report.locks.iter().filter_map(skipped);
    let list = cyclonedx::properties(known.chain(open).chain(skipped));
    if let (Some(map), Some(list)) = (metadata.as_object_mut(), list) {
        map.insert("properties".to_owned(), list);
    }
    metadata
}

/// Everything about a finding but the component and its place.
fn body(finding: &Finding) -> Value {
    let mut body = json!({
        "id": finding.id,
        "source": source(&finding.id),
        "references": references(finding),
        "ratings": [rating(finding)],
        "description": finding.summary,
        "recommendation": recommendation(finding),
        "advisories": [],
        "analysis": analysis(finding),
    });
    let Some(map) = body.as_object_mut() else {
        return body;
    };
    let advisory = finding.url.as_deref().and_then(address::page);
    map.insert(
        "advisories".to_owned(),
        json!(advisory.map(|url| [json!({ "url": url })])),
    );
    map.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    });
    body
}

/// Who gave an id, by its beginning, and the page about it. The records themselves come from OSV.
fn source(id: &str) -> Value {
    let (name, before, after) = match id.split('-').next().unwrap_or_default() {
        "CVE" => ("NVD", "https://nvd.nist.gov/vuln/detail/", ""),
        "GHSA" => ("GitHub Advisories", "https://github.com/advisories/", ""),
        "RUSTSEC" => ("RustSec", "https://rustsec.org/advisories/", ".html"),
        _ => ("OSV", "https://osv.dev/vulnerability/", ""),
    };
    json!({ "name": name, "url": format!("{before}{}{after}", purl::encoded(id, "")) })
}

fn references(finding: &Finding) -> Vec<Value> {
    let others: BTreeSet<&String> = finding.ids.iter().filter(|id| **id != finding.id).collect();
    let reference = |id: &String| json!({ "id": id, "source": source(id) });
    others.into_iter().map(reference).collect()
}

fn rating(finding: &Finding) -> Value {
    let informational = matches!(
        finding.class,
        Class::Unmaintained | Class::Unsound | Class::Notice | Class::Yanked
    );
    let severity = match finding.level {
        Level::Unknown if informational => "info",
        Level::Unknown => "unknown",
        Level::None => "none",
        Level::Low => "low",
        Level::Medium => "medium",
        Level::High => "high",
        Level::Critical => "critical",
    };
    let mut rating = serde_json::Map::new();
    if let Some(score) = finding.score.and_then(serde_json::Number::from_f64) {
        rating.insert("score".to_owned(), Value::Number(score));
    }
    rating.insert("severity".to_owned(), json!(severity));
    if let Some(vector) = &finding.vector {
        rating.insert("method".to_owned(), json!(method(vector)));
        rating.insert("vector".to_owned(), json!(vector));
    }
    Value::Object(rating)
}

pub(super) fn method(vector: &str) -> &'static str {
    match vector {
        _ if vector.starts_with("CVSS:4.") => "CVSSv4",
        _ if vector.starts_with("CVSS:3.1/") => "CVSSv31",
        _ if vector.starts_with("CVSS:3.") => "CVSSv3",
        _ if vector.trim_start_matches('(').starts_with("AV:") => "CVSSv2",
        _ => "other",
    }
}

fn recommendation(finding: &Finding) -> String {
    match &finding.fix {
        Fix::Version {
            version,
            blocked_by,
            command,
            ..
        } => {
            let blocked = blocked_by
                .as_ref()
                .map(|by| format!("; not let in by {by}"));
            format!(
                "Update {} to {version}: `{command}`{}.",
                finding.package,
                blocked.unwrap_or_default()
            )
        }
        Fix::None => format!(
            "No version of {} is known to be free of it.",
            finding.package
        ),
    }
}

fn analysis(finding: &Finding) -> Value {
    match &finding.verdict {
        Verdict::Denied => {
            let detail = format!(
                "Nobody has analysed it; the policy denies it: {}.",
                finding.because
            );
            let mut analysis = json!({ "state": "exploitable", "detail": detail });
            if let (Fix::Version { .. }, Some(map)) = (&finding.fix, analysis.as_object_mut()) {
                map.insert("response".to_owned(), json!(["update"]));
            }
            analysis
        }
        Verdict::Warned => json!({
            "state": "in_triage",
            "detail": format!("Nobody has analysed it; the policy reports it: {}.", finding.because),
        }),
        Verdict::Ignored { reason, until } => json!({
            "state": "in_triage",
            "detail": format!("Accepted until {until}: {reason}"),
        }),
    }
}

fn properties(finding: &Finding) -> Vec<(&'static str, String)> {
    let word = |value: Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let verdict = match &finding.verdict {
        Verdict::Denied => "denied",
        Verdict::Warned => "warned",
        Verdict::Ignored { .. } => "ignored",
    };
    let mut list = vec![
        ("class", word(json!(finding.class))),
        ("scope", word(json!(finding.scope))),
        ("verdict", verdict.to_owned()),
        ("lock", format!("{}:{}", finding.lock, finding.line)),
        ("chain", finding.chain.join(" > ")),
    ];
    list.extend(finding.matched.iter().map(|id| ("matched", id.clone())));
    list
}
