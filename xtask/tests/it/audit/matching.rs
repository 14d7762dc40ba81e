//! What hits what: cases that real advisories and lock files seldom have.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values made in place read better without a sign before each"
)]

use serde_json::{Value, json};

use super::case::{Case, REGISTRY, cargo, critical, npm, poetry, record, scored};

#[test]
fn aliases_join_across_databases_whatever_their_order() {
    // A chain: none of the four names all the others.
    let links: [(&str, &[&str]); 4] = [
        ("GHSA-aaaa-aaaa-aaaa", &["CVE-2026-1"]),
        ("PYSEC-2026-7", &["CVE-2026-2"]),
        ("OSV-2026-9", &["CVE-2026-2", "CVE-2026-3"]),
        ("SNYK-2026-4", &["CVE-2026-1", "CVE-2026-3"]),
    ];
    for turn in 0..links.len() {
        let case = Case::new();
        case.lock("server/poetry.lock", &poetry(&[("demo", "1.0", "")]));
        for (place, (id, aliases)) in links.iter().cycle().skip(turn).take(4).enumerate() {
            let mut record = critical(id, "PyPI", "demo");
            record["aliases"] = json!(aliases);
            let file = case.advisories.join(format!("{place}.json"));
            std::fs::write(file, record.to_string()).unwrap();
        }
        let joined = "demo 1.0 PYSEC-2026-7 CVE-2026-1 CVE-2026-2 CVE-2026-3 GHSA-aaaa-aaaa-aaaa \
                      OSV-2026-9 SNYK-2026-4: denied";
        assert_eq!(case.found(), [joined], "from {turn} on");
    }
}

/// The events of one range, and whether 1.5 is hit.
fn check(events: Value, expected: bool) {
    check_record(record("PYSEC-1", "PyPI", "demo", events), "1.5", expected);
}

fn check_record(record: Value, version: &str, expected: bool) {
    let case = Case::new();
    case.lock("server/poetry.lock", &poetry(&[("demo", version, "")]));
    case.advisory(record.clone());
    case.advisory(critical("PYSEC-2", "PyPI", "other"));
    assert_eq!(case.found().len(), usize::from(expected), "{record}");
}

#[test]
fn events_are_read_by_the_specification() {
    check(json!([{ "introduced": "0" }]), true);
    check(json!([{ "fixed": "1.4" }, { "introduced": "0" }]), false);
    check(
        json!([{ "introduced": "0" }, { "last_affected": "1.5" }]),
        true,
    );
    check(
        json!([{ "introduced": "0" }, { "last_affected": "1.4" }]),
        false,
    );
    check(json!([{ "introduced": "1.5" }, { "fixed": "1.5" }]), false);
    check(json!([{ "introduced": "0" }, { "limit": "1.5" }]), false);
    check(json!([{ "introduced": "0" }, { "limit": "1.6" }]), true);
    check(json!([{ "introduced": "0" }, { "limit": "*" }]), true);
    check(
        json!([{ "introduced": "1.5.0rc1" }, { "fixed": "1.5.0" }]),
        false,
    );
    check(
        json!([{ "introduced": "0" }, { "fixed": "2024-12-04-x" }]),
        false,
    );
    let twice = json!([{ "introduced": "1.5" }, { "introduced": "0" }, { "fixed": "1.2" }]);
    check(twice, true);
}

#[test]
fn versions_and_ranges_both_count_and_git_decides_nothing() {
    let with = |change: fn(&mut Value)| {
        let events = json!([{ "introduced": "9" }]);
        let mut record = record("PYSEC-1", "PyPI", "Demo_.Package", events);
        record["affected"][0]["package"]["name"] = json!("demo");
        change(&mut record);
        record
    };
    check_record(with(|_| {}), "1.5", false);
    let listed = with(|record| record["affected"][0]["versions"] = json!(["1.5.0"]));
    check_record(listed, "1.5", true);
    let only_listed = with(|record| {
        record["affected"][0]["ranges"] = json!([]);
        record["affected"][0]["versions"] = json!(["what", "1.5"]);
    });
    check_record(only_listed, "1.5", true);
    let git_first = with(|record| {
        let git = json!({ "type": "GIT", "repo": "https://github.com/a/b",
            "events": [{ "introduced": "0" }, { "fixed": "abc" }] });
        let range = json!({ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] });
        record["affected"][0]["ranges"] = json!([git, range]);
    });
    check_record(git_first, "1.5", true);
    let only_git = with(|record| record["affected"][0]["ranges"][0]["type"] = json!("GIT"));
    check_record(only_git, "9.9", false);
    let mut withdrawn = critical("PYSEC-1", "PyPI", "demo");
    check_record(withdrawn.clone(), "1.5", true);
    withdrawn["withdrawn"] = json!("2026-01-03T00:00:00Z");
    check_record(withdrawn, "1.5", false);
}

#[test]
fn names_are_normal_on_both_sides_where_the_ecosystem_says_so() {
    let case = Case::new();
    let versions = [("Demo_Package", "1.0", ""), ("what", "not.a.version", "")];
    case.lock("server/poetry.lock", &poetry(&versions));
    case.lock("server/requirements.txt", "DEMO.package==1.0\n");
    case.advisory(critical("PYSEC-1", "PyPI", "dEMO-.-package"));
    case.advisory(critical("PYSEC-2", "PyPI", "what"));
    let found = [
        "demo-package 1.0 PYSEC-1: denied",
        "demo-package 1.0 PYSEC-1: denied",
        "what not.a.version PYSEC-2: denied",
    ];
    assert_eq!(case.found(), found);
    case.check(&[], 6, "is no version that PyPI knows");

    let case = Case::new();
    let entries = json!({ "node_modules/Demo": { "version": "1.0.0" } });
    case.lock("package-lock.json", &npm(json!({}), entries));
    case.advisory(critical("GHSA-1", "npm", "demo"));
    assert_eq!(case.found(), [""; 0]);
}

#[test]
fn a_prerelease_is_older_than_its_release() {
    let case = Case::new();
    let crates = [
        ("a", "2.0.0-rc.1", REGISTRY),
        ("b", "2.0.0+build", REGISTRY),
    ];
    case.lock("Cargo.lock", &cargo(&crates));
    case.advisory(critical("RUSTSEC-1", "crates.io", "a"));
    case.advisory(critical("RUSTSEC-2", "crates.io", "b"));
    assert_eq!(case.found(), ["a 2.0.0-rc.1 RUSTSEC-1: denied"]);
}

#[test]
fn a_name_from_elsewhere_is_not_the_registrys() {
    let git = "[package.source]\ntype = \"git\"\nurl = \"https://github.com/a/demo.git\"\n\
               reference = \"main\"\nresolved_reference = \"0123456789012345678901234567890123456789\"\n";
    let path = "[package.source]\ntype = \"directory\"\nurl = \"../demo\"\n";
    let url = "[package.source]\ntype = \"url\"\nurl = \"https://files.example/demo-1.0.zip\"\n";
    for (source, reason) in [
        (git, "comes from a git repository"),
        (path, "comes from a path"),
        (url, "comes from an address, not from a registry"),
    ] {
        let case = Case::vulnerable();
        case.lock("server/poetry.lock", &poetry(&[("demo", "1.0", source)]));
        let report = case.report();
        assert_eq!(report["findings"], json!([]), "{source}");
        assert_eq!(report["unchecked"][0]["reason"], reason);
        assert_eq!(report["unchecked"][0]["namesake"], json!(["PYSEC-1"]));
        case.check(&[], 0, "look whether that concerns this one");
    }

    let case = Case::new();
    let fork = "source = \"git+https://github.com/a/b#0123456789012345678901234567890123456789\"\n";
    let crates = [("member", "1.0.0", ""), ("fork", "1.0.0", fork)];
    case.lock("Cargo.lock", &cargo(&crates));
    case.advisory(critical("RUSTSEC-1", "crates.io", "member"));
    case.advisory(critical("RUSTSEC-2", "crates.io", "fork"));
    let report = case.report();
    assert_eq!(report["findings"], json!([]));
    assert_eq!(report["unchecked"].as_array().unwrap().len(), 2);
}

#[test]
fn npm_aliases_nested_versions_links_and_development_are_told_apart() {
    let case = Case::new();
    let project = json!({
        "name": "web", "version": "1.0.0",
        "dependencies": { "harmless": "npm:bad@^1.0.0", "parent": "^1.0.0", "linked": "file:linked" },
        "devDependencies": { "tool": "^1.0.0" },
    });
    let entries = json!({
        "linked": { "name": "linked", "version": "1.0.0" },
        "node_modules/harmless": { "name": "bad", "version": "1.0.0" },
        "node_modules/bad": { "version": "2.5.0" },
        "node_modules/parent": { "version": "1.0.0", "dependencies": { "bad": "~1.2.0" } },
        "node_modules/parent/node_modules/bad": { "version": "1.2.0" },
        "node_modules/linked": { "resolved": "linked", "link": true },
        "node_modules/tool": { "version": "1.0.0", "dev": true },
    });
    case.lock("web/package-lock.json", &npm(project, entries));
    for name in ["bad", "harmless", "linked"] {
        case.advisory(critical(&format!("GHSA-{name}"), "npm", name));
    }
    let medium = critical("GHSA-tool", "npm", "tool");
    case.advisory(scored(medium, "N"));
    let found = [
        "bad 1.0.0 GHSA-bad: denied",
        "bad 1.2.0 GHSA-bad: denied",
        "tool 1.0.0 GHSA-tool: warned",
    ];
    assert_eq!(case.found(), found);
    let report = case.report();
    assert_eq!(
        report["findings"][1]["chain"],
        json!(["parent 1.0.0", "bad 1.2.0"])
    );
    let fix = &report["findings"][1]["fix"];
    assert_eq!(fix["blocked_by"], "parent 1.0.0: ~1.2.0");
    assert_eq!(
        fix["command"],
        "(cd web && npm update --package-lock-only parent bad)"
    );
}
