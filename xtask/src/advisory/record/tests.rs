use super::*;
use crate::advisory::test_data::shared_records;
use crate::advisory::{High, Level};

/// A record of one package with the given fields of its own and of its `affected` entry.
fn record(fields: &str, affected: &str) -> Record {
    read(json(fields, affected).as_bytes(), "test.zip/A-1.json").unwrap()
}

fn json(fields: &str, affected: &str) -> String {
    format!(
        r#"{{"id": "A-1", "modified": "2026-01-02T03:04:05Z", {fields}
            "affected": [{{"package": {{"ecosystem": "PyPI", "name": "Foo_Bar"}} {affected}}}]}}"#
    )
}

fn only(record: &Record) -> &Advisory {
    let [(_, _, advisory)] = &record.advisories[..] else {
        panic!("{record:?}");
    };
    advisory
}

#[test]
fn versions_and_ranges_are_joined() {
    let check = |affected: &str, inside: &str, outside: &str| {
        let record = record("", affected);
        let affected = &only(&record).affected;
        let holds = |text| interval::contains(affected, &order::key(Ecosystem::Pypi, text));
        assert!(inside.split_whitespace().all(holds), "{affected:?}");
        assert!(!outside.split_whitespace().any(holds), "{affected:?}");
    };
    let git = r#"{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}, {"fixed": "abc"}]}"#;
    let range = r#"{"type": "ECOSYSTEM", "events": [{"introduced": "1"}, {"fixed": "2"}]}"#;
    let versions = r#""versions": ["1.0", "3.0", "3.0.0b3-"]"#;
    check(&format!(r#", "ranges": [{range}]"#), "1 1.5", "0.9 2 3");
    check(
        &format!(r#", "ranges": [{git}, {range}]"#),
        "1 1.5",
        "0.9 2 3",
    );
    check(
        &format!(r#", "ranges": [{git}], {versions}"#),
        "1.0.0 3 3.0.0b3-",
        "1.5 2 3.0.0b3",
    );
    check(
        &format!(r#", "ranges": [{range}], {versions}"#),
        "1 1.5 3.0.0",
        "0.9 2 4",
    );
    check(r#", "ranges": [], "versions": null"#, "", "1 2");
    check("", "", "1 2");
}

#[test]
fn only_packages_of_our_ecosystems_are_kept() {
    let text = r#"{"id": "A-1", "modified": "2026-01-02T03:04:05Z", "affected": [
        {"package": {"ecosystem": "PyPI", "name": "Foo.Bar"}, "versions": ["1"]},
        {"package": {"ecosystem": "PyPI", "name": "foo-bar"}, "versions": ["2", "bad-"]},
        {"package": {"ecosystem": "npm", "name": "@Scope/Foo"}, "versions": ["1.0.0"]},
        {"package": {"ecosystem": "crates.io", "name": "foo_bar"}, "versions": ["x"]},
        {"package": {"ecosystem": "Debian:12", "name": "foo"}, "versions": ["1"]},
        {"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}]}"#;
    let record = read(text.as_bytes(), "place").unwrap();
    let names: Vec<(Ecosystem, &str)> = record
        .advisories
        .iter()
        .map(|(ecosystem, name, _)| (*ecosystem, name.as_str()))
        .collect();
    let expected = [
        (Ecosystem::Pypi, "foo-bar"),
        (Ecosystem::Npm, "@Scope/Foo"),
        (Ecosystem::CratesIo, "foo_bar"),
    ];
    assert_eq!(names, expected);
    assert_eq!(record.advisories[0].2.affected.len(), 3);
    assert_eq!(record.ecosystems, Ecosystem::ALL);
    let counts: Vec<u64> = record.unparsable.values().copied().collect();
    assert_eq!(counts, [1, 0, 1]);
}

#[test]
fn a_withdrawn_record_says_nothing_but_whom_it_concerned() {
    let check = |field: &str, expected: bool| {
        let record = record(field, r#", "versions": ["1"]"#);
        assert_eq!(record.withdrawn, expected, "{field}");
        assert_eq!(record.advisories.is_empty(), expected, "{field}");
        assert_eq!(record.ecosystems, [Ecosystem::Pypi]);
    };
    check(r#""withdrawn": "2026-01-01T00:00:00Z","#, true);
    check(r#""withdrawn": "yes","#, true);
    check(r#""withdrawn": "","#, false);
    check(r#""withdrawn": null,"#, false);
    check("", false);
}

const V2: &str = "AV:N/AC:L/Au:N/C:P/I:P/A:P";
const V3: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const V3_LOW: &str = "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
const V4: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";

#[test]
fn the_highest_score_of_the_nearest_vectors_counts() {
    let entries = |vectors: &[&str]| {
        let entries = vectors
            .iter()
            .map(|v| format!(r#"{{"type": "X", "score": "{v}"}}"#));
        format!(r#""severity": [{}]"#, entries.collect::<Vec<_>>().join(","))
    };
    let check = |record_has: &[&str], package_has: &[&str], tenths, level| {
        let fields = format!(
            r#"{}, "database_specific": {{"severity": "LOW"}},"#,
            entries(record_has)
        );
        let record = record(&fields, &format!(", {}", entries(package_has)));
        let severity = &only(&record).severity;
        assert_eq!(
            (severity.tenths, severity.level),
            (tenths, level),
            "{record_has:?}"
        );
    };
    check(&[V2], &[], Some(75), Level::High);
    check(&[V3], &[], Some(98), Level::Critical);
    check(&[V3_LOW, V4, V2], &[], Some(93), Level::Critical);
    check(&[V3], &[V3_LOW], Some(18), Level::Low);
    check(&[V3], &["CVSS:3.1/nonsense"], Some(98), Level::Critical);
    check(
        &["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:U/A:U", V2],
        &[],
        Some(75),
        Level::High,
    );
    check(&["7.5", "CVSS:9.9/A:B", "high", ""], &[], None, Level::Low);
    check(&[], &[], None, Level::Low);
    check(&[], &[V2], Some(75), Level::High);
}

#[test]
fn a_word_counts_where_there_is_no_score() {
    let check = |record_has: &str, package_has: &str, expected| {
        let fields = format!(r#""database_specific": {record_has},"#);
        let record = record(&fields, &format!(r#", "database_specific": {package_has}"#));
        let severity = &only(&record).severity;
        assert_eq!(
            (severity.tenths, severity.level),
            (None, expected),
            "{record_has}"
        );
    };
    check(r#"{"severity": "MODERATE"}"#, "{}", Level::Medium);
    check(r#"{"severity": "Medium"}"#, "null", Level::Medium);
    check(
        r#"{"severity": "CRITICAL"}"#,
        r#"{"severity": "LOW"}"#,
        Level::Low,
    );
    check(
        r#"{"severity": "HIGH"}"#,
        r#"{"severity": "soso"}"#,
        Level::High,
    );
    check(r#"{"severity": ["HIGH"]}"#, r#""text""#, Level::Unknown);
    check("7", "[]", Level::Unknown);
}

#[test]
fn rustsec_and_malware_have_classes_of_their_own() {
    let check = |id: &str, informational: &str, expected| {
        let affected = format!(r#", "database_specific": {{"informational": {informational}}}"#);
        let text = json("", &affected).replace("A-1", id);
        let record = read(text.as_bytes(), "place").unwrap();
        assert_eq!(only(&record).class, expected, "{informational}");
    };
    check("R-1", "null", Class::Vulnerability);
    check("R-1", r#""unsound""#, Class::Unsound);
    check("R-1", r#""unmaintained""#, Class::Unmaintained);
    check("R-1", r#""notice""#, Class::Notice);
    check("R-1", r#""something new""#, Class::Notice);
    check("MAL-2026-1", "null", Class::Malware);
    let cvss = record("", &format!(r#", "database_specific": {{"cvss": "{V3}"}}"#));
    assert_eq!(only(&cvss).severity.tenths, Some(98));
}

#[test]
fn a_summary_is_one_short_line_without_tricks() {
    let check = |fields: &str, expected: &str| {
        assert_eq!(only(&record(fields, "")).summary, expected, "{fields}");
    };
    check(
        r#""summary": " A\u001b[31m  b\n\u202ec\u0000 ", "details": "No.","#,
        "A [31m b c",
    );
    check(
        r#""summary": " \n", "details": "\n\n### Impact. Yes\nNo","#,
        "Impact.",
    );
    check(r#""details": "One 1.5 two\nthree","#, "One 1.5 two");
    check("", "");
    let long = "ä".repeat(5000);
    let expected = format!("{}…", "ä".repeat(200));
    check(&format!(r#""summary": "{long}","#), &expected);
    check(&format!(r#""details": "{long}","#), &expected);
}

#[test]
fn the_page_to_read_is_the_advisory_before_others() {
    let check = |references: &[(&str, &str)], expected: Option<&str>| {
        let list = references
            .iter()
            .map(|(kind, url)| format!(r#"{{"type": "{kind}", "url": "{url}"}}"#));
        let list = list.collect::<Vec<_>>().join(",");
        let record = record(&format!(r#""references": [{list}],"#), "");
        assert_eq!(only(&record).url.as_deref(), expected, "{references:?}");
    };
    let (package, web, advisory) = (
        "https://a.example/p",
        "https://a.example/w",
        "http://a.example/a",
    );
    check(
        &[("PACKAGE", package), ("WEB", web), ("ADVISORY", advisory)],
        Some(advisory),
    );
    check(&[("PACKAGE", package), ("WEB", web)], Some(web));
    check(&[("PACKAGE", package)], Some(package));
    check(&[("ADVISORY", "javascript:x"), ("WEB", web)], Some(web));
    check(&[("ADVISORY", "https://a.example/ x")], None);
    check(&[], None);
}

/// The message names the record and is not long, whatever the record holds.
fn refuse(text: &str, expected: &str) {
    let error = read(text.as_bytes(), "PyPI.zip/A-1.json").unwrap_err();
    assert!(error.message.starts_with("PyPI.zip/A-1.json: "), "{error}");
    assert!(error.message.contains(expected), "{error}");
    assert!(error.message.len() < 300, "{error}");
    assert!(!error.message.contains(char::is_control), "{error}");
}

/// A record with one more field.
fn with(field: &str) -> String {
    format!(r#"{{"id": "A-1", "modified": "2026-01-02T03:04:05Z", {field}}}"#)
}

#[test]
fn a_record_that_is_none_is_an_error_with_its_name() {
    refuse("", "EOF while parsing a value at 1:0");
    refuse("{\n\"id\": ?", "expected value at 2:7");
    refuse("[]", "not an OSV record");
    refuse("\0", "expected value");
    refuse("{}", "missing field `id`");
    refuse(r#"{"id": "A-1"}"#, "missing field `modified`");
    refuse(&with(r#""id": "B""#), "duplicate field `id`");
    refuse(&with(""), "trailing comma");
    refuse(&(with(r#""x": 1"#) + "x"), "trailing characters");
    refuse(&with(r#""aliases": "B""#), "invalid type");
    refuse(
        &with(r#""aliases": ["a b"]"#),
        "no id of an advisory: `a b`",
    );
    refuse(&with(r#""withdrawn": true"#), "invalid type");
    refuse(&with(r#""x": 1"#).replace("A-1", ""), "no id");
    refuse(&with(r#""x": 1"#).replace("A-1", r"A\u0000"), "no id");
    refuse(
        &with(r#""x": 1"#).replace("2026", "soon"),
        "no date and time: soon-01",
    );
    refuse(&json("", r#", "versions": [1.0]"#), "invalid type");
    let range = |kind: &str, events: &str| {
        let range = format!(r#"{{"type": "{kind}", "events": {events}}}"#);
        json("", &format!(r#", "ranges": [{range}]"#))
    };
    refuse(&range("OTHER", "[]"), "unknown type `OTHER`");
    refuse(&range("SEMVER", "[{}]"), "an event that is none");
    refuse(
        &range("SEMVER", r#"[{"fixed": "1", "fixed": "2"}]"#),
        "duplicate field",
    );
    refuse(&json("", "").replace("Foo_Bar", ""), "no name of a package");
    refuse(
        &json("", "").replace("Foo_Bar", r"a\nb"),
        "no name of a package",
    );
}

#[test]
fn a_record_made_to_hurt_is_an_error_with_its_name() {
    let deep = "[".repeat(100_000);
    refuse(
        &with(&format!(r#""affected": {deep}"#)),
        "not an OSV record",
    );
    refuse(&with(&format!(r#""other": {deep}"#)), "not an OSV record");
    let (open, close) = ("[".repeat(5000), "]".repeat(5000));
    let nested = format!(r#""database_specific": {{"severity": {open}{close}}}"#);
    refuse(&with(&nested), "recursion limit");
    let long = r"\u001b".repeat(100_000);
    refuse(
        &with(&format!(r#""aliases": "{long}""#)),
        "invalid type: string",
    );
    refuse(
        &json("", "").replace("Foo_Bar", &"a".repeat(5000)),
        "no name of a package",
    );
    let version = "1".repeat(order::LONGEST + 1);
    refuse(
        &json("", &format!(r#", "versions": ["{version}"]"#)),
        "10001 characters",
    );
    let versions = vec![r#""1""#; MOST_VERSIONS + 1].join(",");
    refuse(
        &json("", &format!(r#", "versions": [{versions}]"#)),
        "more than 200000 versions",
    );

    let aliases: Vec<String> = (0..3000)
        .map(|number| format!(r#""A-{number:0200}""#))
        .collect();
    let package = r#"{"package": {"ecosystem": "npm", "name": "NAME"}}"#;
    let named = |number: usize| package.replace("NAME", &number.to_string());
    let packages: Vec<String> = (0..3000).map(named).collect();
    let (aliases, packages) = (aliases.join(","), packages.join(","));
    let lists = format!(r#""aliases": [{aliases}], "affected": [{packages}]"#);
    refuse(&with(&lists), "too many aliases for each of 3000 packages");
}

#[test]
fn an_alias_is_kept_once_and_never_the_id_itself() {
    let record = record(r#""aliases": ["B-1", "A-1", "C-1", "B-1"],"#, "");
    assert_eq!(only(&record).aliases, ["B-1", "C-1"]);
}

#[test]
fn ten_thousand_characters_are_a_version_still() {
    let long = format!("1.{}", "1".repeat(9_998));
    let record = record("", &format!(r#", "versions": ["{long}"]"#));
    assert_eq!(record.unparsable[&Ecosystem::Pypi], 1);
    assert_eq!(only(&record).affected.len(), 1);
}

#[test]
fn every_vector_of_the_real_records_has_a_score() {
    for ecosystem in Ecosystem::ALL {
        shared_records(ecosystem, |json| {
            let form: form::Record<'_> = serde_json::from_slice(json).unwrap();
            let package = form
                .affected
                .iter()
                .flatten()
                .flat_map(|a| a.severity.iter().flatten());
            for entry in form.severity.iter().flatten().chain(package) {
                let is_known_bad = form.id == "NSWG-ECO-504";
                let has_score = severity::tenths(&entry.score).is_some();
                assert!(has_score != is_known_bad, "{}: {}", form.id, entry.score);
            }
        });
    }
}

#[test]
fn the_text_of_a_fix_is_kept() {
    let range = r#", "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "v2.0"}]}]"#;
    let record = record("", range);
    let [
        Interval {
            high: High::Below { fixed, .. },
            ..
        },
    ] = &only(&record).affected[..]
    else {
        panic!("{record:?}");
    };
    assert_eq!(fixed.as_deref(), Some("v2.0"));
}
