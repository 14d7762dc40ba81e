//! What is found, what is left out, and what the policy makes of it.

use jiff::civil::date;

use super::*;
use crate::advisory::test_data::advisory;
use crate::audit::examples::{arrow, kind, lock, package};
use crate::audit::policy::Ignore;
use crate::audit::report::IgnoreState;
use crate::error::Error;

const TODAY: Date = date(2026, 11, 20);

/// An advisory about a Python package with a score.
fn scored(id: &str, aliases: &str, versions: &str, tenths: Option<u8>) -> Advisory {
    let mut advisory = advisory(Ecosystem::Pypi, id, aliases, versions);
    advisory.severity.tenths = tenths;
    advisory.severity.level = match tenths {
        None => Level::Unknown,
        Some(..40) => Level::Low,
        Some(40..70) => Level::Medium,
        Some(70..90) => Level::High,
        Some(_) => Level::Critical,
    };
    advisory
}

fn report(lock: Lock, advisories: &[Advisory], policy: &Policy) -> Report {
    let subject = Subject {
        scanned: vec![Scanned {
            path: "server/poetry.lock".to_owned(),
            kind: kind(),
            lock,
            sha256: Digest::of(b""),
        }],
        skipped: Vec::new(),
        extent: Extent::Whole,
    };
    let lookup = |_, name: &str| match name {
        "hit" => Ok(advisories.to_vec()),
        _ => Ok(Vec::new()),
    };
    examine(&subject, Vec::new(), &lookup, policy, TODAY).unwrap()
}

fn of_one(version: &str, advisories: &[Advisory], policy: &Policy) -> Report {
    report(
        lock(vec![package("hit", version, &[])], &[0]),
        advisories,
        policy,
    )
}

#[test]
fn a_package_of_another_source_is_never_matched_by_its_name() {
    let sources = [
        Source::Git {
            url: "https://git.example/hit".to_owned(),
            commit: None,
        },
        Source::Path {
            path: "../hit".to_owned(),
        },
        Source::Url {
            url: "https://files.example/hit.tar.gz".to_owned(),
        },
        Source::Workspace {
            path: ".".to_owned(),
        },
    ];
    for source in sources {
        let is_member = matches!(source, Source::Workspace { .. });
        let mut hit = package("hit", "1.0", &[]);
        hit.source = source;
        let advisories = [scored("PYSEC-1", "", ">=0", Some(98))];
        let report = report(lock(vec![hit], &[0]), &advisories, &Policy::default());
        assert!(report.findings.is_empty());
        assert_eq!(report.unchecked.len(), 1);
        assert!(!report.unchecked[0].reason.is_empty());
        assert_eq!(report.unchecked[0].namesake.is_empty(), is_member);
        assert_eq!((report.summary.checked, report.summary.unchecked), (0, 1));
    }
}

#[test]
fn aliases_are_one_finding_with_the_worst_of_what_they_say() {
    let advisories = [
        scored("GHSA-d", "CVE-4", ">=0 <2", Some(55)),
        scored("PYSEC-a", "GHSA-x CVE-9", ">=0 <2", None),
        scored("GHSA-x", "CVE-4", ">=0 <2", Some(91)),
        scored("PYSEC-other", "", ">=0 <2", Some(10)),
    ];
    let report = of_one("1.0", &advisories, &Policy::default());
    let found: Vec<(&str, usize, Option<f64>)> = report
        .findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding.ids.len(), finding.score))
        .collect();
    assert_eq!(
        found,
        [("PYSEC-a", 5, Some(9.1)), ("PYSEC-other", 1, Some(1.0))]
    );
    assert_eq!(report.findings[0].matched, ["GHSA-d", "GHSA-x", "PYSEC-a"]);
    assert_eq!(report.findings[0].verdict, Verdict::Denied);
    assert_eq!(report.findings[1].verdict, Verdict::Warned);
    assert!(!report.passes());
}

#[test]
fn the_fix_is_free_of_everything_and_says_who_keeps_it_out() {
    let advisories = [
        scored("PYSEC-1", "", ">=0 <1.5", Some(80)),
        scored("PYSEC-2", "", ">=1.4 <1.6", Some(80)),
    ];
    let fix = |constraint: Option<&str>| {
        let mut top = package("top", "3", &[]);
        top.dependencies = vec![arrow(1, constraint)];
        let lock = lock(vec![top, package("hit", "1.0", &[])], &[0]);
        let report = report(lock, &advisories, &Policy::default());
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].chain, ["top 3", "hit 1.0"]);
        report.findings[0].fix.clone()
    };
    let version = |allowed, blocked_by: Option<&str>| Fix::Version {
        version: "1.6".to_owned(),
        allowed,
        blocked_by: blocked_by.map(str::to_owned),
        command: match blocked_by {
            None => "(cd server && poetry update --lock hit)",
            Some(_) => "(cd server && poetry update --lock top hit)",
        }
        .to_owned(),
    };
    assert_eq!(fix(None), version(None, None));
    assert_eq!(fix(Some(">=1")), version(Some(true), None));
    assert_eq!(fix(Some("<1.6")), version(Some(false), Some("top 3: <1.6")));
    let open = [scored("PYSEC-1", "", ">=0", Some(80))];
    let report = of_one("1.0", &open, &Policy::default());
    assert_eq!(report.findings[0].fix, Fix::None);
}

#[test]
fn each_finding_names_a_version_that_is_free_of_itself() {
    let unsound = Advisory {
        class: Class::Unsound,
        ..scored("RUSTSEC-2", "", ">=0 <1.8", None)
    };
    let unmaintained = Advisory {
        class: Class::Unmaintained,
        ..scored("RUSTSEC-3", "", ">=0", None)
    };
    let vulnerable = scored("RUSTSEC-1", "", ">=0 <1.5", Some(80));
    let advisories = [vulnerable, unsound, unmaintained];
    let report = of_one("1.0", &advisories, &Policy::default());
    let fixes = report.findings.iter().map(|finding| match &finding.fix {
        Fix::Version { version, .. } => (finding.id.as_str(), Some(version.as_str())),
        Fix::None => (finding.id.as_str(), None),
    });
    assert_eq!(
        fixes.collect::<Vec<_>>(),
        [
            ("RUSTSEC-1", Some("1.5")),
            ("RUSTSEC-2", Some("1.8")),
            ("RUSTSEC-3", None)
        ]
    );
}

#[test]
fn an_exception_ends_and_an_unused_one_is_named() {
    let ignore = |id: &str, package: &str, until| Ignore {
        id: id.to_owned(),
        package: package.to_owned(),
        version: None,
        reason: "not reachable".to_owned(),
        until,
        line: 3,
    };
    let advisories = [scored("PYSEC-1", "CVE-1", ">=0", Some(80))];
    let seen = |ignore: Ignore| {
        let policy = Policy {
            ignores: vec![ignore],
            ..Policy::default()
        };
        let report = of_one("1.0", &advisories, &policy);
        let states = report.ignores.iter().map(|notice| notice.state.clone());
        (
            report.passes(),
            report.findings[0].because.clone(),
            states.collect::<Vec<_>>(),
        )
    };
    let (passes, _, states) = seen(ignore("CVE-1", "hit", TODAY));
    assert!(passes && states.is_empty());
    let (passes, because, states) = seen(ignore("CVE-1", "hit", date(2026, 11, 19)));
    assert!(
        !passes && because.ends_with("its exception ended on 2026-11-19"),
        "{because}"
    );
    let until = "2026-11-19".to_owned();
    assert_eq!(states, [IgnoreState::Expired { until }]);
    let (passes, _, states) = seen(ignore("CVE-1", "other", TODAY));
    assert!(!passes);
    assert_eq!(states, [IgnoreState::Unused]);
}

#[test]
fn a_lock_file_of_which_nothing_ships_is_judged_as_development() {
    use crate::gate::pattern::Pattern;
    let policy = Policy {
        development: vec![Pattern::verbatim("server/*.lock")],
        ..Policy::default()
    };
    let report = of_one("1.0", &[scored("PYSEC-1", "", ">=0", Some(50))], &policy);
    assert_eq!(report.findings[0].scope, Scope::Development);
    assert_eq!(report.findings[0].verdict, Verdict::Warned);
    assert!(report.passes());
}

#[test]
fn what_only_informs_comes_behind_what_is_dangerous() {
    let classed = |id: &str, class| Advisory {
        class,
        ..scored(id, "", ">=0", None)
    };
    let advisories = [
        classed("RUSTSEC-1", Class::Unmaintained),
        classed("RUSTSEC-2", Class::Unsound),
        classed("MAL-3", Class::Malware),
        scored("RUSTSEC-4", "", ">=0", Some(98)),
        scored("RUSTSEC-5", "", ">=0", Some(20)),
    ];
    let report = of_one("1.0", &advisories, &Policy::default());
    let ids: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["RUSTSEC-4", "MAL-3", "RUSTSEC-5", "RUSTSEC-2", "RUSTSEC-1"]
    );
}

#[test]
fn a_lookup_that_fails_leaves_no_report() {
    let subject = Subject {
        scanned: vec![Scanned {
            path: "poetry.lock".to_owned(),
            kind: kind(),
            lock: lock(vec![package("any", "1", &[])], &[0]),
            sha256: Digest::of(b""),
        }],
        skipped: Vec::new(),
        extent: Extent::Whole,
    };
    let lookup = |_, _: &str| Err(Error::database("damaged"));
    let result = examine(&subject, Vec::new(), &lookup, &Policy::default(), TODAY);
    assert_eq!(result.unwrap_err().message, "damaged");
}

#[test]
fn that_nobody_maintains_it_is_a_finding_of_its_own_even_under_a_common_id() {
    let unmaintained = Advisory {
        class: Class::Unmaintained,
        ..scored("RUSTSEC-1", "CVE-1", ">=0", None)
    };
    let unsound = Advisory {
        class: Class::Unsound,
        ..scored("RUSTSEC-2", "CVE-1", ">=0", None)
    };
    let vulnerable = scored("GHSA-3", "CVE-1", ">=0", Some(70));
    let report = of_one(
        "1.0",
        &[unmaintained, unsound, vulnerable],
        &Policy::default(),
    );
    let found: Vec<(Class, usize)> = report
        .findings
        .iter()
        .map(|finding| (finding.class, finding.matched.len()))
        .collect();
    assert_eq!(found, [(Class::Vulnerability, 2), (Class::Unmaintained, 1)]);
}

#[test]
fn a_locked_version_that_is_none_counts_as_the_oldest_and_is_said() {
    let advisories = [scored("PYSEC-1", "", ">=0 <2", Some(80))];
    let report = of_one("unknown", &advisories, &Policy::default());
    assert_eq!(report.findings.len(), 1);
    assert_eq!(
        report.warnings,
        [
            "server/poetry.lock:1: hit \"unknown\" is no version that PyPI knows; it counts as older than all"
        ]
    );
}

#[test]
fn what_release_toml_says_about_no_lock_file_is_named() {
    use crate::audit::policy::Skip;
    use crate::gate::pattern::Pattern;
    let policy = Policy {
        skips: vec![Skip {
            path: Pattern::verbatim("old/**"),
            reason: "gone".to_owned(),
        }],
        development: vec![
            Pattern::verbatim("Cargo.lock"),
            Pattern::verbatim("server/*.lock"),
        ],
        ..Policy::default()
    };
    assert_eq!(
        of_one("1.0", &[], &policy).warnings,
        [
            "release.toml: [[audit.skip]] names old/**, which is no lock file here",
            "release.toml: audit.development names Cargo.lock, which is no lock file here",
        ]
    );
}
