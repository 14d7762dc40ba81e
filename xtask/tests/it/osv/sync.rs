//! `audit --update`: what is fetched, what is written, and what stays when something fails.

use serde_json::json;
use xtask::advisory::Provenance;
use xtask::artifact::Digest;

use super::server::Fault;
use super::{Fixture, record};

const FILES: [&str; 3] = ["PyPI.index", "PyPI.sync.json", "update.lock"];

#[test]
fn the_first_time_the_archive_is_fetched() {
    let fixture = Fixture::published();
    let before = fixture.world.now();
    fixture.update().unwrap();
    let archive = fixture.osv.archive();
    let provenance = fixture.provenance();
    let date: jiff::Timestamp = provenance.date.parse().unwrap();
    assert!(before <= date && date <= fixture.world.now());
    let expected = Provenance {
        ecosystem: "PyPI".to_owned(),
        source: format!("{}/PyPI/all.zip", fixture.osv.url()),
        digest: Digest::of(&archive).to_string(),
        date: provenance.date.clone(),
        records: 4,
        withdrawn: 1,
        foreign: 0,
        unparsable: 0,
    };
    assert_eq!(provenance, expected);
    assert_eq!(fixture.ids(), ["A-1", "A-2", "A-3", "A-4"]);
    assert_eq!(fixture.index().lookup("demo.package").unwrap().len(), 4);
    assert_eq!(
        fixture.osv.asked(),
        ["/PyPI/all.zip", "/PyPI/modified_id.csv"]
    );
    assert_eq!(fixture.files(), FILES, "nothing else stays");
}

#[test]
fn when_nothing_has_changed_only_the_date_does() {
    for etags in [true, false] {
        let fixture = Fixture::published();
        fixture.osv.state().etags = etags;
        fixture.update().unwrap();
        let (before, packages) = (fixture.provenance(), fixture.packages());
        fixture.osv.asked();
        fixture.update().unwrap();
        let after = fixture.provenance();
        assert!(after.date > before.date);
        let date = before.date.clone();
        assert_eq!(Provenance { date, ..after }, before);
        assert_eq!(fixture.packages(), packages);
        let asked = fixture.osv.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].contains("if-none-match"), etags, "{asked:?}");
    }
}

#[test]
fn afterwards_only_what_has_changed_is_fetched() {
    let fixture = Fixture::synchronised();
    fixture.osv.put(record("A-1", 9, "demo-package", "3.0"));
    let mut withdrawn = record("A-2", 9, "demo-package", "2.0");
    withdrawn["withdrawn"] = json!("2026-11-09T00:00:00Z");
    fixture.osv.put(withdrawn);
    fixture.osv.state().records.remove("A-3");
    fixture.osv.put(record("A-4", 10, "another-package", "2.0"));
    fixture.osv.put(record("A-9", 11, "demo-package", "2.0-NA"));
    let old = fixture.provenance();
    fixture.update().unwrap();
    let mut asked = fixture.osv.asked();
    asked.retain(|line| !line.contains("csv"));
    let expected = [
        "/PyPI/A-1.json",
        "/PyPI/A-2.json",
        "/PyPI/A-4.json",
        "/PyPI/A-9.json",
    ];
    assert_eq!(asked, expected);
    assert_eq!(
        fixture.ids(),
        ["A-4", "A-1", "A-9"],
        "by package, then by id"
    );
    let new = fixture.provenance();
    assert_eq!((new.records, new.withdrawn, new.unparsable), (3, 2, 1));
    assert!(new.digest != old.digest && new.digest.starts_with("sha256:"));
    assert!(new.date > old.date);

    // Step by step or at once, the advisories are the same.
    fixture.osv.publish();
    let packages = fixture.packages();
    std::fs::remove_file(fixture.folder.join("PyPI.sync.json")).unwrap();
    fixture.update().unwrap();
    assert_eq!(fixture.packages(), packages);
    let at_once = fixture.provenance();
    assert_eq!(
        (at_once.records, at_once.withdrawn),
        (new.records, new.withdrawn)
    );
}

#[test]
fn equal_changes_give_equal_digests() {
    let digest = |fixed| {
        let fixture = Fixture::synchronised();
        fixture.osv.put(record("A-1", 9, "demo-package", fixed));
        fixture.update().unwrap();
        let (date, schema) = (fixture.provenance().date, fixture.provenance().digest);
        assert!(!date.is_empty());
        schema
    };
    assert_eq!(digest("3.0"), digest("3.0"));
    assert_ne!(digest("3.0"), digest("3.1"));
}

#[test]
fn when_much_has_changed_the_archive_is_fetched() {
    let fixture = Fixture::synchronised();
    for id in ["A-6", "A-7", "A-8"] {
        fixture.osv.put(record(id, 12, "demo-package", "2.0"));
    }
    fixture.osv.publish();
    fixture.update_limited(2).unwrap();
    let asked = fixture.osv.asked();
    assert!(
        asked.contains(&"/PyPI/all.zip".to_owned()) && asked.len() == 2,
        "{asked:?}"
    );
    assert_eq!(fixture.ids().len(), 7);
}

#[test]
fn what_is_newer_than_the_archive_is_fetched_too() {
    let fixture = Fixture::published();
    fixture.osv.put(record("A-6", 12, "demo-package", "2.0"));
    fixture.osv.put(record("A-1", 12, "other-package", "2.0"));
    fixture.update().unwrap();
    let asked = fixture.osv.asked();
    assert!(
        asked.contains(&"/PyPI/A-6.json".to_owned()) && asked.len() == 4,
        "{asked:?}"
    );
    assert_eq!(fixture.ids(), ["A-2", "A-3", "A-4", "A-6", "A-1"]);
    assert_ne!(
        fixture.provenance().digest,
        Digest::of(&fixture.osv.archive()).to_string()
    );

    // When that would be too much, the data is only as new as the archive.
    let fixture = Fixture::published();
    fixture.osv.put(record("A-6", 12, "demo-package", "2.0"));
    fixture.update_limited(0).unwrap();
    assert_eq!(fixture.provenance().date, "2026-11-20T00:00:00Z");
    assert_eq!(fixture.ids().len(), 4);
    fixture.update().unwrap();
    assert_eq!(fixture.ids().len(), 5, "and the next run goes on");
}

#[test]
fn a_record_that_is_listed_and_not_there_is_gone_only_if_the_archive_says_so_too() {
    for in_archive in [false, true] {
        let fixture = Fixture::synchronised();
        fixture.osv.put(record("A-1", 12, "demo-package", "2.0"));
        fixture.osv.put(record("A-6", 12, "demo-package", "2.0"));
        if !in_archive {
            let kept = fixture.osv.state().records.remove("A-1").unwrap();
            fixture.osv.publish();
            fixture.osv.put(kept);
        }
        fixture.osv.state().hollow.insert("A-1".to_owned());
        fixture.update().unwrap();
        assert!(fixture.osv.asked().contains(&"/PyPI/all.zip".to_owned()));
        assert_eq!(fixture.ids().contains(&"A-1".to_owned()), in_archive);
        assert!(fixture.ids().contains(&"A-6".to_owned()));
        fixture.update().unwrap();
        assert_eq!(fixture.osv.asked().len(), 1, "it is asked for only once");
    }
}

#[test]
fn an_archive_is_gone_on_with() {
    // Within one run.
    let fixture = Fixture::published();
    let length = fixture.osv.archive().len();
    fixture.osv.fail("all.zip", Fault::Cut(100), 1);
    fixture.update().unwrap();
    let check_resumed = |fixture: &Fixture| {
        let asked = fixture.osv.asked();
        let resumed = |line: &&String| line.starts_with("/PyPI/all.zip range=bytes=100- if-range=");
        assert_eq!(asked.iter().filter(resumed).count(), 1, "{asked:?}");
        assert_eq!(fixture.ids().len(), 4);
    };
    check_resumed(&fixture);

    // By the next run.
    let mut fixture = Fixture::published();
    fixture.patience.attempts = 1;
    fixture.osv.fail("all.zip", Fault::Cut(100), 1);
    assert!(fixture.refused().message.contains("after 100 bytes"));
    assert_eq!(fixture.bytes(), None);
    fixture.update().unwrap();
    check_resumed(&fixture);
    assert_eq!(fixture.files(), FILES);

    // Not when it is another archive by then.
    let mut fixture = Fixture::published();
    fixture.patience.attempts = 1;
    fixture.osv.fail("all.zip", Fault::Cut(length - 1), 1);
    fixture.refused();
    fixture.osv.put(record("A-6", 12, "demo-package", "2.0"));
    fixture.osv.publish();
    fixture.update().unwrap();
    let archive = fixture.osv.archive();
    assert_eq!(
        fixture.provenance().digest,
        Digest::of(&archive).to_string()
    );

    // Nor when what is there is longer than the archive.
    let fixture = Fixture::published();
    let url = format!("{}/PyPI/all.zip", fixture.osv.url());
    let sum = xtask::world::remote::checksum::Crc32c::of(&fixture.osv.archive());
    let note = json!({ "url": url, "etag": format!("\"{sum:08x}\"") }).to_string();
    std::fs::write(fixture.folder.join("PyPI.zip.part"), vec![b'x'; length + 1]).unwrap();
    std::fs::write(fixture.folder.join("PyPI.zip.part.json"), note).unwrap();
    fixture.update().unwrap();
    assert_eq!(fixture.ids().len(), 4);
}
