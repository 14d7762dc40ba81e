use super::*;
use crate::advisory::index;
use crate::advisory::test_data::{advisory, provenance};
use crate::error::Kind;

fn bytes(ecosystem: Ecosystem) -> Vec<u8> {
    let packages = BTreeMap::from([("a".to_owned(), vec![advisory(ecosystem, "A-1", "", ">=0")])]);
    index::write(&provenance(ecosystem), &packages).unwrap()
}

#[test]
fn what_is_saved_is_opened_and_what_is_missing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path())
        .unwrap()
        .join("new/folder");
    let error = |result: Result<()>| result.unwrap_err();
    let missing = error(Database::open(&folder).map(drop));
    assert_eq!(missing.kind, Kind::Database);
    assert_eq!(missing.message, format!("no advisories in {folder}"));
    assert_eq!(missing.hints, [UPDATE]);

    save(&folder, Ecosystem::Pypi, b"an older one").unwrap();
    save(&folder, Ecosystem::Pypi, &bytes(Ecosystem::Pypi)).unwrap();
    assert_eq!(folder.read_dir_utf8().unwrap().count(), 1);
    let database = Database::open(&folder).unwrap();
    let pypi = database.index(Ecosystem::Pypi).unwrap();
    assert_eq!(pypi.lookup("A").unwrap().len(), 1);
    let npm = error(database.index(Ecosystem::Npm).map(drop));
    assert!(npm.message.contains("npm.index is missing"), "{npm}");
    let both = [Ecosystem::Pypi, Ecosystem::Npm];
    assert_eq!(
        error(Database::open_for(&folder, &both).map(drop)).kind,
        Kind::Database
    );

    // The old index stays whole for whoever has it open.
    save(&folder, Ecosystem::Pypi, b"").unwrap();
    assert_eq!(pypi.lookup("a").unwrap().len(), 1);
    assert!(Database::open(&folder).is_err());
}

fn limit(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

#[test]
fn data_that_is_too_old_or_of_the_future_is_refused() {
    let check = |date: &str, now: &str, days: i64, expected: &str| {
        let provenance = Provenance {
            date: date.to_owned(),
            ..provenance(Ecosystem::Npm)
        };
        let found = match require_recent(&provenance, now.parse().unwrap(), limit(days)) {
            Ok(()) => String::new(),
            Err(error) => {
                assert_eq!(error.kind, Kind::Database);
                assert!(!error.hints.is_empty());
                error.message
            }
        };
        assert!(found.contains(expected), "{found}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{found}");
    };
    let date = "2026-01-10T12:00:00Z";
    check(date, "2026-01-10T12:00:00Z", 0, "");
    check(date, "2026-01-10T12:00:01Z", 0, "are too old");
    check(date, "2026-01-17T12:00:00Z", 7, "");
    check(
        date,
        "2026-01-17T12:00:01Z",
        7,
        "7 days ago, with 7 days allowed",
    );
    check(date, "2126-01-17T12:00:01Z", 36_600, "");
    check(date, "2026-01-09T13:00:00Z", 7, "");
    check(date, "2026-01-09T11:00:00Z", 7, "still to come");
    check(
        "yesterday",
        "2026-01-09T11:00:00Z",
        7,
        "no date that can be read: \"yesterday\"",
    );
}

#[test]
fn the_age_is_that_of_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    save(folder, Ecosystem::Npm, &bytes(Ecosystem::Npm)).unwrap();
    let database = Database::open(folder).unwrap();
    let now = "2026-01-03T03:04:05Z".parse().unwrap();
    assert_eq!(
        database.age(now).unwrap(),
        Some(SignedDuration::from_hours(24))
    );
    assert!(database.require_recent(now, limit(1)).is_ok());
    assert!(database.require_recent(now, limit(0)).is_err());
}

#[cfg(not(any(windows, target_os = "macos")))]
#[test]
fn the_folder_is_the_users_cache_unless_a_variable_names_it() {
    let check = |variables: &[(&str, &str)], expected: Option<&str>| {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let found = folder(&environment, Utf8Path::new("/repository"));
        assert_eq!(found.ok().as_deref(), expected.map(Utf8Path::new));
    };
    let home = ("HOME", "/home/me");
    check(&[home], Some("/home/me/.cache/cargo-xtask/advisories"));
    check(
        &[home, ("XDG_CACHE_HOME", "/c")],
        Some("/c/cargo-xtask/advisories"),
    );
    check(
        &[home, ("XDG_CACHE_HOME", "c")],
        Some("/home/me/.cache/cargo-xtask/advisories"),
    );
    check(&[home, (VARIABLE, "/d")], Some("/d"));
    check(&[home, (VARIABLE, "d")], Some("/repository/d"));
    check(
        &[home, (VARIABLE, "")],
        Some("/home/me/.cache/cargo-xtask/advisories"),
    );
    check(&[("HOME", "")], None);
    check(&[], None);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    require_writable(&folder.join("new/one")).unwrap();
    assert_eq!(folder.join("new/one").read_dir_utf8().unwrap().count(), 0);
    std::fs::write(folder.join("file"), "").unwrap();
    let error = require_writable(&folder.join("file/below")).unwrap_err();
    assert!(error.message.contains("file/below"), "{error}");
    assert!(
        error.hints.iter().any(|hint| hint.contains(VARIABLE)),
        "{error}"
    );
}
