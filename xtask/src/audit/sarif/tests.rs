//! What the log says to code-scanning services, held against the official schema.

use jsonschema::Validator;

use super::super::sample;
use super::*;
use crate::printable::is_invisible;

const SCHEMA: &str = include_str!("../../../tests/schemas/sarif-2.1.0.json");

fn validator() -> Validator {
    // The pattern of `language` has a bracket too many, which the validator refuses.
    let schema = serde_json::from_str(&SCHEMA.replace("{2}]?$", "{2}$")).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

fn problems(log: &Value) -> Vec<String> {
    let validator = validator();
    let errors = validator.iter_errors(log);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn results(log: &Value) -> &[Value] {
    log["runs"][0]["results"].as_array().unwrap()
}

/// The log of a report with the first finding of the sample, changed.
fn one(change: impl Fn(&mut Finding)) -> Value {
    let mut report = sample::single();
    change(&mut report.findings[0]);
    log(&report)
}

#[test]
fn logs_of_every_form_are_as_the_official_schema_says() {
    for report in [
        sample::clean(),
        sample::single(),
        sample::mixed(),
        sample::hostile(),
        sample::large(400),
    ] {
        assert_eq!(problems(&log(&report)), Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses_other_documents() {
    let check = |pointer: &str, wrong: Value| {
        let mut log = log(&sample::mixed());
        *log.pointer_mut(pointer).expect("the sample has it") = wrong;
        assert!(!problems(&log).is_empty(), "{pointer}");
    };
    check("/version", json!("2.0.0"));
    check("/runs/0/results/0/level", json!("fatal"));
    check(
        "/runs/0/results/0/locations/0/physicalLocation/region/startLine",
        json!(0),
    );
    check(
        "/runs/0/tool/driver/rules/0/helpUri",
        json!("not an address"),
    );
    check(
        "/runs/0/invocations/0/toolExecutionNotifications/0/message",
        json!("x"),
    );
}

#[test]
fn the_schema_is_the_one_that_its_folder_names() {
    let readme = include_str!("../../../tests/schemas/README.md");
    assert!(readme.contains(Digest::of(SCHEMA.as_bytes()).hex()));
}

#[test]
fn a_result_says_what_where_and_how_to_mend_it() {
    let log = log(&sample::single());
    let result = &results(&log)[0];
    let expected = "jinja2 2.11.2: A long text makes jinja2 work for hours. \
                    Installed by flask 1.1.2 → jinja2 2.11.2. \
                    Mend: 2.11.3, which all that ask for it allow. \
                    Command: `poetry update jinja2`. \
                    All ids: PYSEC-2021-66, CVE-PYSEC-2021-66. \
                    Policy: denied: at or above the threshold low.";
    assert_eq!(result["message"]["text"], expected);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"],
        json!({ "uri": "poetry.lock", "uriBaseId": "ROOT" })
    );
    assert_eq!(place["region"]["startLine"], 120);
    let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], "PYSEC-2021-66");
    assert_eq!(
        rule["helpUri"],
        "https://osv.dev/vulnerability/PYSEC-2021-66"
    );
    assert_eq!(rule["properties"]["security-severity"], "7.5");
    assert_eq!(
        rule["properties"]["tags"],
        json!(["security", "vulnerability", "PyPI"])
    );
}

#[test]
fn levels_come_from_scores() {
    let check = |class, level, score, expected: (&str, Option<&str>)| {
        let log = one(|finding| {
            finding.verdict = Verdict::Warned;
            (finding.class, finding.level, finding.score) = (class, level, score);
        });
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
        let number = rule["properties"]["security-severity"].as_str();
        assert_eq!(
            (results(&log)[0]["level"].as_str().unwrap(), number),
            expected
        );
        assert_eq!(rule["defaultConfiguration"]["level"], expected.0);
    };
    use Class::{Malware, Notice, Unmaintained, Unsound, Vulnerability, Yanked};
    use Level::{Critical, High, Low, Medium, None as Nothing, Unknown};
    check(Vulnerability, High, Some(7.0), ("error", Some("7.0")));
    check(Vulnerability, Medium, Some(6.9), ("warning", Some("6.9")));
    check(Vulnerability, Medium, Some(4.0), ("warning", Some("4.0")));
    check(Vulnerability, Low, Some(3.9), ("note", Some("3.9")));
    check(Vulnerability, Nothing, Some(0.0), ("note", None));
    check(Vulnerability, Critical, None, ("error", Some("9.0")));
    check(Vulnerability, High, None, ("error", Some("7.0")));
    check(Vulnerability, Medium, None, ("warning", Some("4.0")));
    check(Vulnerability, Low, None, ("note", Some("0.1")));
    check(Vulnerability, Unknown, None, ("warning", None));
    check(Malware, Unknown, None, ("error", Some("9.0")));
    check(Unsound, Unknown, None, ("warning", None));
    check(Unsound, High, Some(8.1), ("error", Some("8.1")));
    check(Unmaintained, Unknown, None, ("note", None));
    check(Notice, Unknown, None, ("note", None));
    check(Yanked, Unknown, None, ("note", None));
    let denied = one(|finding| finding.score = Some(1.0));
    assert_eq!(results(&denied)[0]["level"], "error");
}

#[test]
fn fingerprints_depend_on_advisory_package_and_lock_file_alone() {
    let print = |change: fn(&mut Finding)| {
        let log = one(change);
        results(&log)[0]["partialFingerprints"].clone()
    };
    let first = print(|_| {});
    assert_eq!(
        first["primaryLocationLineHash"],
        first["packageAdvisory/v1"]
    );
    let same: [fn(&mut Finding); 4] = [
        |finding| finding.line = 7,
        |finding| finding.version = "2.11.1".to_owned(),
        |finding| finding.score = Some(1.0),
        |finding| finding.verdict = Verdict::Warned,
    ];
    let other: [fn(&mut Finding); 3] = [
        |finding| finding.id = "CVE-1".to_owned(),
        |finding| finding.package = "x".to_owned(),
        |finding| finding.lock = "x/poetry.lock".to_owned(),
    ];
    assert!(same.into_iter().all(|change| print(change) == first));
    assert!(other.into_iter().all(|change| print(change) != first));
}

#[test]
fn two_versions_of_a_package_are_two_alerts() {
    let mut report = sample::single();
    let mut second = report.findings[0].clone();
    (second.version, second.verdict) = ("2.10".to_owned(), Verdict::Warned);
    report.findings.push(second);
    let log = log(&report);
    let print = |version| {
        let mut results = results(&log).iter();
        let result = results
            .find(|result| result["properties"]["version"] == version)
            .unwrap();
        result["partialFingerprints"]["primaryLocationLineHash"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(print("2.10").ends_with(":1"));
    assert!(print("2.11.2").ends_with(":2"));
    assert_eq!(
        print("2.10").split(':').next(),
        print("2.11.2").split(':').next()
    );
}

#[test]
fn what_is_ignored_is_there_and_suppressed() {
    let log = log(&sample::mixed());
    let suppressed: Vec<_> = results(&log)
        .iter()
        .filter(|one| one.get("suppressions").is_some())
        .collect();
    let expected = json!([{
        "kind": "external",
        "status": "accepted",
        "justification": "the proxy is never used (until 2027-01-31)",
    }]);
    assert_eq!(suppressed.len(), 2, "a finding and a license");
    assert!(
        suppressed
            .iter()
            .all(|result| result["suppressions"] == expected)
    );
}

#[test]
fn every_result_has_its_rule_and_nothing_is_silent() {
    let report = sample::mixed();
    let log = log(&report);
    let all = report.findings.len() + report.licenses.len() + report.ignores.len();
    assert_eq!(results(&log).len(), all);
    for result in results(&log) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    let told = log["runs"][0]["invocations"][0].to_string();
    let driver = &log["runs"][0]["tool"]["driver"];
    for say in [
        "old/yarn.lock: not scanned",
        "no pyproject.toml",
        "29 days old",
        "of 2026-11-19",
    ] {
        assert!(told.contains(say), "{say}");
    }
    for one in &report.unchecked {
        assert!(
            told.contains(&format!("{} {}", one.package, one.version)),
            "{}",
            one.package
        );
    }
    for notice in log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap()
    {
        let index = usize::try_from(notice["descriptor"]["index"].as_u64().unwrap()).unwrap();
        assert_eq!(
            driver["notifications"][index]["id"],
            notice["descriptor"]["id"]
        );
    }
}

#[test]
fn logs_stay_within_the_limits_of_github() {
    const { assert!(MOST.findings + MOST.licenses + MOST.ignores < 25_000) };
    let most = Most {
        findings: 10,
        licenses: 1,
        ignores: 1,
    };
    let mut report = sample::large(30);
    report.findings.reverse();
    (report.licenses, report.ignores) = (sample::mixed().licenses, sample::mixed().ignores);
    let log = within(&report, most);
    assert_eq!(results(&log).len(), 12);
    assert_eq!(
        log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .len(),
        12
    );
    let told = log["runs"][0]["invocations"][0].to_string();
    assert!(
        told.contains("23 results do not fit into this log"),
        "{told}"
    );
    assert!(log.to_string().contains("\"security-severity\":\"9.8\""));
    assert!(!log.to_string().contains("\"security-severity\":\"5.4\""));
}

#[test]
fn nothing_hostile_is_invisible_a_link_or_a_place_elsewhere() {
    let log = log(&sample::hostile());
    let text = serde_json::to_string(&log).unwrap();
    assert!(!text.contains(is_invisible));
    for result in results(&log) {
        let message = result["message"]["text"].as_str().unwrap();
        assert!(!message.contains("[click]("), "{message}");
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        let uri = place["uri"].as_str().unwrap();
        assert!(
            uri.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b':'),
            "{uri}"
        );
    }
}

#[test]
fn the_order_of_the_report_does_not_matter() {
    let mut report = sample::mixed();
    let expected = log(&report).to_string();
    report.findings.reverse();
    report.unchecked.reverse();
    report.licenses.reverse();
    report.ignores.reverse();
    report.locks.reverse();
    report.databases.reverse();
    assert_eq!(log(&report).to_string(), expected);
}
