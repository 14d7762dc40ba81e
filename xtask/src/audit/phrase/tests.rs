//! The words, one by one.

use super::super::sample;
use super::*;

#[test]
fn only_plain_addresses_of_the_web_are_linked() {
    let check = |url, expected: Option<&str>| assert_eq!(address(url).as_deref(), expected);
    check("https://osv.dev/x?y=1#z", Some("https://osv.dev/x?y=1#z"));
    check("http://a.example/a%20b", Some("http://a.example/a%20b"));
    check(
        "https://a.example/(x) y|z#a#b",
        Some("https://a.example/%28x%29%20y%7Cz#a%23b"),
    );
    check("https://a.example/é", Some("https://a.example/%C3%A9"));
    check("https://a.example/%zz", None);
    check("https://user@a.example/", None);
    check("https:///x", None);
    check("javascript:alert(1)", None);
    check("file:///etc/passwd", None);
}

#[test]
fn commands_are_shown_for_names_that_a_shell_takes_as_they_are() {
    let check = |package: &str, version: &str, shown| {
        let mut finding = sample::single().findings.remove(0);
        (finding.package, finding.version) = (package.to_owned(), version.to_owned());
        assert_eq!(command(&finding).is_some(), shown, "{package} {version}");
    };
    check("jinja2", "2.11.2", true);
    check("@scope/name_x", "1!2.0+local.1", true);
    check("x; rm -rf ~", "1", false);
    check("$(id)", "1", false);
    check("x", "1\n", false);
    check("-rf", "1", false);
}

#[test]
fn the_worst_comes_first() {
    let mut findings = sample::mixed().findings;
    findings.reverse();
    findings.sort_by_cached_key(rank);
    let order: Vec<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
    let expected = [
        "MAL-2026-1",
        "GHSA-35jh-r3h4-6jhm",
        "PYSEC-2021-66",
        "PYSEC-2021-66",
        "GHSA-h75v-3vvj-5mfj",
        "PYSEC-2026-9",
        "RUSTSEC-2021-0145",
        "RUSTSEC-2024-0375",
        "RUSTSEC-2023-0001",
        "yanked",
        "PYSEC-2021-108",
    ];
    assert_eq!(order, expected);
}

#[test]
fn scores_that_are_no_scores_do_no_harm() {
    let check = |score, expected| assert_eq!(tenths(score), expected);
    check(None, 0);
    check(Some(7.5), 75);
    check(Some(9.95), 100);
    check(Some(f64::NAN), 0);
    check(Some(f64::INFINITY), 100);
    check(Some(-1.0), 0);
}

#[test]
fn a_pass_with_a_doubt_says_so() {
    let check = |change: fn(&mut Report), mark: &str| {
        let mut report = sample::clean();
        change(&mut report);
        assert_eq!(outcome(&report).0, mark);
    };
    check(|_| {}, "✓");
    check(|report| report.warnings.push("x".to_owned()), "!");
    check(|report| report.locks[0].notes.push("stale".to_owned()), "!");
    check(|report| report.databases.clear(), "!");
    check(|report| report.summary.denied = 1, "✗");
}
