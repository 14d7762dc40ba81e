//! What an audit does to a release: it comes before everything else, and nobody takes its absence
//! for its consent.

use camino::Utf8PathBuf;

use crate::audit::case::{critical, poetry};
use crate::osv::server::Osv;
use crate::repository::{CONFIGURATION, Repository, slow};

/// Advisories about `demo`, stored, and a policy that lets them be old.
fn advise(repository: &mut Repository) {
    let beside = repository.root.parent().unwrap();
    let records: Utf8PathBuf = beside.join("records");
    let stored = beside.join("stored").to_string();
    std::fs::create_dir(&records).unwrap();
    let record = critical("PYSEC-1", "PyPI", "demo").to_string();
    std::fs::write(records.join("PYSEC-1.json"), record).unwrap();
    let policy = format!("{CONFIGURATION}[audit]\nmax-age = \"36000 days\"\n");
    repository.write("release.toml", &policy);
    let variable = ("XTASK_DATABASE_DIR".to_owned(), stored);
    repository.environment.push(variable);
    repository.succeeds(&["audit", "--update", "--database", records.as_str()]);
}

/// Locks what the advisories are about, in a commit of its own.
fn lock_what_is_vulnerable(repository: &Repository) {
    repository.write("server/poetry.lock", &poetry(&[("demo", "1.0", "")]));
    repository.git(&["commit", "--quiet", "--all", "--message", "demo"]);
}

#[test]
fn a_release_that_the_policy_denies_is_not_begun() {
    let mut repository = Repository::sound();
    advise(&mut repository);
    lock_what_is_vulnerable(&repository);
    let ended = repository.xtask(&["release"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("PYSEC-1"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("✓ tools"), "{}", ended.stdout);
    assert!(repository.dist().is_empty());

    let ended = repository.xtask(&["release", "--plan"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.contains("the audit refuses"),
        "{}",
        ended.stderr
    );

    let ended = repository.xtask(&["release", "--plan", "--without-audit"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("leave: --without-audit"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stderr.contains("the audit was left out"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_release_can_bring_the_advisories_up_to_date_itself() {
    let mut repository = Repository::sound();
    let osv = Osv::start();
    osv.put(critical("PYSEC-1", "PyPI", "demo"));
    osv.publish();
    let stored = repository.root.parent().unwrap().join("fetched");
    for (name, value) in [
        ("XTASK_DATABASE_DIR", stored.to_string()),
        ("XTASK_OSV_BULK_URL", osv.url()),
    ] {
        repository.environment.retain(|(known, _)| known != name);
        repository.environment.push((name.to_owned(), value));
    }
    lock_what_is_vulnerable(&repository);
    let ended = repository.xtask(&["release"]);
    assert_eq!(ended.code, Some(7), "{}{}", ended.stdout, ended.stderr);
    let ended = repository.xtask(&["release", "--update"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("PYSEC-1"), "{}", ended.stdout);
    let ended = repository.xtask(&["release", "--update", "--without-audit"]);
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn a_release_without_a_database_is_none() {
    let mut repository = Repository::sound();
    let nowhere = repository.root.parent().unwrap().join("nowhere");
    let variable = ("XTASK_DATABASE_DIR".to_owned(), nowhere.to_string());
    repository.environment.push(variable);
    let ended = repository.xtask(&["release"]);
    assert_eq!(ended.code, Some(7), "{}{}", ended.stdout, ended.stderr);
    for hint in ["cargo xtask audit --update", "--without-audit"] {
        assert!(ended.stderr.contains(hint), "{}", ended.stderr);
    }
    assert!(repository.dist().is_empty());
}

#[test]
fn dist_holds_findings_of_this_run_or_none() {
    if !slow() {
        return;
    }
    let mut repository = Repository::sound();
    repository.succeeds(&["release"]);
    let first = repository.dist();
    let is_there = |repository: &Repository, name: &str| {
        let path = format!("dist/{name}");
        repository.dist().iter().any(|(file, _)| *file == path)
    };
    let of_an_audit = [
        "findings.json",
        "findings.sarif",
        "findings.md",
        "vex.cdx.json",
    ];
    for name in of_an_audit {
        assert!(is_there(&repository, name), "{name}");
    }
    repository.write("lost/poetry.lock", &poetry(&[("demo", "1.0", "")]));
    repository.succeeds(&["release"]);
    assert_eq!(
        repository.dist(),
        first,
        "an untracked lock file is in no commit"
    );

    repository.succeeds(&["release", "--without-audit"]);
    for name in of_an_audit {
        assert!(!is_there(&repository, name), "{name}");
    }
    assert!(is_there(&repository, "sbom.cdx.json"));
    repository.succeeds(&["release"]);
    assert_eq!(repository.dist(), first);

    advise(&mut repository);
    lock_what_is_vulnerable(&repository);
    let ended = repository.xtask(&["release"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(repository.dist(), first, "a refusal touches nothing");
}
