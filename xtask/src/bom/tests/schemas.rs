//! The official schemas, from the files beside the tests and nowhere else.

use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use super::sample::{lock, package};
use super::{Sample, all};
use crate::bom::LockFile;
use crate::lockfile::{Ecosystem, Package, Source};
use ::spdx as list;

const BILL: &str = include_str!("../../../tests/schemas/bom-1.6.schema.json");
const LICENSES: &str = include_str!("../../../tests/schemas/spdx.schema.json");
const SIGNATURES: &str = include_str!("../../../tests/schemas/jsf-0.82.schema.json");
const SPDX: &str = include_str!("../../../tests/schemas/spdx-schema.json");

static CYCLONEDX_SCHEMA: LazyLock<Validator> = LazyLock::new(|| validator(BILL));
static SPDX_SCHEMA: LazyLock<Validator> = LazyLock::new(|| validator(SPDX));

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn validator(schema: &str) -> Validator {
    let registry = Registry::new()
        .add(
            "http://cyclonedx.org/schema/spdx.schema.json",
            parsed(LICENSES),
        )
        .unwrap()
        .add(
            "http://cyclonedx.org/schema/jsf-0.82.schema.json",
            parsed(SIGNATURES),
        )
        .unwrap()
        .prepare()
        .unwrap();
    jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .with_registry(&registry)
        .build(&parsed(schema))
        .unwrap()
}

fn check(validator: &Validator, document: &Value) -> Result<(), String> {
    let error =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    let errors: Vec<String> = validator.iter_errors(document).map(error).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors.join("\n"))
    }
}

/// Holds a document against CycloneDX 1.6.
pub fn cyclonedx(document: &Value) -> Result<(), String> {
    check(&CYCLONEDX_SCHEMA, document)
}

/// Holds a document against SPDX 2.3.
pub fn spdx(document: &Value) -> Result<(), String> {
    check(&SPDX_SCHEMA, document)
}

#[test]
fn the_documents_are_valid() {
    let [bill, vex, spdx_document] = all(&Sample::new());
    cyclonedx(&bill).unwrap();
    cyclonedx(&vex).unwrap();
    spdx(&spdx_document).unwrap();
}

#[test]
fn hostile_texts_give_valid_documents() {
    let long = "9".repeat(10_000);
    let odd = [
        "",
        " ",
        "\0",
        "\n",
        "%",
        "%zz",
        "#",
        "a#b#c",
        "[",
        "://",
        "https://",
        "https://[",
        "@",
        "/",
        "//",
        "..",
        "https://a:b:c@d e/f?g#h",
        "git@h:a b",
        "ü\u{202e}",
        "\"<>",
        &long,
    ];
    let sample = Sample::new();
    for text in odd {
        let sources = [
            Source::Registry {
                url: Some(text.to_owned()),
            },
            Source::Git {
                url: text.to_owned(),
                commit: Some(text.to_owned()),
            },
            Source::Url {
                url: format!("https://h.example/{text}"),
            },
            Source::Path {
                path: text.to_owned(),
            },
            Source::Bundled {
                by: text.to_owned(),
            },
        ];
        let packages = sources.into_iter().map(|source| Package {
            name: text.to_owned(),
            alias: Some(text.to_owned()),
            version: text.to_owned(),
            license: Some(text.to_owned()),
            digests: vec![text.to_owned(), format!("sha512-{text}")],
            groups: vec![text.to_owned()],
            source,
            ..package("a 1", &[])
        });
        let lock = lock(Ecosystem::Npm, packages.collect(), &[(0, text)]);
        let files = [LockFile {
            path: text.to_owned(),
            lock: &lock,
            carried_by: vec![],
        }];
        let mut bill = sample.bill(&files);
        bill.product.repository = Some(text.to_owned());
        bill.product.license = Some(text.to_owned());
        let mut report = sample.report();
        for finding in &mut report.findings {
            finding.url = Some(format!("https://h.example{text}"));
            finding.id = text.to_owned();
            finding.vector = Some(text.to_owned());
            finding.package = text.to_owned();
        }
        let hold = |holds: Result<(), String>| assert_eq!(holds, Ok(()), "{text:?}");
        hold(cyclonedx(&crate::bom::cyclonedx::document(&bill)));
        hold(cyclonedx(&crate::bom::vex::document(&report, &bill)));
        hold(spdx(&crate::bom::spdx::document(&bill)));
    }
}

#[test]
fn broken_documents_are_not() {
    let [bill, vex, document] = all(&Sample::new());
    type Holds = fn(&Value) -> Result<(), String>;
    let check = |holds: Holds, document: &Value, pointer: &str, broken: Value| {
        let mut document = document.clone();
        *document
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}")) = broken;
        assert!(holds(&document).is_err(), "{pointer}");
    };
    check(cyclonedx, &bill, "/serialNumber", json!("urn:uuid:1"));
    check(cyclonedx, &bill, "/bomFormat", json!("SPDX"));
    check(cyclonedx, &bill, "/metadata/timestamp", json!("yesterday"));
    check(cyclonedx, &bill, "/components/0/type", json!("wheel"));
    check(
        cyclonedx,
        &bill,
        "/components/0/hashes/0/content",
        json!("00"),
    );
    check(
        cyclonedx,
        &bill,
        "/compositions/0/aggregate",
        json!("whole"),
    );
    check(cyclonedx, &bill, "/dependencies/0/ref", json!(1));
    let invented = json!([{ "license": { "id": "BSD" } }]);
    check(cyclonedx, &bill, "/metadata/component/licenses", invented);
    check(
        cyclonedx,
        &vex,
        "/vulnerabilities/0/analysis/state",
        json!("open"),
    );
    check(
        cyclonedx,
        &vex,
        "/vulnerabilities/0/ratings/0/severity",
        json!("bad"),
    );
    check(
        cyclonedx,
        &vex,
        "/vulnerabilities/0/affects/0/ref",
        json!(""),
    );
    check(spdx, &document, "/packages/0/SPDXID", json!(1));
    check(
        spdx,
        &document,
        "/packages/0/primaryPackagePurpose",
        json!("WHEEL"),
    );
    check(
        spdx,
        &document,
        "/relationships/0/relationshipType",
        json!("NEEDS"),
    );
    check(spdx, &document, "/creationInfo", json!({}));
}

#[test]
fn licenses_that_the_schema_does_not_know_are_expressions() {
    let schema = parsed(LICENSES);
    let known: Vec<&str> = schema["enum"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(Value::as_str)
        .collect();
    for license in list::identifiers::LICENSES
        .iter()
        .filter(|one| one.name != "NOASSERTION")
    {
        let later = crate::bom::cyclonedx::LATER_LICENSES.contains(&license.name);
        assert_eq!(later, !known.contains(&license.name), "{}", license.name);
    }
}
