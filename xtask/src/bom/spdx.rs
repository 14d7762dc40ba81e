//! A bill as SPDX 2.3 JSON (ISO/IEC 5962). Pure.
//!
//! Product, artifacts and packages are all SPDX packages; no files inside of them are analysed.
//! `licenseDeclared` is what a package says, with a `LicenseRef-` for what is no expression;
//! `licenseConcluded` is `NOASSERTION`, because nobody has concluded anything. Digests of several
//! files of one version are external references of type `file-checksum`, as a reader holds a
//! package's file against all of its checksums. An arrow to `NOASSERTION` says that there may be
//! more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::license::{self, License};
use super::model::{Component, Graph, Knowledge, Part};
use super::{Bill, Product, address, hash, identity, purl};
use crate::artifact::Kind;
use crate::lockfile::Source;

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const PRODUCT: &str = "SPDXRef-Product";
const UNKNOWN: &str = "NOASSERTION";

/// The bill as a document; its namespace depends on all of the rest.
pub fn document(bill: &Bill<'_>) -> Value {
    let graph = Graph::of(bill);
    let mut texts = BTreeMap::new();
    let mut packages = vec![product(&bill.product, &graph, &mut texts)];
    packages.extend(graph.parts.values().map(artifact));
    let components = graph.components.iter();
    packages.extend(components.map(|(reference, one)| package(reference, one, &mut texts)));
    let body = super::object([
        ("packages", Value::Array(packages)),
        (
            "hasExtractedLicensingInfos",
            Value::Array(texts.into_values().collect()),
        ),
        ("relationships", Value::Array(relationships(&graph))),
    ]);
    headed(&bill.product, body)
}

fn headed(product: &Product, body: Value) -> Value {
    let name = format!("{}-{}", product.name, product.version);
    let version = spdx::identifiers::VERSION;
    let list: Vec<&str> = version.split('.').take(2).collect();
    let mut head = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": name,
        "creationInfo": {
            "created": super::moment(product.date),
            "creators": [concat!("Tool: cargo-xtask-", env!("CARGO_PKG_VERSION"))],
            "licenseListVersion": list.join("."),
        },
    });
    let number = identity::uuid(&[&head, &body]);
    let space = format!(
        "https://spdx.org/spdxdocs/{}-{number}",
        purl::encoded(&name, "")
    );
    if let (Some(head), Value::Object(body)) = (head.as_object_mut(), body) {
        head.insert("documentNamespace".to_owned(), json!(space));
        head.extend(body);
    }
    head
}

/// An identifier of letters, digits, dots and hyphens, unique through a part of a digest.
fn identifier(kind: &str, name: &str, reference: &str) -> String {
    format!(
        "SPDXRef-{kind}-{}-{}",
        plain(name),
        identity::short(reference)
    )
}

fn plain(text: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '.';
    let mut plain = String::new();
    for character in text.chars().take(80) {
        if fits(character) {
            plain.push(character);
        } else if !plain.ends_with('-') {
            plain.push('-');
        }
    }
    plain.trim_matches('-').to_owned()
}

fn part_identifier(part: &Part<'_>) -> String {
    identifier("Artifact", &part.artifact.path, &part.artifact.path)
}

fn package_identifier(reference: &str, component: &Component) -> String {
    let kind = component.ecosystem.purl_type();
    let name = format!("{kind}-{}-{}", component.name, component.version);
    identifier("Package", &name, reference)
}

/// Everything an SPDX package has here; the callers add the rest.
fn base(id: &str, name: &str, version: &str, purpose: &str) -> Value {
    let mut value = json!({
        "SPDXID": id,
        "name": name,
        "versionInfo": version,
        "primaryPackagePurpose": purpose,
        "supplier": UNKNOWN,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": UNKNOWN,
        "copyrightText": UNKNOWN,
    });
    if let (Some(map), true) = (value.as_object_mut(), version.is_empty()) {
        map.shift_remove("versionInfo");
    }
    value
}

fn set(value: &mut Value, key: &str, new: Option<Value>) {
    if let (Some(map), Some(new)) = (value.as_object_mut(), new) {
        map.insert(key.to_owned(), new);
    }
}

type Texts = BTreeMap<String, Value>;

fn product(product: &Product, graph: &Graph<'_>, texts: &mut Texts) -> Value {
    let mut value = base(PRODUCT, &product.name, &product.version, "APPLICATION");
    set(
        &mut value,
        "downloadLocation",
        graph.origin.as_ref().map(|origin| json!(origin)),
    );
    set(
        &mut value,
        "sourceInfo",
        Some(json!(format!("built from commit {}", product.commit))),
    );
    let license = product.license.as_deref().and_then(license::read);
    set(
        &mut value,
        "licenseDeclared",
        license.map(|license| declared(&license, texts)),
    );
    value
}

fn artifact(part: &Part<'_>) -> Value {
    let artifact = part.artifact;
    let purpose = match artifact.kind {
        Kind::Wheel | Kind::Vsix | Kind::Image | Kind::ProgramImage => "INSTALL",
        Kind::Sdist => "SOURCE",
        Kind::Requirements | Kind::ReleaseNotes | Kind::Licenses => "FILE",
        Kind::Findings | Kind::FindingsSarif | Kind::FindingsMarkdown => "DOCUMENTATION",
        Kind::SbomCycloneDx | Kind::SbomSpdx | Kind::Vex | Kind::ImageBill => "DOCUMENTATION",
        Kind::ServerJson | Kind::Provenance => "DOCUMENTATION",
    };
    let id = part_identifier(part);
    let mut value = base(
        &id,
        super::artifact_name(artifact),
        &artifact.version,
        purpose,
    );
    set(&mut value, "packageFileName", Some(json!(artifact.path)));
    let checksum = json!([{ "algorithm": "SHA256", "checksumValue": artifact.sha256.hex() }]);
    set(&mut value, "checksums", Some(checksum));
    let reference = super::artifact_purl(artifact).map(|purl| json!([purl_reference(&purl)]));
    set(&mut value, "externalRefs", reference);
    value
}

fn package(reference: &str, component: &Component, texts: &mut Texts) -> Value {
    let purpose = match component.source {
        Source::Workspace { .. } => "APPLICATION",
        Source::Registry { .. }
        | Source::Git { .. }
        | Source::Path { .. }
        | Source::Url { .. }
        | Source::Bundled { .. } => "LIBRARY",
    };
    let id = package_identifier(reference, component);
    let mut value = base(&id, &component.name, &component.version, purpose);
    set(&mut value, "downloadLocation", location(&component.source));
    let license = component.license.as_ref();
    set(
        &mut value,
        "licenseDeclared",
        license.map(|(license, _)| declared(license, texts)),
    );
    let origin = license.map(|(_, found)| json!(format!("declared in: {}", found.origin)));
    set(&mut value, "licenseComments", origin);
    set(&mut value, "sourceInfo", Some(json!(places(component))));
    let apart = "It does not ship: only those who work on the product install it.";
    set(
        &mut value,
        "comment",
        (!component.ships).then(|| json!(apart)),
    );
    let digests = hash::sort(&component.hashes);
    let checksum =
        |hash: &&hash::Hash| json!({ "algorithm": hash.algorithm.spdx, "checksumValue": hash.hex });
    let checksums: Vec<Value> = digests.whole.iter().map(checksum).collect();
    set(
        &mut value,
        "checksums",
        (!checksums.is_empty()).then_some(Value::Array(checksums)),
    );
    let mut references = vec![purl_reference(&component.purl)];
    references.extend(digests.choice.iter().map(|hash| {
        json!({
            "referenceCategory": "OTHER",
            "referenceType": "file-checksum",
            "referenceLocator": format!("{}:{}", hash.algorithm.lock, hash.hex),
            "comment": "one of the files of this version",
        })
    }));
    set(&mut value, "externalRefs", Some(Value::Array(references)));
    value
}

fn purl_reference(purl: &str) -> Value {
    json!({
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": purl,
    })
}

/// Where it was loaded from, if it is known and is no registry.
fn location(source: &Source) -> Option<Value> {
    match source {
        Source::Git { url, commit } => address::git(url, commit.as_deref()).map(Value::String),
        Source::Url { url } => address::public(url).map(Value::String),
        Source::Registry { .. }
        | Source::Path { .. }
        | Source::Workspace { .. }
        | Source::Bundled { .. } => None,
    }
}

fn places(component: &Component) -> String {
    let places: Vec<String> = (component.places.iter())
        .map(|place| format!("{}:{}", place.lock, place.line))
        .collect();
    let word = super::source_word(&component.source);
    format!("locked at {}; source: {word}", places.join(", "))
}

/// The license as an expression; what is none gets a `LicenseRef-` with its text.
fn declared(license: &License, texts: &mut Texts) -> Value {
    match license {
        License::Id(id) => json!(id),
        License::Expression { text, references } => {
            for id in references {
                let unknown =
                    "The text is not known here: the package names its license by this reference.";
                keep(texts, id, id, unknown);
            }
            json!(text)
        }
        License::Name(name) => {
            let id = format!("LicenseRef-{}-{}", plain(name), identity::short(name));
            let id = id.replace("--", "-");
            keep(texts, &id, name, name);
            json!(id)
        }
    }
}

fn keep(texts: &mut Texts, id: &str, name: &str, text: &str) {
    let value = json!({ "licenseId": id, "name": name, "extractedText": text });
    texts.entry(id.to_owned()).or_insert(value);
}

/// All arrows: sorted, each once.
fn relationships(graph: &Graph<'_>) -> Vec<Value> {
    let mut arrows: BTreeSet<(String, &str, String)> = BTreeSet::new();
    let components: BTreeMap<&str, String> = (graph.components.iter())
        .map(|(reference, one)| (reference.as_str(), package_identifier(reference, one)))
        .collect();
    let parts: BTreeMap<&str, String> = (graph.parts.iter())
        .map(|(reference, part)| (reference.as_str(), part_identifier(part)))
        .collect();
    let mut draw = |from: &str, kind: &'static str, to: &str| {
        arrows.insert((from.to_owned(), kind, to.to_owned()));
    };
    let package = |reference: &String| components.get(reference.as_str());
    draw(DOCUMENT, "DESCRIBES", PRODUCT);
    for id in graph.needs.iter().filter_map(package) {
        draw(PRODUCT, "DEPENDS_ON", id);
    }
    for id in graph.development.iter().filter_map(package) {
        draw(id, "DEV_DEPENDENCY_OF", PRODUCT);
    }
    for id in graph.tools.iter().filter_map(package) {
        draw(id, "BUILD_TOOL_OF", PRODUCT);
    }
    if graph.knowledge != Knowledge::Complete {
        draw(PRODUCT, "DEPENDS_ON", UNKNOWN);
    }
    for (part, id) in graph.parts.values().zip(parts.values()) {
        draw(DOCUMENT, "DESCRIBES", id);
        draw(id, "GENERATED_FROM", PRODUCT);
        if part.artifact.kind == Kind::Requirements {
            let wheels = graph.parts.values().zip(parts.values());
            for (_, wheel) in wheels.filter(|(other, _)| other.artifact.kind == Kind::Wheel) {
                draw(id, "DEPENDENCY_MANIFEST_OF", wheel);
            }
        }
        for inner in part
            .holds
            .iter()
            .filter_map(|inner| parts.get(inner.as_str()))
        {
            draw(id, "CONTAINS", inner);
        }
        for target in part.needs.iter().filter_map(package) {
            draw(id, "DEPENDS_ON", target);
        }
        if part.knowledge != Knowledge::Complete {
            draw(id, "DEPENDS_ON", UNKNOWN);
        }
    }
    for (component, id) in graph.components.values().zip(components.values()) {
        for target in component.needs.iter().filter_map(package) {
            draw(id, "DEPENDS_ON", target);
        }
        if component.knowledge != Knowledge::Complete {
            draw(id, "DEPENDS_ON", UNKNOWN);
        }
    }
    let value = |(from, kind, to): (String, &str, String)| json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to });
    arrows.into_iter().map(value).collect()
}
