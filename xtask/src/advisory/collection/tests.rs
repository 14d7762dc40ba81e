use camino::Utf8Path;

use super::*;
use crate::advisory::index::Index;
use crate::advisory::test_data::record;

const OLD: &str = "2026-01-01";
const NEW: &str = "2026-02-02";

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn collection(name: &str, records: &[String]) -> Collection {
    let mut collection = Collection::default();
    for json in records {
        collection.add(json.as_bytes(), "place").unwrap();
    }
    collection.from_source(Source {
        name: name.to_owned(),
        digest: format!("sha256:{name}"),
    })
}

/// `package: id id` for each package of the ecosystem.
fn content(made: &[Made], ecosystem: Ecosystem) -> Vec<String> {
    let Some(made) = made.iter().find(|made| made.ecosystem == ecosystem) else {
        return Vec::new();
    };
    let index = Index::of_bytes(made.bytes.clone(), Utf8Path::new("x"), ecosystem).unwrap();
    assert_eq!(index.provenance(), &made.provenance);
    let line = |(name, advisories): (String, Vec<Advisory>)| {
        let ids: Vec<String> = advisories.into_iter().map(|advisory| advisory.id).collect();
        format!("{name}: {}", ids.join(" "))
    };
    index.all().unwrap().into_iter().map(line).collect()
}

#[test]
fn the_newest_state_of_a_record_counts() {
    let python = Ecosystem::Pypi;
    let check = |first: &[String], second: &[String], expected: &[&str]| {
        let texts = [first, second].concat();
        let together = collection("all", &texts)
            .indexes(AsOf::Newest(now()))
            .unwrap();
        assert_eq!(content(&together, python), expected);
        let mut merged = collection("one", first);
        merged.merge(collection("two", second));
        assert_eq!(
            content(&merged.indexes(AsOf::Newest(now())).unwrap(), python),
            expected
        );
        let mut merged = collection("two", second);
        merged.merge(collection("one", first));
        assert_eq!(
            content(&merged.indexes(AsOf::Newest(now())).unwrap(), python),
            expected
        );
    };
    let withdrawn = r#", "withdrawn": "2026-01-01T00:00:00Z""#;
    let other = record("B-1", OLD, python, "b", "");
    check(
        &[record("A-1", OLD, python, "A", ""), other.clone()],
        &[record("A-1", NEW, python, "c", "")],
        &["b: B-1", "c: A-1"],
    );
    check(
        &[record("A-1", NEW, python, "A", "")],
        &[
            record("A-1", OLD, python, "A", ""),
            record("A-0", OLD, python, "a", ""),
        ],
        &["a: A-0 A-1"],
    );
    check(
        &[record("A-1", OLD, python, "A", ""), other.clone()],
        &[record("A-1", NEW, python, "A", withdrawn)],
        &["b: B-1"],
    );
    check(
        &[record("A-1", OLD, python, "A", withdrawn)],
        &[record("A-1", NEW, python, "A", "")],
        &["a: A-1"],
    );
    check(
        &[record("A-1", OLD, python, "A", ""), other],
        &[record("A-1", NEW, Ecosystem::Npm, "A", "")],
        &["b: B-1"],
    );
    let twice = record("A-1", OLD, python, "A", "");
    check(&[twice.clone(), twice.clone()], &[twice], &["a: A-1"]);
}

#[test]
fn an_index_says_what_was_read_and_what_was_left_out() {
    let (python, npm) = (Ecosystem::Pypi, Ecosystem::Npm);
    let withdrawn = r#", "withdrawn": "2026-01-01T00:00:00Z""#;
    let mut all = collection(
        "PyPI.zip",
        &[
            record("A-1", OLD, python, "a", ""),
            record("A-2", NEW, python, "b", withdrawn),
            record("A-3", NEW, python, "b", "").replace("\"0\"", "\"2024-12-04\""),
            record("A-4", NEW, npm, "b", ""),
            r#"{"id": "A-5", "modified": "2027-01-01T00:00:00Z"}"#.to_owned(),
        ],
    );
    all.merge(collection("npm.zip", &[record("N-1", OLD, npm, "n", "")]));
    let made = all.indexes(AsOf::Newest(now())).unwrap();
    let expected = Provenance {
        ecosystem: "PyPI".to_owned(),
        source: "PyPI.zip".to_owned(),
        digest: "sha256:PyPI.zip".to_owned(),
        date: "2026-02-02T00:00:00Z".to_owned(),
        records: 2,
        withdrawn: 1,
        foreign: 2,
        unparsable: 1,
    };
    assert_eq!(made[0].provenance, expected);
    let npm = &made[1].provenance;
    assert_eq!(
        (npm.source.as_str(), npm.records, npm.foreign),
        ("PyPI.zip, npm.zip", 2, 4)
    );
    assert_eq!(npm.digest.len(), 71);
    assert_eq!(made.len(), 2);
}

#[test]
fn a_date_that_is_known_goes_before_the_newest_change() {
    let date = "2026-03-03T03:03:03Z";
    let made = collection("x", &[record("A-1", OLD, Ecosystem::Npm, "n", "")])
        .indexes(AsOf::Known(date.parse().unwrap()))
        .unwrap();
    assert_eq!(made[0].provenance.date, date);
}

#[test]
fn a_record_of_the_future_does_not_make_the_others_younger() {
    let check = |days: &[&str], expected: &str| {
        let records: Vec<String> = days
            .iter()
            .map(|day| record(&format!("A-{day}"), day, Ecosystem::Npm, "n", ""))
            .collect();
        let made = collection("x", &records)
            .indexes(AsOf::Newest(now()))
            .unwrap();
        assert_eq!(made[0].provenance.date, format!("{expected}T00:00:00Z"));
    };
    check(&[OLD, NEW, "2027-07-09"], NEW);
    check(&[OLD, "2026-06-01"], "2026-06-01");
    check(&["2027-07-09", "2027-07-10"], "2027-07-10");
}

#[test]
fn equal_records_in_any_order_make_equal_bytes() {
    let mut records: Vec<String> = (0..50)
        .map(|number| {
            let name = format!("p{}", number % 7);
            record(&format!("A-{number}"), OLD, Ecosystem::Npm, &name, "")
        })
        .collect();
    let first = collection("x", &records)
        .indexes(AsOf::Newest(now()))
        .unwrap();
    records.reverse();
    let second = collection("x", &records)
        .indexes(AsOf::Newest(now()))
        .unwrap();
    assert_eq!(first[0].bytes, second[0].bytes);
}

#[test]
fn nothing_makes_no_index() {
    assert!(
        collection("x", &[])
            .indexes(AsOf::Newest(now()))
            .unwrap()
            .is_empty()
    );
    assert!(collection("x", &[]).is_empty());
}
