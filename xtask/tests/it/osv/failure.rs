//! What happens to a database when something fails: the error names the address, and what was
//! there stays.

use std::time::{Duration, Instant};

use xtask::error::Kind;
use xtask::exec::sync::{Settings, update_with};
use xtask::world::interrupt::Signal;

use super::database::PYPI;
use super::server::Fault;
use super::{Fixture, record};

/// Whatever fails, the error names the address and the old index stays; without one there is
/// none afterwards either.
#[test]
fn whatever_fails_the_old_index_stays() {
    let check = |path: &str, fault: Fault, expected: &str| {
        for first in [true, false] {
            let fixture = match first {
                true => Fixture::published(),
                false => Fixture::synchronised(),
            };
            // Too much has changed, so that the archive is needed.
            fixture.osv.put(record("A-1", 12, "demo-package", "2.0"));
            fixture.osv.put(record("A-2", 12, "demo-package", "2.0"));
            if path == "all.zip" {
                fixture.osv.state().hollow.insert("A-2".to_owned());
                fixture.osv.publish();
            }
            let before = fixture.bytes();
            fixture.osv.fail(path, fault, 99);
            let error = fixture.refused();
            assert!(error.message.contains(path), "{error}");
            assert!(error.message.contains(expected), "{expected}: {error}");
            assert_eq!(fixture.bytes(), before, "{path} {fault:?}");
            assert_eq!(first, before.is_none());
        }
    };
    let half: &[u8] = b"2026-11-01T00:00:00Z,A-1\n2026-11-02T00:00:00Z,A";
    check("modified_id.csv", Fault::Status(404, None), "answers 404");
    check(
        "modified_id.csv",
        Fault::Status(503, None),
        "answers 503 (3 attempts)",
    );
    check("modified_id.csv", Fault::Html, "a page");
    check("modified_id.csv", Fault::Cut(30), "after 30 bytes");
    check("modified_id.csv", Fault::WrongHash, "checksum");
    check("modified_id.csv", Fault::Body(b""), "an empty list");
    check("modified_id.csv", Fault::Body(half), "cut off");
    check("all.zip", Fault::Status(404, None), "answers 404");
    check(
        "all.zip",
        Fault::Status(429, None),
        "answers 429 (3 attempts)",
    );
    check("all.zip", Fault::Html, "a page");
    check("all.zip", Fault::Cut(0), "after 0 bytes");
    check("all.zip", Fault::WrongHash, "checksum");
    check("all.zip", Fault::Body(b"no archive"), "no zip archive");
    let empty = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    check("all.zip", Fault::Body(empty), "0 records");
    check(
        "all.zip",
        Fault::Body(b"PK\x03\x04and no more"),
        "no zip archive",
    );
    check("A-1.json", Fault::Status(500, None), "answers 500");
    check("A-1.json", Fault::Html, "not an OSV record");
    check(
        "A-1.json",
        Fault::Body(b"{\"id\":\"A-1\""),
        "not an OSV record",
    );
    let other = br#"{"id":"A-7","modified":"2026-11-12T00:00:00Z"}"#;
    check("A-1.json", Fault::Body(other), "the record A-7, not A-1");
}

#[test]
fn a_wrong_checksum_is_not_remembered() {
    let fixture = Fixture::published();
    fixture.osv.fail("all.zip", Fault::WrongHash, 1);
    assert!(fixture.refused().message.contains("where the server says"));
    fixture.update().unwrap();
    assert_eq!(fixture.ids().len(), 4);
}

#[test]
fn a_database_that_shrinks_too_much_is_refused() {
    let fixture = Fixture::synchronised();
    let before = fixture.bytes();
    let mut records = std::mem::take(&mut fixture.osv.state().records);
    fixture.osv.put(records.remove("A-1").unwrap());
    fixture.osv.publish();
    let error = fixture.refused();
    assert_eq!(error.kind, Kind::Conflict);
    assert!(error.message.contains("1 advisories"), "{error}");
    assert!(error.hints[1].contains("rm "), "{error}");
    assert_eq!(fixture.bytes(), before);
    // So is the archive, when that is asked for.
    std::fs::remove_file(fixture.folder.join("PyPI.sync.json")).unwrap();
    assert_eq!(fixture.refused().kind, Kind::Conflict);
    std::fs::remove_file(fixture.folder.join("PyPI.index")).unwrap();
    fixture.update().unwrap();
    assert_eq!(fixture.ids(), ["A-1"]);
}

#[test]
fn an_archive_that_is_not_that_of_the_list_is_refused() {
    let fixture = Fixture::published();
    for number in 10..20 {
        fixture
            .osv
            .put(record(&format!("A-{number}"), 12, "demo-package", "2.0"));
    }
    let error = fixture.refused();
    assert!(error.message.contains("5 records, where"), "{error}");
    assert_eq!(fixture.bytes(), None);
}

#[test]
fn a_mirror_without_many_of_its_records_is_refused() {
    let fixture = Fixture::published();
    for number in 10..30 {
        fixture
            .osv
            .put(record(&format!("A-{number}"), 12, "demo-package", "2.0"));
    }
    fixture.osv.publish();
    for number in 10..21 {
        let id = format!("A-{number}");
        fixture.osv.put(record(&id, 13, "demo-package", "2.0"));
        fixture.osv.state().hollow.insert(id);
    }
    let error = fixture.refused();
    assert!(
        error.message.contains("11 of its records are not there"),
        "{error}"
    );
    assert_eq!(fixture.bytes(), None);
    fixture.osv.state().hollow.remove("A-10");
    fixture.update().unwrap();
    assert_eq!(fixture.ids().len(), 24);
}

#[test]
fn a_busy_server_is_asked_again() {
    let fixture = Fixture::published();
    fixture
        .osv
        .fail("modified_id.csv", Fault::Status(503, Some("7")), 2);
    fixture.osv.fail("all.zip", Fault::Status(429, None), 1);
    fixture.update().unwrap();
    assert_eq!(fixture.osv.asked().len(), 5);

    fixture
        .osv
        .fail("modified_id.csv", Fault::Status(503, Some("61")), 1);
    let error = fixture.refused();
    assert!(error.hints[0].contains("61 s"), "{error}");
    assert_eq!(fixture.osv.asked().len(), 1, "it asked to be left alone");
}

#[test]
fn silence_ends() {
    let mut fixture = Fixture::published();
    fixture.patience.silence = Duration::from_millis(100);
    fixture.patience.attempts = 2;
    fixture.osv.fail("all.zip", Fault::Silent(50), 99);
    let error = fixture.refused();
    assert!(error.message.contains("2 attempts"), "{error}");
    assert_eq!(fixture.bytes(), None);
}

#[test]
fn a_run_that_is_stopped_ends_at_once_and_writes_nothing() {
    let fixture = Fixture::published();
    fixture.osv.fail("all.zip", Fault::Silent(50), 99);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| fixture.update());
        let part = fixture.folder.join("PyPI.zip.part");
        let begun = || part.metadata().is_ok_and(|part| part.len() == 50);
        while !begun() && !running.is_finished() {
            std::thread::yield_now();
        }
        let stopped = Instant::now();
        fixture.world.interrupt.stop(Signal::Terminate);
        let error = running.join().unwrap().unwrap_err();
        assert_eq!(error.kind, Kind::Interrupted, "{error}");
        assert!(stopped.elapsed() < fixture.patience.silence / 2);
    });
    assert_eq!(fixture.bytes(), None);
}

#[test]
fn a_run_that_was_killed_between_its_two_files_is_made_good() {
    let fixture = Fixture::synchronised();
    let state = fixture.folder.join("PyPI.sync.json");
    let old = std::fs::read(&state).unwrap();
    fixture.osv.put(record("A-6", 12, "demo-package", "2.0"));
    fixture.update().unwrap();
    for left in [old.as_slice(), b"", b"{\"schema\":1", b"[]"] {
        std::fs::write(&state, left).unwrap();
        fixture.osv.asked();
        fixture.update().unwrap();
        assert!(fixture.osv.asked().contains(&"/PyPI/all.zip".to_owned()));
        assert_eq!(fixture.ids().len(), 5);
    }
    // So is an index that was damaged.
    let path = fixture.folder.join("PyPI.index");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    fixture.update().unwrap();
    assert_eq!(fixture.ids().len(), 5);
}

#[test]
fn two_runs_at_once_do_not_meet() {
    let fixture = Fixture::published();
    std::thread::scope(|scope| {
        let runs = [(); 4].map(|()| scope.spawn(|| fixture.update()));
        for run in runs {
            run.join().unwrap().unwrap();
        }
    });
    assert_eq!(fixture.ids().len(), 4);
    let asked = fixture.osv.asked();
    let archives = asked.iter().filter(|line| line.contains("zip"));
    assert_eq!(archives.count(), 1, "{asked:?}");
}

#[test]
fn addresses_are_checked_and_keep_their_secrets() {
    let fixture = Fixture::empty();
    let update = |base: &str| {
        let settings = Settings {
            base: base.to_owned(),
            patience: fixture.patience.clone(),
            record_limit: 10,
        };
        update_with(&fixture.world, &fixture.folder, &[PYPI], &settings).unwrap_err()
    };
    let error = update("http://user:secret@mirror.example/osv");
    assert_eq!(error.kind, Kind::Usage);
    assert!(
        error
            .message
            .contains("XTASK_OSV_BULK_URL: http://…@mirror.example"),
        "{error}"
    );
    let local = fixture.osv.url().replace("http://", "http://user:secret@");
    let error = update(&local);
    assert!(error.message.contains("an empty list"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn a_proxy_is_taken_from_the_environment() {
    let mut fixture = Fixture::published();
    let port = xtask::world::loopback::free_port().unwrap();
    let proxy = format!("http://user:secret@127.0.0.1:{port}");
    let environment = &mut fixture.world.environment;
    environment.insert("http_proxy".to_owned(), proxy);
    let error = fixture.refused();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(fixture.osv.asked(), [""; 0]);

    let environment = &mut fixture.world.environment;
    environment.insert("no_proxy".to_owned(), "127.0.0.1".to_owned());
    fixture.update().unwrap();

    let environment = &mut fixture.world.environment;
    environment.remove("no_proxy");
    environment.insert("http_proxy".to_owned(), "socks5://user:secret@a".to_owned());
    let error = fixture.update().unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert!(!error.to_string().contains("secret"), "{error}");
}
