//! `audit --live`: pages, batches, the cache, and that no answer is never a clean one.

use serde_json::json;
use xtask::advisory::matching::affects;
use xtask::advisory::order;
use xtask::error::{Error, Kind, Result};
use xtask::exec::live::{Live, Settings, advisories_with};
use xtask::lockfile::Ecosystem;

use super::server::Fault;
use super::{Fixture, record};

impl Fixture {
    fn ask(&self, packages: &[(&str, &str)]) -> Result<Live> {
        let one = |(name, version): &(&str, &str)| {
            (Ecosystem::Pypi, (*name).to_owned(), (*version).to_owned())
        };
        let packages: Vec<_> = packages.iter().map(one).collect();
        self.ask_all(&packages)
    }

    fn ask_all(&self, packages: &[(Ecosystem, String, String)]) -> Result<Live> {
        let settings = Settings {
            base: self.osv.url(),
            patience: self.patience.clone(),
            cache: self.folder.join("cache"),
        };
        advisories_with(&self.world, packages, &settings)
    }

    /// Three records about a package and one about another.
    fn answering() -> Fixture {
        let fixture = Fixture::empty();
        for (id, name) in [
            ("A-1", "demo"),
            ("A-2", "demo"),
            ("A-3", "demo"),
            ("A-4", "other"),
        ] {
            fixture.osv.put(record(id, 1, name, "2.0"));
        }
        fixture
    }
}

fn ids(live: &Live, name: &str) -> Vec<String> {
    let package = (Ecosystem::Pypi, name.to_owned());
    let advisories = live.advisories.get(&package).into_iter().flatten();
    advisories.map(|advisory| advisory.id.clone()).collect()
}

#[test]
fn pages_are_read_to_the_end_and_records_only_once() {
    let fixture = Fixture::answering();
    fixture.osv.state().page = 1;
    let packages = [
        ("Demo", "1.0"),
        ("demo", "1.5"),
        ("nothing", "1"),
        ("other", "1"),
    ];
    let live = fixture.ask(&packages).unwrap();
    assert_eq!(ids(&live, "demo"), ["A-1", "A-2", "A-3"]);
    assert_eq!(ids(&live, "other"), ["A-4"]);
    assert_eq!(ids(&live, "nothing"), [""; 0]);
    let asked = fixture.osv.asked();
    let expected = [
        "/v1/querybatch",
        "/v1/querybatch",
        "/v1/querybatch",
        "/v1/vulns/A-1",
        "/v1/vulns/A-2",
        "/v1/vulns/A-3",
        "/v1/vulns/A-4",
    ];
    assert_eq!(asked, expected);
    let provenance = &live.provenance[0];
    assert_eq!((live.provenance.len(), provenance.records), (1, 4));
    assert_eq!(provenance.source, format!("{} (live)", fixture.osv.url()));

    let again = fixture.ask(&packages).unwrap();
    assert_eq!(again.advisories, live.advisories);
    assert_eq!(again.provenance[0].digest, provenance.digest);
    assert_eq!(
        fixture.osv.asked(),
        ["/v1/querybatch"; 3],
        "records are in the cache"
    );

    fixture.osv.put(record("A-2", 2, "demo", "3.0"));
    let later = fixture.ask(&packages).unwrap();
    let asked = fixture.osv.asked();
    assert_eq!(
        asked[3..],
        ["/v1/vulns/A-2"],
        "what was changed is fetched again"
    );
    assert_ne!(later.provenance[0].digest, provenance.digest);
}

#[test]
fn answers_are_matched_again() {
    let fixture = Fixture::answering();
    let live = fixture.ask(&[("demo", "2.0"), ("demo", "1.0")]).unwrap();
    let advisories = &live.advisories[&(Ecosystem::Pypi, "demo".to_owned())];
    let affected = |version| {
        let key = order::key(Ecosystem::Pypi, version);
        advisories.iter().filter(|one| affects(one, &key)).count()
    };
    assert_eq!((affected("1.0"), affected("2.0")), (3, 0));
}

#[test]
fn no_request_has_more_than_a_thousand_queries() {
    let fixture = Fixture::answering();
    let mut packages: Vec<_> = (0..2500)
        .map(|number| (Ecosystem::Npm, format!("p{number}"), "1.0.0".to_owned()))
        .collect();
    packages.push((Ecosystem::Pypi, "demo".to_owned(), "1.0".to_owned()));
    let live = fixture.ask_all(&packages).unwrap();
    assert_eq!(ids(&live, "demo").len(), 3);
    let asked = fixture.osv.asked();
    assert_eq!(
        asked
            .iter()
            .filter(|line| line.ends_with("querybatch"))
            .count(),
        3
    );
    let ecosystems: Vec<_> = live.provenance.iter().map(|one| &*one.ecosystem).collect();
    assert_eq!(ecosystems, ["PyPI", "npm"]);
    assert_eq!(live.provenance[1].records, 0);

    assert_eq!(fixture.ask(&[]).unwrap().provenance, []);
    assert_eq!(fixture.osv.asked(), [""; 0]);
}

#[test]
fn no_answer_is_never_a_clean_one() {
    let check = |path: &str, fault: Fault, expected: &str| -> Error {
        let fixture = Fixture::answering();
        fixture.osv.fail(path, fault, 99);
        let error = fixture
            .ask(&[("demo", "1.0"), ("other", "1.0")])
            .unwrap_err();
        assert_eq!(error.kind, Kind::Database, "{error}");
        let named = format!("{}/v1/", fixture.osv.url());
        assert!(error.message.starts_with(&named), "{error}");
        assert!(
            error.message.contains(path) && error.message.contains(expected),
            "{error}"
        );
        assert!(!error.hints.is_empty());
        error
    };
    check("querybatch", Fault::Status(400, None), "answers 400");
    check(
        "querybatch",
        Fault::Status(500, None),
        "answers 500 (3 attempts)",
    );
    check("querybatch", Fault::Cut(20), "after 20 bytes");
    check("querybatch", Fault::Html, "no answer to the request");
    check("querybatch", Fault::Body(b"{}"), "no answer to the request");
    check(
        "querybatch",
        Fault::Body(b"{\"results\":[{}]}"),
        "1 results for 2 queries",
    );
    check(
        "A-3",
        Fault::Status(404, None),
        "though /v1/querybatch names it",
    );
    check("A-3", Fault::Status(503, Some("99")), "answers 503");
    check("A-3", Fault::Html, "not an OSV record");
    let other = br#"{"id":"A-7","modified":"2026-11-01T00:00:00Z"}"#;
    check("A-3", Fault::Body(other), "the record A-7, not A-3");
}

#[test]
fn a_record_that_was_kept_badly_is_fetched_again() {
    let fixture = Fixture::answering();
    fixture.ask(&[("other", "1.0")]).unwrap();
    let cache = fixture.folder.join("cache");
    let kept = cache.read_dir_utf8().unwrap().next().unwrap().unwrap();
    for damage in ["", "{", &record("A-9", 1, "other", "1").to_string()] {
        std::fs::write(kept.path(), damage).unwrap();
        fixture.osv.asked();
        let live = fixture.ask(&[("other", "1.0")]).unwrap();
        assert_eq!(ids(&live, "other"), ["A-4"]);
        assert_eq!(fixture.osv.asked().len(), 2);
    }
}

#[test]
fn a_record_that_was_withdrawn_since_says_nothing() {
    let fixture = Fixture::answering();
    let mut withdrawn = record("A-4", 2, "other", "2.0");
    withdrawn["withdrawn"] = json!("2026-11-02T00:00:00Z");
    fixture.osv.put(withdrawn);
    let live = fixture.ask(&[("other", "1.0")]).unwrap();
    assert_eq!(ids(&live, "other"), [""; 0]);
    assert_eq!(
        (live.provenance[0].records, live.provenance[0].withdrawn),
        (0, 1)
    );
}
