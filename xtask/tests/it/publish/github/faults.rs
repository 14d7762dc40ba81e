//! Failures on the way, and that nothing is there twice after any of them.

use super::{Case, TAG};
use crate::registries::front::Fault;

/// The parts of the way to a release: method and path.
const WAYS: [(&str, &str); 6] = [
    ("GET", "/releases?"),
    ("GET", "/git/ref/"),
    ("GET", "/git/commits/"),
    ("POST", "/repos/owner/demo/releases"),
    ("POST", "/uploads/"),
    ("PATCH", "/releases/"),
];

fn check(fault: &Fault, ways: &[(&str, &str)]) {
    for (method, path) in ways {
        let case = Case::new();
        case.front.fail(Some(method), path, fault.clone(), 1);
        case.publishes();
        case.is_whole();
        let stored = case.front.stored();
        let mut once = stored.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), stored.len(), "{fault:?} {path}: {stored:?}");
        assert_eq!(case.front.service().deleted, Vec::<String>::new());
    }
}

#[test]
fn a_failure_before_anything_was_done_passes() {
    check(&Fault::Status(500, None), &WAYS);
    check(&Fault::Status(429, Some("0".to_owned())), &WAYS[3..4]);
    check(&Fault::CutBefore, &WAYS[3..]);
}

#[test]
fn a_failure_after_everything_was_done_leaves_one_copy() {
    check(&Fault::StatusAfter(502), &WAYS[3..]);
    check(&Fault::CutAfter, &WAYS[3..]);
    check(&Fault::CutBody(5), &WAYS);
}

#[test]
fn an_upload_that_broke_off_is_replaced() {
    let case = Case::new();
    case.front.service().broken_uploads = 2;
    case.publishes();
    case.is_whole();
    let service = case.front.service();
    assert_eq!(service.deleted.len(), 2, "{:?}", service.deleted);
    let ours = |line: &String| line.starts_with("draft's asset v1.0.0/");
    assert!(service.deleted.iter().all(ours));
}

#[test]
fn nothing_is_sent_again_behind_our_back() {
    let case = Case::new();
    let fault = Fault::Status(503, None);
    case.front.fail(None, "/releases?", fault.clone(), 99);
    case.ends(1, "answers 503");
    // As often as release.toml says.
    assert_eq!(case.front.requests(), 4, "{:#?}", case.front.log());
    case.front.heal();
    case.front.forget();
    case.front.fail(Some("POST"), "/uploads/", fault, 99);
    case.ends(1, "answers 503");
    assert_eq!(case.front.count("POST", "/uploads/"), 4);
}

#[test]
fn a_server_that_asks_for_a_long_pause_is_left_alone() {
    let case = Case::new();
    let fault = Fault::Status(429, Some("3600".to_owned()));
    case.front.fail(None, "/releases?", fault, 99);
    case.ends(1, "3600 s");
    assert_eq!(case.front.requests(), 1);
}

#[test]
fn bytes_that_come_back_wrong_are_read_again_and_never_published() {
    let case = Case::new();
    case.front
        .fail(Some("GET"), "/storage/", Fault::WrongBytes, 1);
    case.publishes();
    case.is_whole();

    let case = Case::new();
    case.front
        .fail(Some("GET"), "/storage/", Fault::WrongBytes, 2);
    case.ends(4, "exists with other bytes");
    assert_eq!(case.front.count("PATCH", ""), 0);
    assert!(case.front.service().release(TAG).unwrap().draft);
}
