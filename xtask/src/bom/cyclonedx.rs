//! A bill as CycloneDX 1.6 JSON (ECMA-424). Pure.
//!
//! - `bom-ref` of a package is its package URL with the name as the registry spells it; those of
//!   product and artifacts begin with `product:` and `artifact:`.
//! - `hashes` are digests of the one file there is. Where a lock file allows several files of a
//!   version (wheels), each has an external reference of type `distribution`, because a reader
//!   holds a file against all hashes of its component.
//! - Licenses are what the packages say: `acknowledgement` is `declared`.
//! - `compositions` say of every arrow's beginning whether all its arrows are there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::license::{self, License};
use super::model::{Component, Graph, Knowledge, Part};
use super::{Bill, address, hash, identity, purl};
use crate::artifact::Kind;
use crate::lockfile::Source;

/// The version of the specification that is written.
pub const SPECIFICATION: &str = "1.6";

/// Identifiers of the SPDX license list that the license schema of CycloneDX 1.6 does not know;
/// as an expression they are valid. A test holds this list against both.
pub(super) const LATER_LICENSES: &[&str] = &[
    "BSD-2-Clause-pos-unchanged",
    "BSD-3-Clause-OpenWebUI",
    "BSD-Source-Code-no-disclaimer",
    "BSD-Source-alt-GPL",
    "BSD-ask-to-endorse",
    "Brian-Gladman-3-Clause-no-conversion",
    "Bugroff",
    "CC-BY-NC-3.0-IGO",
    "FDK-MPEG-H",
    "GFDL-1.1-invariants",
    "GFDL-1.1-no-invariants",
    "GFDL-1.2-invariants",
    "GFDL-1.2-no-invariants",
    "GFDL-1.3-invariants",
    "GFDL-1.3-no-invariants",
    "Hippocratic-3.0-core",
    "Informatica",
    "MVT-1.1",
    "atc-game",
];

/// The longest version that the schema allows.
const LONGEST_VERSION: usize = 1024;

/// The bill as a document; its serial number depends on all of the rest.
pub fn document(bill: &Bill<'_>) -> Value {
    whole(bill, &Graph::of(bill))
}

/// The reference to a component of a document from another document (BOM-Link).
pub fn link(document: &Value, reference: &str) -> String {
    let serial = document.get("serialNumber").and_then(Value::as_str);
    let serial = serial.and_then(|serial| serial.strip_prefix("urn:uuid:"));
    let serial = serial.unwrap_or("00000000-0000-0000-0000-000000000000");
    format!("urn:cdx:{serial}/1#{}", purl::encoded(reference, "/"))
}

pub(super) fn whole(bill: &Bill<'_>, graph: &Graph<'_>) -> Value {
    let parts = graph
        .parts
        .iter()
        .map(|(reference, part)| artifact(reference, part));
    let packages = graph
        .components
        .iter()
        .map(|(reference, one)| package(reference, one));
    numbered(super::object([
        ("metadata", metadata(bill, graph)),
        ("components", Value::Array(parts.chain(packages).collect())),
        ("dependencies", Value::Array(dependencies(graph))),
        ("compositions", Value::Array(compositions(graph))),
    ]))
}

/// Puts the head on a document's body.
pub(super) fn numbered(body: Value) -> Value {
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": format!("urn:uuid:{}", identity::uuid(&[&body])),
        "version": 1,
    });
    if let (Some(head), Value::Object(body)) = (document.as_object_mut(), body) {
        head.extend(body);
    }
    document
}

/// What wrote the document.
pub(super) fn tools() -> Value {
    json!({ "components": [{
        "type": "application",
        "name": "cargo-xtask",
        "version": env!("CARGO_PKG_VERSION"),
    }]})
}

/// Properties in order; several may have one name.
pub(super) fn properties<'name>(
    list: impl IntoIterator<Item = (&'name str, String)>,
) -> Option<Value> {
    let sorted: BTreeSet<(&str, String)> = list.into_iter().collect();
    let property =
        |(name, value): (&str, String)| json!({ "name": format!("xtask:{name}"), "value": value });
    let list: Vec<Value> = sorted.into_iter().map(property).collect();
    (!list.is_empty()).then_some(Value::Array(list))
}

/// Adds what there is.
fn put(map: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(map), Some(value)) = (map.as_object_mut(), value) {
        map.insert(key.to_owned(), value);
    }
}

fn metadata(bill: &Bill<'_>, graph: &Graph<'_>) -> Value {
    json!({
        "timestamp": super::moment(bill.product.date),
        "lifecycles": [{ "phase": "build" }],
        "tools": tools(),
        "component": product(bill, graph),
    })
}

/// The product as the component that a document is about.
pub(super) fn product(bill: &Bill<'_>, graph: &Graph<'_>) -> Value {
    let product = &bill.product;
    let mut url = purl::Purl::new(purl::GENERIC, &product.name, &product.version);
    if let Some(origin) = &graph.origin {
        url = url.with("vcs_url", origin);
    }
    let mut value = json!({
        "type": "application",
        "bom-ref": graph.product,
        "name": product.name,
        "version": product.version,
        "purl": url.to_string(),
    });
    let license = product.license.as_deref().and_then(license::read);
    put(&mut value, "licenses", license.as_ref().map(licenses));
    let repository = product.repository.as_deref().and_then(address::public);
    let reference = |url: String| json!([{ "type": "vcs", "url": url, "comment": format!("commit {}", product.commit) }]);
    put(&mut value, "externalReferences", repository.map(reference));
    put(
        &mut value,
        "properties",
        properties([("commit", product.commit.clone())]),
    );
    value
}

fn artifact(reference: &str, part: &Part<'_>) -> Value {
    let artifact = part.artifact;
    let (kind, mime) = match artifact.kind {
        Kind::Wheel | Kind::Vsix => ("application", "application/zip"),
        Kind::Image | Kind::ProgramImage => ("container", "application/x-tar"),
        Kind::Sdist => ("file", "application/gzip"),
        Kind::Requirements => ("file", "text/plain"),
        Kind::ReleaseNotes | Kind::FindingsMarkdown => ("file", "text/markdown"),
        Kind::Licenses
        | Kind::Findings
        | Kind::FindingsSarif
        | Kind::SbomSpdx
        | Kind::ServerJson => ("file", "application/json"),
        Kind::Provenance => ("file", "application/vnd.in-toto+json"),
        Kind::SbomCycloneDx | Kind::Vex | Kind::ImageBill => {
            ("file", "application/vnd.cyclonedx+json")
        }
    };
    let mut value = json!({
        "type": kind,
        "mime-type": mime,
        "bom-ref": reference,
        "name": super::artifact_name(artifact),
        "version": artifact.version,
        "scope": "required",
        "hashes": [{ "alg": "SHA-256", "content": artifact.sha256.hex() }],
    });
    put(
        &mut value,
        "purl",
        super::artifact_purl(artifact).map(Value::String),
    );
    let about = [
        ("artifact", artifact.kind.word().to_owned()),
        ("file", artifact.path.clone()),
        ("size", artifact.size.to_string()),
    ];
    put(&mut value, "properties", properties(about));
    value
}

pub(super) fn package(reference: &str, component: &Component) -> Value {
    let kind = match component.source {
        Source::Workspace { .. } => "application",
        Source::Registry { .. }
        | Source::Git { .. }
        | Source::Path { .. }
        | Source::Url { .. }
        | Source::Bundled { .. } => "library",
    };
    let mut value = json!({ "type": kind, "bom-ref": reference });
    let scoped = component
        .name
        .split_once('/')
        .filter(|(scope, _)| scope.starts_with('@'));
    put(&mut value, "group", scoped.map(|(scope, _)| json!(scope)));
    put(
        &mut value,
        "name",
        Some(json!(
            scoped.map_or(component.name.as_str(), |(_, name)| name)
        )),
    );
    let version: String = component.version.chars().take(LONGEST_VERSION).collect();
    put(
        &mut value,
        "version",
        (!version.is_empty()).then_some(Value::String(version)),
    );
    put(
        &mut value,
        "scope",
        Some(json!(if component.ships {
            "required"
        } else {
            "excluded"
        })),
    );
    let digests = hash::sort(&component.hashes);
    let hashes: Vec<Value> = digests.whole.iter().map(|hash| hash_value(hash)).collect();
    put(
        &mut value,
        "hashes",
        (!hashes.is_empty()).then_some(Value::Array(hashes)),
    );
    put(
        &mut value,
        "licenses",
        component
            .license
            .as_ref()
            .map(|(license, _)| licenses(license)),
    );
    put(&mut value, "purl", Some(json!(component.purl)));
    put(
        &mut value,
        "externalReferences",
        references(component, &digests),
    );
    put(&mut value, "properties", properties(about(component)));
    value
}

fn hash_value(hash: &hash::Hash) -> Value {
    json!({ "alg": hash.algorithm.cyclonedx, "content": hash.hex })
}

fn licenses(license: &License) -> Value {
    match license {
        License::Id(id) if LATER_LICENSES.contains(id) => {
            json!([{ "expression": id, "acknowledgement": "declared" }])
        }
        License::Id(id) => json!([{ "license": { "id": id, "acknowledgement": "declared" } }]),
        License::Expression { text, .. } => {
            json!([{ "expression": text, "acknowledgement": "declared" }])
        }
        License::Name(name) => {
            json!([{ "license": { "name": name, "acknowledgement": "declared" } }])
        }
    }
}

fn references(component: &Component, digests: &hash::Digests<'_>) -> Option<Value> {
    let source = match &component.source {
        Source::Git { url, commit } => address::public(url).map(|url| {
            let comment = commit.as_ref().map(|commit| format!("commit {commit}"));
            let mut value = json!({ "type": "vcs", "url": url });
            put(&mut value, "comment", comment.map(Value::String));
            value
        }),
        Source::Url { url } => {
            address::public(url).map(|url| json!({ "type": "distribution", "url": url }))
        }
        Source::Registry { .. }
        | Source::Path { .. }
        | Source::Workspace { .. }
        | Source::Bundled { .. } => None,
    };
    let separator = if component.purl.contains('?') {
        '&'
    } else {
        '?'
    };
    let file = |hash: &&hash::Hash| {
        let (address, subpath) = match component.purl.split_once('#') {
            Some((address, subpath)) => (address, format!("#{subpath}")),
            None => (component.purl.as_str(), String::new()),
        };
        let digest = format!("{}:{}", hash.algorithm.lock, hash.hex);
        json!({
            "type": "distribution",
            "url": format!("{address}{separator}checksum={digest}{subpath}"),
            "comment": "one of the files of this version",
            "hashes": [hash_value(hash)],
        })
    };
    let list: Vec<Value> = source
        .into_iter()
        .chain(digests.choice.iter().map(file))
        .collect();
    (!list.is_empty()).then_some(Value::Array(list))
}

/// What CycloneDX has no field for.
fn about(component: &Component) -> Vec<(&'static str, String)> {
    let mut list = vec![("source", super::source_word(&component.source).to_owned())];
    if let Source::Bundled { by } = &component.source {
        list.push(("bundled-in", by.clone()));
    }
    let places = component.places.iter();
    list.extend(places.map(|place| ("lock", format!("{}:{}", place.lock, place.line))));
    list.extend(
        component
            .groups
            .iter()
            .map(|group| ("group", group.clone())),
    );
    list.extend(
        component
            .aliases
            .iter()
            .map(|alias| ("alias", alias.clone())),
    );
    if let Some((license, declared)) = &component.license {
        list.push(("license:origin", declared.origin.clone()));
        if license.text() != declared.text && !matches!(license, License::Name(_)) {
            list.push(("license:written", declared.text.clone()));
        }
    }
    list
}

/// Every reference once, with all its arrows.
fn arrows<'graph>(
    graph: &'graph Graph<'_>,
) -> BTreeMap<&'graph str, (BTreeSet<&'graph str>, Knowledge)> {
    let texts = |sets: &[&'graph BTreeSet<String>]| -> BTreeSet<&'graph str> {
        sets.iter()
            .flat_map(|set| set.iter())
            .map(String::as_str)
            .collect()
    };
    let product = texts(&[&graph.needs, &graph.development, &graph.tools]);
    let mut arrows = BTreeMap::from([(graph.product.as_str(), (product, graph.knowledge))]);
    for (reference, part) in &graph.parts {
        arrows.insert(
            reference,
            (texts(&[&part.holds, &part.needs]), part.knowledge),
        );
    }
    for (reference, component) in &graph.components {
        arrows.insert(reference, (texts(&[&component.needs]), component.knowledge));
    }
    arrows
}

fn dependencies(graph: &Graph<'_>) -> Vec<Value> {
    let entry = |(reference, (targets, _)): (&str, (BTreeSet<&str>, Knowledge))| {
        let mut entry = Map::from_iter([("ref".to_owned(), json!(reference))]);
        if !targets.is_empty() {
            entry.insert("dependsOn".to_owned(), json!(targets));
        }
        Value::Object(entry)
    };
    arrows(graph).into_iter().map(entry).collect()
}

fn compositions(graph: &Graph<'_>) -> Vec<Value> {
    let arrows = arrows(graph);
    let aggregates = [
        (Knowledge::Complete, "complete"),
        (Knowledge::Incomplete, "incomplete"),
        (Knowledge::Unknown, "unknown"),
    ];
    let composition = |(knowledge, word): (Knowledge, &str)| {
        let fits = |(reference, (_, known)): (&&str, &(BTreeSet<&str>, Knowledge))| {
            (*known == knowledge).then(|| (*reference).to_owned())
        };
        let list: Vec<String> = arrows.iter().filter_map(fits).collect();
        (!list.is_empty()).then(|| json!({ "aggregate": word, "dependencies": list }))
    };
    aggregates.into_iter().filter_map(composition).collect()
}
