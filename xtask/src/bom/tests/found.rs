//! What the VEX document says, and that it points into the bill.

use std::collections::BTreeSet;

use serde_json::Value;

use super::all;
use super::sample::Sample;

fn vulnerability<'vex>(vex: &'vex Value, id: &str) -> &'vex Value {
    let list = vex["vulnerabilities"].as_array().unwrap();
    let mut found = list.iter().filter(|one| one["id"] == id);
    let one = found
        .next()
        .unwrap_or_else(|| panic!("{id} is not in {vex:#}"));
    assert!(found.next().is_none(), "{id} is there twice");
    one
}

#[test]
fn findings_become_vulnerabilities_with_an_honest_analysis() {
    let [_, vex, _] = all(&Sample::new());
    let check = |id: &str, pointer: &str, expected: Value| {
        let found = vulnerability(&vex, id)
            .pointer(pointer)
            .cloned()
            .unwrap_or_default();
        assert_eq!(found, expected, "{id} {pointer}");
    };
    check("GHSA-1", "/analysis/state", "exploitable".into());
    check("GHSA-1", "/analysis/response/0", "update".into());
    check("GHSA-1", "/ratings/0/method", "CVSSv31".into());
    check("GHSA-1", "/ratings/0/score", 9.8.into());
    check("GHSA-1", "/ratings/0/severity", "critical".into());
    check("GHSA-1", "/references/0/id", "CVE-2026-1".into());
    check("GHSA-1", "/references/1", Value::Null);
    let update = "Update @scope/left-pad to 1.0.1: `npm install @scope/left-pad@1.0.1`; \
                  not let in by package.json: 1.0.0-rc.1.";
    check("GHSA-1", "/recommendation", update.into());
    check("PYSEC-1", "/analysis/state", "in_triage".into());
    check("PYSEC-1", "/analysis/response", Value::Null);
    check(
        "PYSEC-1",
        "/analysis/detail",
        "Accepted until 2027-01-31: only in tests".into(),
    );
    check("PYSEC-1", "/ratings/0/severity", "unknown".into());
    check("PYSEC-1", "/ratings/0/method", Value::Null);
    check("PYSEC-1", "/affects/1", Value::Null);
    check("RUSTSEC-1", "/ratings/0/severity", "info".into());
    check("RUSTSEC-1", "/analysis/state", "in_triage".into());
    let properties = vulnerability(&vex, "RUSTSEC-1")["properties"].to_string();
    assert!(properties.contains("unmaintained"), "{properties}");
    let places = vulnerability(&vex, "PYSEC-1")["properties"].to_string();
    assert!(places.contains("server/poetry.lock:10"), "{places}");
    assert!(places.contains("docs/requirements.txt:10"), "{places}");
    let about = vex["metadata"]["properties"].to_string();
    for expected in [
        "npm 2026-05-06T07:08:09Z sha256:00",
        "server/poetry.lock:20 fork 0.1: comes from git",
        "old/yarn.lock: excluded by release.toml",
    ] {
        assert!(about.contains(expected), "{expected} in {about}");
    }
    assert_eq!(vex["metadata"]["timestamp"], "2026-05-06T07:08:09Z");
}

#[test]
fn links_lead_to_components_of_the_bill_or_of_the_document() {
    let [bill, vex, _] = all(&Sample::new());
    let references = |document: &Value| -> BTreeSet<String> {
        let components = document["components"].as_array().into_iter().flatten();
        components
            .flat_map(|one| one["bom-ref"].as_str().map(str::to_owned))
            .collect()
    };
    let serial = bill["serialNumber"]
        .as_str()
        .unwrap()
        .replace("urn:uuid:", "urn:cdx:");
    let decoded = |text: &str| {
        let coded = [
            ("%25", "%"),
            ("%40", "@"),
            ("%3F", "?"),
            ("%3D", "="),
            ("%23", "#"),
        ];
        coded
            .iter()
            .rev()
            .fold(text.to_owned(), |text, (code, plain)| {
                text.replace(code, plain)
            })
    };
    for vulnerability in vex["vulnerabilities"].as_array().unwrap() {
        let link = vulnerability["affects"][0]["ref"].as_str().unwrap();
        match link.strip_prefix(&format!("{serial}/1#")) {
            Some(fragment) => assert!(references(&bill).contains(&decoded(fragment)), "{link}"),
            None => assert!(references(&vex).contains(link), "{link}"),
        }
    }
    let stranger = references(&vex);
    assert_eq!(stranger, BTreeSet::from(["pkg:npm/evil@6.6.6".to_owned()]));
}

#[test]
fn vectors_name_their_method() {
    let check = |vector: &str, expected: &str| {
        assert_eq!(crate::bom::vex::method(vector), expected, "{vector}");
    };
    check("CVSS:4.0/AV:N", "CVSSv4");
    check("CVSS:3.1/AV:N", "CVSSv31");
    check("CVSS:3.0/AV:N", "CVSSv3");
    check("AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSSv2");
    check("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", "CVSSv2");
    check("SSVCv2/E:A", "other");
}
