//! What the bill of materials says, in both forms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::sample::{Sample, lock, package};
use crate::artifact::Kind;
use crate::bom::{LockFile, cyclonedx, spdx};
use crate::lockfile::{Ecosystem, Lock};

const ATTRS: &str = "pkg:pypi/attrs@1%212.0%2Blocal";
const FORK: &str = "pkg:pypi/fork@0.1?vcs_url=git%2Bhttps://github.com/o/fork.git%40abc123";
const LEFT_PAD: &str = "pkg:npm/%40scope/left-pad@1.0.0-rc.1";
const WHEEL: &str = "artifact:demo_server-1.0.0-py3-none-any.whl";
const VSIX: &str = "artifact:demo-1.0.0.vsix";
const TOOL: &str = "pkg:generic/tool@0.1.0?vcs_url=git%2Bhttps://github.com/o/demo%400123456789abcdef0123456789abcdef01234567#tool";

fn bill(sample: &Sample) -> Value {
    cyclonedx::document(&sample.bill(&sample.locks()))
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn component<'bill>(bill: &'bill Value, reference: &str) -> &'bill Value {
    let components = bill["components"].as_array().unwrap();
    let found = components.iter().find(|one| one["bom-ref"] == reference);
    found.unwrap_or_else(|| panic!("{reference} is not in {bill:#}"))
}

fn needs<'bill>(bill: &'bill Value, reference: &str) -> Vec<&'bill str> {
    let entries = bill["dependencies"].as_array().unwrap();
    let mut found = entries.iter().filter(|one| one["ref"] == reference);
    let entry = found.next().unwrap_or_else(|| panic!("{reference}"));
    assert!(found.next().is_none(), "{reference} is there twice");
    texts(&entry["dependsOn"])
}

#[test]
fn every_reference_is_unique_listed_once_and_leads_somewhere() {
    let bill = bill(&Sample::new());
    let components = bill["components"].as_array().unwrap();
    let mut references: Vec<&str> = components
        .iter()
        .flat_map(|one| one["bom-ref"].as_str())
        .collect();
    references.extend(bill["metadata"]["component"]["bom-ref"].as_str());
    let known: BTreeSet<&str> = references.iter().copied().collect();
    assert_eq!(known.len(), references.len());
    let entries = bill["dependencies"].as_array().unwrap();
    let listed: Vec<&str> = entries.iter().flat_map(|one| one["ref"].as_str()).collect();
    assert_eq!(listed, known.iter().copied().collect::<Vec<_>>());
    for target in entries.iter().flat_map(|one| texts(&one["dependsOn"])) {
        assert!(known.contains(target), "{target}");
    }
    let compositions = bill["compositions"].as_array().unwrap();
    let placed: Vec<&str> = compositions
        .iter()
        .flat_map(|one| texts(&one["dependencies"]))
        .collect();
    assert_eq!(placed.len(), known.len());
    assert_eq!(placed.into_iter().collect::<BTreeSet<_>>(), known);
}

#[test]
fn components_say_where_they_come_from_and_whether_they_ship() {
    let bill = bill(&Sample::new());
    let check = |reference: &str, key: &str, expected: &str| {
        assert_eq!(
            component(&bill, reference)[key],
            expected,
            "{reference} {key}"
        );
    };
    check(ATTRS, "scope", "required");
    check(FORK, "scope", "required");
    check("pkg:pypi/pytest@8.0", "scope", "excluded");
    check("pkg:cargo/serde@1.0.0", "scope", "excluded");
    check("pkg:pypi/extra@1.0", "scope", "excluded");
    check(TOOL, "scope", "excluded");
    check(TOOL, "type", "application");
    check(LEFT_PAD, "group", "@scope");
    check(LEFT_PAD, "name", "left-pad");
    check(
        "pkg:npm/JSONStream@2.0.0",
        "purl",
        "pkg:npm/jsonstream@2.0.0",
    );
    check(
        "pkg:npm/archive@3.0.0?download_url=https://h.example/a.tgz",
        "version",
        "3.0.0",
    );
    let purl = "pkg:pypi/demo-server@1.0.0?file_name=demo_server-1.0.0-py3-none-any.whl";
    check(WHEEL, "purl", purl);
    check("artifact:requirements.txt", "name", "requirements.txt");
    let digest = crate::artifact::Digest::of(b"demo_server-1.0.0-py3-none-any.whl");
    assert_eq!(
        component(&bill, WHEEL)["hashes"][0]["content"],
        digest.hex()
    );
}

#[test]
fn digests_of_several_files_are_not_digests_of_the_component() {
    let bill = bill(&Sample::new());
    let attrs = component(&bill, ATTRS);
    assert!(attrs.get("hashes").is_none());
    let files = attrs["externalReferences"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(
        files[0]["url"],
        format!("{ATTRS}?checksum=sha256:{}", "a".repeat(64))
    );
    assert_eq!(files[0]["hashes"][0]["content"], "a".repeat(64));
    let pad = &component(&bill, LEFT_PAD)["hashes"][0];
    assert_eq!(
        (&pad["alg"], &pad["content"]),
        (&"SHA-512".into(), &"0".repeat(128).into())
    );
}

#[test]
fn licenses_are_declared_as_far_as_they_are_understood() {
    let bill = bill(&Sample::new());
    let check = |reference: &str, pointer: &str, expected: &str| {
        let found = component(&bill, reference)["licenses"][0]
            .pointer(pointer)
            .cloned();
        assert_eq!(found, Some(expected.into()), "{reference}");
    };
    check(ATTRS, "/license/id", "Apache-2.0");
    check(LEFT_PAD, "/expression", "MIT OR Apache-2.0");
    check(LEFT_PAD, "/acknowledgement", "declared");
    check(
        "pkg:npm/JSONStream@2.0.0",
        "/license/name",
        "SEE LICENSE IN LICENSE",
    );
    assert!(component(&bill, FORK).get("licenses").is_none());
    let properties = component(&bill, ATTRS)["properties"].to_string();
    assert!(properties.contains("wheel metadata"), "{properties}");
    assert!(properties.contains("server/poetry.lock:10"), "{properties}");
    assert!(
        properties.contains("docs/requirements.txt:10"),
        "{properties}"
    );
}

#[test]
fn arrows_begin_at_the_product_and_go_through_the_artifacts() {
    let bill = bill(&Sample::new());
    let check = |reference: &str, expected: &[&str]| {
        assert_eq!(needs(&bill, reference), expected, "{reference}");
    };
    check(WHEEL, &[FORK]);
    check("artifact:requirements.txt", &[FORK]);
    check("artifact:demo_server-1.0.0.tar.gz", &[]);
    check(FORK, &[ATTRS]);
    check(
        "pkg:npm/JSONStream@2.0.0",
        &[LEFT_PAD, "pkg:npm/inner@1.0.0"],
    );
    check(TOOL, &["pkg:cargo/serde@1.0.0"]);
    let vsix = needs(&bill, VSIX);
    assert!(
        vsix.contains(&WHEEL) && vsix.contains(&LEFT_PAD),
        "{vsix:?}"
    );
    assert!(
        !vsix.iter().any(|target| target.contains("demo-extension")),
        "{vsix:?}"
    );
    let product = needs(&bill, "product:demo@1.0.0");
    for expected in [
        WHEEL,
        VSIX,
        TOOL,
        "pkg:pypi/pytest@8.0",
        "pkg:pypi/extra@1.0",
    ] {
        assert!(product.contains(&expected), "{expected} in {product:?}");
    }
    assert!(!product.contains(&LEFT_PAD), "{product:?}");
}

#[test]
fn without_artifacts_the_product_needs_the_packages_itself() {
    let mut sample = Sample::new();
    sample.artifacts.clear();
    let bill = bill(&sample);
    let product = needs(&bill, "product:demo@1.0.0");
    assert!(
        product.contains(&FORK) && product.contains(&LEFT_PAD),
        "{product:?}"
    );
}

/// The aggregate that one lock file's packages get, each `name aggregate`.
fn aggregates(path: &str, lock: &Lock) -> BTreeMap<String, String> {
    let sample = Sample::new();
    let files = [LockFile {
        path: path.to_owned(),
        lock,
        carried_by: vec![Kind::Wheel],
    }];
    let bill = cyclonedx::document(&sample.bill(&files));
    let mut found = BTreeMap::new();
    for composition in bill["compositions"].as_array().unwrap() {
        for reference in texts(&composition["dependencies"]) {
            let aggregate = composition["aggregate"].as_str().unwrap();
            found.insert(reference.to_owned(), aggregate.to_owned());
        }
    }
    found
}

#[test]
fn what_a_lock_file_does_not_say_is_not_complete() {
    let check = |path: &str, lock: &Lock, package: &str, wheel: &str| {
        let found = aggregates(path, lock);
        assert_eq!(found["pkg:pypi/a@1"], package, "{path}");
        assert_eq!(found[WHEEL], wheel, "{path}");
    };
    let pair = |needs: &[usize]| vec![package("a 1", needs), package("b 1", &[])];
    let new = |packages, roots| lock(Ecosystem::Pypi, packages, roots);
    check(
        "poetry.lock",
        &new(pair(&[1]), &[(0, "main")]),
        "complete",
        "complete",
    );
    check(
        "poetry.lock",
        &new(pair(&[1]), &[]),
        "complete",
        "incomplete",
    );
    check(
        "poetry.lock",
        &new(pair(&[]), &[(0, "main")]),
        "unknown",
        "complete",
    );
    check(
        "poetry.lock",
        &new(vec![package("a 1", &[])], &[(0, "main")]),
        "complete",
        "complete",
    );
    check(
        "requirements.txt",
        &new(vec![package("a 1", &[])], &[(0, "main")]),
        "unknown",
        "complete",
    );
    let circle = vec![package("a 1", &[1]), package("b 1", &[0])];
    check("poetry.lock", &new(circle, &[]), "complete", "incomplete");
    let mut noted = new(pair(&[1]), &[(0, "main")]);
    noted.notes.push("there is no pyproject.toml".to_owned());
    check("poetry.lock", &noted, "complete", "incomplete");
    check(
        "poetry.lock",
        &new(pair(&[1, 99]), &[(0, "main"), (99, "main")]),
        "complete",
        "complete",
    );
}

#[test]
fn spdx_packages_and_relationships_are_whole() {
    let sample = Sample::new();
    let document = spdx::document(&sample.bill(&sample.locks()));
    let packages = document["packages"].as_array().unwrap();
    let ids: BTreeSet<&str> = packages
        .iter()
        .flat_map(|one| one["SPDXID"].as_str())
        .collect();
    assert_eq!(ids.len(), packages.len());
    let plain = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    for id in &ids {
        assert!(
            id.strip_prefix("SPDXRef-").unwrap().chars().all(plain),
            "{id}"
        );
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for arrow in document["relationships"].as_array().unwrap() {
        for end in ["spdxElementId", "relatedSpdxElement"] {
            let id = arrow[end].as_str().unwrap();
            assert!(
                ids.contains(id) || ["SPDXRef-DOCUMENT", "NOASSERTION"].contains(&id),
                "{id}"
            );
        }
        *kinds
            .entry(arrow["relationshipType"].as_str().unwrap())
            .or_default() += 1;
    }
    let expected = [
        ("BUILD_TOOL_OF", 3),
        ("CONTAINS", 2),
        ("DEPENDENCY_MANIFEST_OF", 1),
        ("DEPENDS_ON", 13),
        ("DESCRIBES", 5),
        ("DEV_DEPENDENCY_OF", 1),
        ("GENERATED_FROM", 4),
    ];
    assert_eq!(kinds, BTreeMap::from(expected));
    assert_eq!(document["creationInfo"]["created"], "2026-01-02T03:04:05Z");
}

#[test]
fn spdx_licenses_have_their_texts() {
    let sample = Sample::new();
    let document = spdx::document(&sample.bill(&sample.locks()));
    let check = |name: &str, expected: &str| {
        let packages = document["packages"].as_array().unwrap();
        let package = packages.iter().find(|one| one["name"] == name).unwrap();
        assert_eq!(package["licenseDeclared"], expected, "{name}");
        assert_eq!(package["licenseConcluded"], "NOASSERTION", "{name}");
    };
    check("attrs", "Apache-2.0");
    check("fork", "NOASSERTION");
    check("archive", "LicenseRef-own AND BSD-3-Clause");
    let infos = document["hasExtractedLicensingInfos"].as_array().unwrap();
    let ids: Vec<&str> = infos
        .iter()
        .flat_map(|one| one["licenseId"].as_str())
        .collect();
    let [named, own] = ids[..] else {
        panic!("{ids:?}")
    };
    assert!(
        named.starts_with("LicenseRef-SEE-LICENSE-IN-LICENSE-"),
        "{named}"
    );
    check("JSONStream", named);
    assert_eq!(own, "LicenseRef-own");
    assert_eq!(infos[0]["extractedText"], "SEE LICENSE IN LICENSE");
}
