//! What stops a release and what does not.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values made in place read better without a sign before each"
)]

use serde_json::{Value, json};

use super::case::{Case, critical, npm, poetry, record, scored};

/// An entry of `[[audit.ignore]]`, with a line of its own choice.
fn ignore(id: &str, package: &str, until: &str, more: &str) -> String {
    format!(
        "[[audit.ignore]]\nid = \"{id}\"\npackage = \"{package}\"\nreason = \"not reachable\"\n\
         until = {until}\n{more}\n"
    )
}

fn check_ignore(entry: &str, code: i32, expected: &str) {
    let case = Case::vulnerable();
    let mut record = critical("PYSEC-1", "PyPI", "demo");
    record["aliases"] = json!(["CVE-2026-1"]);
    case.advisory(record);
    case.policy(entry);
    case.check(&[], code, expected);
}

#[test]
fn an_exception_holds_for_its_package_and_version_until_its_day() {
    let later = "2999-01-01";
    let check = check_ignore;
    check(&ignore("PYSEC-1", "demo", later, ""), 0, "not reachable");
    check(&ignore("cve-2026-1", "Demo", later, ""), 0, "1 ignored");
    let version = |version: &str| format!("version = \"{version}\"");
    check(
        &ignore("PYSEC-1", "demo", later, &version("1.0")),
        0,
        "1 ignored",
    );
    check(
        &ignore("PYSEC-1", "demo", later, &version("1.1")),
        6,
        "delete it",
    );
    check(&ignore("PYSEC-1", "other", later, ""), 6, "delete it");
    check(&ignore("PYSEC-2", "demo", later, ""), 6, "PYSEC-2 of demo");
    let over = ignore("PYSEC-1", "demo", "2026-01-01", "");
    check(&over, 6, "expired after 2026-01-01");
    check(&over, 6, "its exception ended on 2026-01-01");
}

#[test]
fn an_exception_that_accepts_nothing_can_stop_a_release() {
    let case = Case::vulnerable();
    case.lock("server/poetry.lock", &poetry(&[("demo", "2.0", "")]));
    let unused = ignore("PYSEC-1", "demo", "2999-01-01", "");
    case.policy(&unused);
    case.check(&[], 0, "nothing was found that it accepts");
    case.policy(&format!("unused-ignores = \"deny\"\n{unused}"));
    case.check(&[], 6, "1 entry of [[audit.ignore]] denied");
    case.check(&["server/poetry.lock"], 0, "passes");
}

#[test]
fn what_is_missing_in_the_policy_is_said_with_its_place() {
    let case = Case::vulnerable();
    let check = |policy: &str, expected: &str| {
        case.policy(policy);
        case.check(&[], 2, expected);
    };
    check(
        "[[audit.ignore]]\nid = \"X\"",
        "`audit.ignore.until` is missing",
    );
    check(
        "[[audit.ignore]]\nid = \"X\"",
        "`audit.ignore.reason` is missing",
    );
    check("treshold = \"low\"", "release.toml:14:1: ");
    check(
        "threshold = \"High\"",
        "release.toml:14:13: `audit.threshold` is `High`",
    );
    check(&ignore("X", "y", "2026-02-30", ""), "release.toml:18:");
    check("max-age = \"a week\"", "such as \"7 days\"");
}

fn check_threshold(policy: &str, record: Value, groups: &str, code: i32) {
    let case = Case::new();
    case.lock("server/poetry.lock", &poetry(&[("demo", "1.0", groups)]));
    case.advisory(record.clone());
    case.policy(policy);
    let ended = case.audit(&[]);
    assert_eq!(
        ended.code,
        Some(code),
        "{policy} {record}\n{}",
        ended.stdout
    );
}

#[test]
fn thresholds_are_words_or_scores_and_the_unknown_is_decided() {
    let check = check_threshold;
    let events = json!([{ "introduced": "0" }]);
    let unknown = || record("PYSEC-1", "PyPI", "demo", events.clone());
    let medium = || scored(unknown(), "N");
    let worded = |word: &str| {
        let mut record = unknown();
        record["database_specific"] = json!({ "severity": word });
        record
    };
    let dev = "groups = [\"dev\"]\n";
    check("", medium(), "", 6);
    check("threshold = \"high\"", medium(), "", 0);
    check("threshold = \"5.3\"", medium(), "", 6);
    check("threshold = \"5.4\"", medium(), "", 0);
    check("threshold = \"never\"", medium(), "", 0);
    check("", medium(), dev, 0);
    check("development-threshold = \"medium\"", medium(), dev, 6);
    check("development = [\"server/*\"]", medium(), "", 0);
    check("", unknown(), "", 6);
    check("unknown = \"warn\"", unknown(), "", 0);
    check("", unknown(), dev, 0);
    check("development-unknown = \"deny\"", unknown(), dev, 6);
    check("threshold = \"high\"", worded("HIGH"), "", 6);
    check("threshold = \"high\"", worded("MODERATE"), "", 0);
}

#[test]
fn what_only_informs_has_its_own_answer() {
    for kind in ["unmaintained", "unsound", "notice"] {
        let case = Case::new();
        let crates = [("demo", "1.0.0", super::case::REGISTRY)];
        case.lock("Cargo.lock", &super::case::cargo(&crates));
        let mut record = critical("RUSTSEC-1", "crates.io", "demo");
        record["affected"][0]["database_specific"] = json!({ "informational": kind });
        case.advisory(record);
        case.check(&[], 0, kind);
        case.policy(&format!("{kind} = \"deny\""));
        case.check(&[], 6, &format!("audit.{kind} = \"deny\""));
    }
}

#[test]
fn licenses_are_held_against_the_list_and_the_unknown_is_decided() {
    let case = Case::new();
    case.advisory(critical("GHSA-1", "npm", "other"));
    let check = |license: Value, policy: &str, code: i32, expected: &str| {
        let mut entry = json!({ "version": "1.0.0", "license": license });
        entry
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let project = json!({ "dependencies": { "demo": "^1.0.0" } });
        let lock = npm(project, json!({ "node_modules/demo": entry }));
        case.lock("web/package-lock.json", &lock);
        case.policy(&format!("[audit.license]\n{policy}"));
        case.check(&[], code, expected);
    };
    let allow = "allow = [\"MIT\"]\n";
    let gpl = || json!("GPL-3.0-only");
    check(json!("MIT"), allow, 0, "✓ passes");
    check(json!("MIT OR GPL-3.0-only"), allow, 0, "✓ passes");
    check(gpl(), allow, 6, "not in audit.license.allow");
    check(Value::Null, allow, 0, "no license known of 1 package");
    let strict = format!("{allow}unknown = \"deny\"\n");
    check(Value::Null, &strict, 6, "1 license denied");
    let exception = "[[audit.license.exception]]\npackage = \"demo\"\nreason = \"asked them\"\n";
    check(gpl(), &format!("{allow}{exception}"), 0, "asked them");
}

#[test]
fn nobody_is_told_that_yanked_versions_were_looked_for() {
    let case = Case::vulnerable();
    case.lock("server/poetry.lock", &poetry(&[("demo", "2.0", "")]));
    case.policy("yanked = \"deny\"");
    case.check(&[], 0, "audit.yanked = \"deny\" stops nothing");
}

#[test]
fn malicious_code_is_refused_whatever_the_policy_says() {
    let case = Case::vulnerable();
    let events = json!([{ "introduced": "0" }]);
    case.advisory(record("MAL-2026-1", "PyPI", "demo", events));
    case.policy("threshold = \"never\"\nunknown = \"warn\"");
    case.check(&[], 6, "malicious code is always refused");
}
