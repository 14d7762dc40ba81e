//! How long a client waits, and when it gives up.

use std::time::Duration;

use super::retry::{Patience, Trouble, after, is_busy};

fn patience() -> Patience {
    Patience {
        attempts: 4,
        first: Duration::from_secs(1),
        longest: Duration::from_secs(3),
        ..Patience::default()
    }
}

#[test]
fn waits_grow_and_end() {
    let check = |failed, trouble: Trouble, expected: Option<u64>| {
        let found = patience().wait(failed, &trouble);
        assert_eq!(
            found,
            expected.map(Duration::from_secs),
            "{failed} {trouble:?}"
        );
    };
    check(1, Trouble::passing(""), Some(1));
    check(2, Trouble::passing(""), Some(2));
    check(3, Trouble::passing(""), Some(3));
    check(4, Trouble::passing(""), None);
    check(u32::MAX, Trouble::passing(""), None);
    check(1, Trouble::last(""), None);
    let refused = |kind| Trouble::of_transport(std::io::Error::from(kind).into());
    check(1, refused(std::io::ErrorKind::ConnectionReset), Some(1));
    check(1, refused(std::io::ErrorKind::InvalidData), None);
    check(1, Trouble::error(crate::error::Error::interrupted()), None);
    check(1, Trouble::busy(503, Some(Duration::from_secs(3))), Some(3));
    check(2, Trouble::busy(503, Some(Duration::ZERO)), Some(2));
    check(1, Trouble::busy(503, Some(Duration::from_secs(4))), None);
}

#[test]
fn a_server_may_say_when_to_come_again() {
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let check = |text, expected: Option<u64>| {
        assert_eq!(
            after(text, now),
            expected.map(Duration::from_secs),
            "{text}"
        );
    };
    check("7", Some(7));
    check(" 7 ", Some(7));
    check("Fri, 20 Nov 2026 12:00:09 GMT", Some(9));
    check("Fri, 20 Nov 2026 11:00:00 GMT", Some(0));
    check("-1", None);
    check("soon", None);
}

#[test]
fn busy_is_what_passes() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert!(is_busy(status), "{status}");
    }
    for status in [200, 206, 301, 304, 400, 401, 404, 416] {
        assert!(!is_busy(status), "{status}");
    }
}

#[test]
fn a_trickle_is_too_slow() {
    let check = |received, seconds, expected| {
        let found = patience().is_too_slow(received, Duration::from_secs(seconds));
        assert_eq!(found, expected, "{received} in {seconds} s");
    };
    check(1, 60, false);
    check(1, 61, true);
    check(61 << 10, 61, false);
    check((61 << 10) - 1, 61, true);
    check(u64::MAX, u64::MAX, false);
}

#[test]
fn an_error_names_the_address_once_and_how_often_it_was_tried() {
    let check = |trouble: Trouble, attempts, expected| {
        let error = trouble.into_error("https://…@a.org/b", attempts);
        assert_eq!(error.message, expected);
        assert!(!error.hints.is_empty());
    };
    check(
        Trouble::busy(503, None),
        3,
        "https://…@a.org/b: answers 503 (3 attempts)",
    );
    check(
        Trouble::last("no address"),
        1,
        "https://…@a.org/b: no address",
    );
}
