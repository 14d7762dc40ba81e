//! Reports that the tests of all outputs share: a clean one, one with everything in it, one
//! with hostile texts, and large ones.

mod hostile;

pub use hostile::hostile;

use super::report::*;
use crate::advisory::{Class, Level, Provenance};
use crate::lockfile::{Ecosystem, Scope, Source};

/// Nothing was found.
pub fn clean() -> Report {
    Report {
        schema: 1,
        locks: vec![lock("poetry.lock", Some(Ecosystem::Pypi), 40, None)],
        databases: vec![database(Ecosystem::Pypi)],
        findings: Vec::new(),
        unchecked: Vec::new(),
        licenses: Vec::new(),
        ignores: Vec::new(),
        warnings: Vec::new(),
        summary: Summary {
            locks: 1,
            checked: 40,
            ..Summary::default()
        },
    }
}

/// One finding and nothing else.
pub fn single() -> Report {
    sum(Report {
        findings: vec![vulnerability("jinja2", "2.11.2", "PYSEC-2021-66", 7.5)],
        ..clean()
    })
}

/// Every class, verdict, source, reason and state.
pub fn mixed() -> Report {
    let ignored = Verdict::Ignored {
        reason: "the proxy is never used".to_owned(),
        until: "2027-01-31".to_owned(),
    };
    let mut report = Report {
        locks: vec![
            lock("Cargo.lock", Some(Ecosystem::CratesIo), 200, None),
            lock("old/yarn.lock", None, 0, Some("not tracked by git")),
            lock("package-lock.json", Some(Ecosystem::Npm), 310, None),
            lock("poetry.lock", Some(Ecosystem::Pypi), 40, None),
            lock("requirements.txt", Some(Ecosystem::Pypi), 12, None),
        ],
        databases: Ecosystem::ALL.into_iter().map(database).collect(),
        findings: findings(ignored.clone()),
        unchecked: unchecked(),
        licenses: vec![
            license("gnu-thing", Some("GPL-3.0-only"), Verdict::Denied),
            license("mystery", None, Verdict::Warned),
            license("old-thing", Some("LGPL-2.1-only"), ignored),
        ],
        ignores: vec![
            ignore(
                "CVE-2020-1",
                IgnoreState::Expired {
                    until: "2026-10-31".to_owned(),
                },
                true,
            ),
            ignore("CVE-2020-2", IgnoreState::Unused, false),
        ],
        warnings: vec!["the database for npm is 29 days old and may be 30.".to_owned()],
        ..clean()
    };
    if let Some(lock) = report.locks.get_mut(3) {
        let note = "no pyproject.toml is beside it, so that every package counts as shipped";
        lock.notes.push(note.to_owned());
    }
    sum(report)
}

fn findings(ignored: Verdict) -> Vec<Finding> {
    let jinja = vulnerability("jinja2", "2.11.2", "PYSEC-2021-66", 7.5);
    let crates = |class, id: &str, package: &str| Finding {
        ecosystem: Ecosystem::CratesIo,
        lock: "Cargo.lock".to_owned(),
        ..informational(class, id, package)
    };
    vec![
        Finding {
            lock: "requirements.txt".to_owned(),
            line: 3,
            groups: Vec::new(),
            chain: vec!["jinja2 2.11.2".to_owned()],
            fix: fix("2.11.3", None, None, "jinja2==2.11.3 in requirements.in"),
            ..jinja.clone()
        },
        jinja,
        Finding {
            verdict: Verdict::Warned,
            because: "medium, below the threshold high".to_owned(),
            ..vulnerability("jinja2", "2.11.2", "GHSA-h75v-3vvj-5mfj", 5.4)
        },
        Finding {
            class: Class::Malware,
            level: Level::Unknown,
            score: None,
            vector: None,
            ecosystem: Ecosystem::Npm,
            lock: "package-lock.json".to_owned(),
            line: 911,
            groups: Vec::new(),
            chain: vec!["event-streem 1.0.0".to_owned()],
            summary: "Malicious code in event-streem".to_owned(),
            fix: Fix::None,
            because: "malware is always denied".to_owned(),
            ..vulnerability("event-streem", "1.0.0", "MAL-2026-1", 0.0)
        },
        Finding {
            ecosystem: Ecosystem::Npm,
            lock: "package-lock.json".to_owned(),
            scope: Scope::Development,
            groups: Vec::new(),
            chain: ["mocha 7.0.0", "yargs-unparser 1.6.0", "lodash 4.17.20"]
                .map(str::to_owned)
                .to_vec(),
            fix: fix(
                "4.17.21",
                Some(false),
                Some("yargs-unparser 1.6.0: ~4.17.15 <4.17.21"),
                "npm update lodash",
            ),
            ..vulnerability("lodash", "4.17.20", "GHSA-35jh-r3h4-6jhm", 9.8)
        },
        Finding {
            level: Level::Unknown,
            score: None,
            vector: None,
            verdict: Verdict::Warned,
            because: "nobody has said how severe it is".to_owned(),
            fix: Fix::None,
            ..vulnerability("acme-tool", "0.3", "PYSEC-2026-9", 0.0)
        },
        crates(Class::Unsound, "RUSTSEC-2021-0145", "atty"),
        crates(Class::Unmaintained, "RUSTSEC-2024-0375", "atty"),
        crates(Class::Notice, "RUSTSEC-2023-0001", "notable"),
        Finding {
            url: None,
            summary: "Its publisher took this version back".to_owned(),
            ..crates(Class::Yanked, "yanked", "futures-util")
        },
        Finding {
            verdict: ignored,
            ..vulnerability("urllib3", "1.26.4", "PYSEC-2021-108", 7.5)
        },
    ]
}

fn unchecked() -> Vec<Unchecked> {
    let one = |package: &str, line, source, reason: &str| Unchecked {
        lock: "poetry.lock".to_owned(),
        line,
        package: package.to_owned(),
        version: "1.0".to_owned(),
        source,
        reason: reason.to_owned(),
        namesake: match package {
            "forked" => vec!["PYSEC-2024-36".to_owned()],
            _ => Vec::new(),
        },
    };
    let text = str::to_owned;
    vec![
        one(
            "forked",
            8,
            Source::Git {
                url: text("https://user:pass@git.example/x"),
                commit: Some(text("4f2a")),
            },
            "comes from git",
        ),
        one(
            "hooked",
            9,
            Source::Git {
                url: text("https://git.example/y"),
                commit: None,
            },
            "comes from git",
        ),
        one(
            "local",
            20,
            Source::Path {
                path: text("../local"),
            },
            "comes from a folder",
        ),
        one(
            "archive",
            30,
            Source::Url {
                url: text("https://host.example/a.zip"),
            },
            "comes from an address",
        ),
        one(
            "own",
            40,
            Source::Workspace { path: text(".") },
            "is part of this repository",
        ),
        one(
            "inner",
            50,
            Source::Bundled { by: text("outer") },
            "is inside of another package",
        ),
        one(
            "odd",
            60,
            Source::Registry {
                url: Some(text("https://registry.example")),
            },
            "comes from another registry",
        ),
        one(
            "odder",
            70,
            Source::Registry { url: None },
            "its version is no version",
        ),
    ]
}

/// So many findings, three for each package, and as many packages that were not checked.
pub fn large(count: usize) -> Report {
    let scores = [9.8, 5.4, 3.1];
    let finding = |number: usize| {
        let package = format!("package-{:05}", number / 3);
        let score = scores[number % 3];
        vulnerability(&package, "1.0.0", &format!("PYSEC-2026-{number}"), score)
    };
    let unchecked = |number: usize| Unchecked {
        lock: "poetry.lock".to_owned(),
        line: number + 1,
        package: format!("forked-{number:05}"),
        version: "1.0".to_owned(),
        source: Source::Git {
            url: "https://git.example/x".to_owned(),
            commit: None,
        },
        reason: "comes from git".to_owned(),
        namesake: Vec::new(),
    };
    sum(Report {
        findings: (0..count).map(finding).collect(),
        unchecked: (0..count).map(unchecked).collect(),
        ..clean()
    })
}

/// The report with its sums.
fn sum(mut report: Report) -> Report {
    let is = |verdict: &Verdict| phrase_of(verdict);
    let findings = |mark| {
        report
            .findings
            .iter()
            .filter(|one| is(&one.verdict) == mark)
            .count()
    };
    let skipped = report
        .locks
        .iter()
        .filter(|lock| lock.skipped.is_some())
        .count();
    report.summary = Summary {
        locks: report.locks.len() - skipped,
        skipped_locks: skipped,
        checked: report.locks.iter().map(|lock| lock.checked).sum(),
        unchecked: report.unchecked.len(),
        denied: findings('d'),
        warned: findings('w'),
        ignored: findings('i'),
        licenses_denied: report
            .licenses
            .iter()
            .filter(|one| is(&one.verdict) == 'd')
            .count(),
    };
    report
}

fn phrase_of(verdict: &Verdict) -> char {
    match verdict {
        Verdict::Denied => 'd',
        Verdict::Warned => 'w',
        Verdict::Ignored { .. } => 'i',
    }
}

fn lock(
    path: &str,
    ecosystem: Option<Ecosystem>,
    packages: usize,
    skipped: Option<&str>,
) -> LockFile {
    LockFile {
        path: path.to_owned(),
        kind: path.rsplit('/').next().unwrap_or(path).to_owned(),
        ecosystem,
        format: if skipped.is_some() { "" } else { "3" }.to_owned(),
        packages,
        checked: packages,
        skipped: skipped.map(str::to_owned),
        notes: Vec::new(),
    }
}

fn database(ecosystem: Ecosystem) -> Provenance {
    Provenance {
        ecosystem: ecosystem.name().to_owned(),
        source: format!("{}.zip", ecosystem.name()),
        digest: format!("sha256:{}", "0f".repeat(32)),
        date: "2026-11-19T04:00:00Z".to_owned(),
        records: 7080,
        withdrawn: 269,
        foreign: 1,
        unparsable: 193,
    }
}

fn fix(version: &str, allowed: Option<bool>, blocked_by: Option<&str>, command: &str) -> Fix {
    Fix::Version {
        version: version.to_owned(),
        allowed,
        blocked_by: blocked_by.map(str::to_owned),
        command: command.to_owned(),
    }
}

fn vulnerability(package: &str, version: &str, id: &str, score: f64) -> Finding {
    let level = match score {
        9.0.. => Level::Critical,
        7.0.. => Level::High,
        4.0.. => Level::Medium,
        _ => Level::Low,
    };
    Finding {
        lock: "poetry.lock".to_owned(),
        line: 120,
        ecosystem: Ecosystem::Pypi,
        package: package.to_owned(),
        version: version.to_owned(),
        scope: Scope::Ships,
        groups: vec!["main".to_owned()],
        chain: vec!["flask 1.1.2".to_owned(), format!("{package} {version}")],
        id: id.to_owned(),
        ids: vec![id.to_owned(), format!("CVE-{id}")],
        matched: vec![id.to_owned()],
        class: Class::Vulnerability,
        level,
        score: Some(score),
        vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".to_owned()),
        summary: format!("A long text makes {package} work for hours."),
        url: Some(format!("https://osv.dev/vulnerability/{id}")),
        fix: fix(
            "2.11.3",
            Some(true),
            None,
            &format!("poetry update {package}"),
        ),
        verdict: Verdict::Denied,
        because: "at or above the threshold low".to_owned(),
    }
}

fn informational(class: Class, id: &str, package: &str) -> Finding {
    Finding {
        class,
        level: Level::Unknown,
        score: None,
        vector: None,
        groups: Vec::new(),
        chain: vec![format!("{package} 0.2.14")],
        ids: vec![id.to_owned()],
        summary: format!("Something to know about {package}"),
        fix: Fix::None,
        verdict: Verdict::Warned,
        because: "only reported".to_owned(),
        ..vulnerability(package, "0.2.14", id, 0.0)
    }
}

fn license(package: &str, license: Option<&str>, verdict: Verdict) -> LicenseFinding {
    LicenseFinding {
        lock: "poetry.lock".to_owned(),
        line: 77,
        ecosystem: Ecosystem::Pypi,
        package: package.to_owned(),
        version: "1.0".to_owned(),
        license: license.map(str::to_owned),
        origin: license.map(|_| "METADATA".to_owned()),
        verdict,
        because: "not on the list".to_owned(),
    }
}

fn ignore(id: &str, state: IgnoreState, denied: bool) -> IgnoreNotice {
    IgnoreNotice {
        id: id.to_owned(),
        package: "jinja2".to_owned(),
        line: 42,
        state,
        denied,
    }
}
