//! What has changed, what an archive lacks, and which lists are none.

use super::holding::{FORM, Held, Holding, Status};
use super::*;
use crate::error::Kind;

fn listing(lines: &[(&str, &str)]) -> Listing {
    let own = |(id, stamp): &(&str, &str)| ((*id).to_owned(), (*stamp).to_owned());
    Listing(lines.iter().map(own).collect())
}

fn holding(lines: &[(&str, &str)]) -> Holding {
    let held = |(id, stamp): &(&str, &str)| {
        let held = Held {
            stamp: (*stamp).to_owned(),
            status: Status::Held,
            unparsable: 0,
        };
        ((*id).to_owned(), held)
    };
    Holding {
        schema: FORM,
        source: "https://a/all.zip".to_owned(),
        digest: "sha256:00".to_owned(),
        etag: None,
        records: lines.iter().map(held).collect(),
    }
}

const DAY_1: &str = "2026-11-01T00:00:00Z";
const DAY_2: &str = "2026-11-02T00:00:00Z";

#[test]
fn changes_are_the_difference_of_two_lists() {
    let check = |held: &[(&str, &str)], listed: &[(&str, &str)], expected: Change| {
        let found = change(&holding(held), &listing(listed), 2);
        assert_eq!(found, expected, "{held:?} {listed:?}");
    };
    let some = |fetch: &[&str], remove: &[&str]| Change::Some {
        fetch: fetch.iter().map(|id| (*id).to_owned()).collect(),
        remove: remove.iter().map(|id| (*id).to_owned()).collect(),
    };
    check(&[("A", DAY_1)], &[("A", DAY_1)], Change::None);
    check(&[("A", DAY_1)], &[("A", DAY_2)], some(&["A"], &[]));
    // Also when the list goes back: it says what is there now.
    check(&[("A", DAY_2)], &[("A", DAY_1)], some(&["A"], &[]));
    check(
        &[("A", DAY_1)],
        &[("A", DAY_1), ("B", DAY_1)],
        some(&["B"], &[]),
    );
    check(
        &[("A", DAY_1), ("B", DAY_1)],
        &[("A", DAY_1)],
        some(&[], &["B"]),
    );
    check(&[("A", DAY_1)], &[("B", DAY_1)], some(&["B"], &["A"]));
    let three = [("B", DAY_1), ("C", DAY_1), ("D", DAY_1)];
    check(&[], &three, Change::Whole(3));
    check(&three, &[], Change::Whole(3));
}

#[test]
fn an_archive_is_compared_by_whole_seconds() {
    let check = |held: &str, listed: &str, expected: &[&str]| {
        let mut holding = holding(&[("A", held)]);
        let found = behind(&mut holding, &listing(&[("A", listed)]));
        assert_eq!(found, expected, "{held} {listed}");
        let stamp = if expected.is_empty() { listed } else { held };
        assert_eq!(holding.records["A"].stamp, stamp);
    };
    check(DAY_1, DAY_1, &[]);
    check(DAY_1, "2026-11-01T00:00:00.999999Z", &[]);
    check(DAY_1, "2026-11-01T00:00:01Z", &["A"]);
    check(DAY_1, "2026-11-01T01:00:00+01:00", &[]);
    check(DAY_2, DAY_1, &[]);
    let mut empty = holding(&[]);
    assert_eq!(behind(&mut empty, &listing(&[("A", DAY_1)])), ["A"]);
}

#[test]
fn a_list_is_read_whole_or_not_at_all() {
    let check = |text: &str, expected: &str| {
        let error = read_listing(text.as_bytes(), "https://a/list").unwrap_err();
        assert!(error.message.starts_with("https://a/list: "), "{error}");
        assert!(error.message.contains(expected), "{text:?}: {error}");
    };
    check("", "an empty list");
    check("<?xml version='1.0'?><Error/>\n", "a page");
    check("  <html>\n", "a page");
    check("2026-11-01T00:00:00Z,A", "cut off");
    check("2026-11-01T00:00:00Z,A\n\n", "line 2: no comma");
    check("2026-11-01T00:00:00Z\n", "line 1: no comma");
    check("A,2026-11-01T00:00:00Z\n", "date and time");
    check("2026-11-01,A\n", "date and time");
    for id in [
        "", "../A", "A/B", "A?b", "A,B", "A B", ".A", "-A", "A\0", "Ä",
    ] {
        check(&format!("2026-11-01T00:00:00Z,{id}\n"), "no id");
    }
    check(&format!("{DAY_1},{}\n", "A".repeat(129)), "no id");
    check(
        &format!("{DAY_1},A\n{DAY_2},A\n"),
        "line 2: its record is listed twice",
    );
    let error = read_listing(b"\xff", "place").unwrap_err();
    assert!(error.message.contains("not UTF-8 at byte 0"), "{error}");

    let text = format!("{DAY_2},GHSA-xxxx-yyyy-zzzz\r\n{DAY_1},PYSEC-2026-1\n");
    let expected = listing(&[("GHSA-xxxx-yyyy-zzzz", DAY_2), ("PYSEC-2026-1", DAY_1)]);
    assert_eq!(read_listing(text.as_bytes(), "place").unwrap(), expected);
}

#[test]
fn half_of_a_database_is_not_to_be_lost() {
    let check = |before, after, expected| {
        let found = require_no_loss(before, after, "https://a", "/b");
        let found = found.map_err(|error| error.kind).err();
        assert_eq!(found, expected, "{before} {after}");
    };
    check(0, 0, None);
    check(10, 5, None);
    check(10, 4, Some(Kind::Conflict));
    check(1, 0, Some(Kind::Conflict));
    check(3, 2, None);
    check(3, 1, Some(Kind::Conflict));
    check(u64::MAX, u64::MAX, None);
}
