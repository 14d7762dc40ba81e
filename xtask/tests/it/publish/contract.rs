//! One contract for every target: absent → upload → verified; again → no upload; other bytes →
//! conflict; whatever fails on the way → exactly one copy; the token in no output.

use std::process::Child;

use xtask::dist::Release;

use super::places::{self, Place};
use super::real::has_docker_registry;
use super::sample::{self, CONTENT, plan, publish, publishes, state};
use crate::registries::front::Fault;
use crate::repository::{Ended, Repository, slow};

#[test]
fn oci() {
    if has_docker_registry() {
        contract(places::oci);
    }
}

#[test]
fn devpi() {
    if slow() {
        contract(places::devpi);
    }
}

#[test]
fn pypiserver() {
    if slow() {
        contract(places::pypiserver);
    }
}

#[test]
fn warehouse() {
    if slow() {
        contract(places::warehouse);
    }
}

#[test]
fn github() {
    contract(places::github);
}

#[test]
fn open_vsx() {
    contract(places::open_vsx);
}

#[test]
fn mcp() {
    contract(places::mcp);
}

#[test]
fn marketplace() {
    if slow() {
        let _alone = super::marketplace::alone();
        contract(places::marketplace);
    }
}

/// Holds a target to the contract.
fn contract(place: fn() -> Place) {
    let clean = converges(&place());
    refuses_other_bytes(&place());
    for fault in [
        Fault::Status(500, None),
        Fault::Status(429, Some("0".to_owned())),
        Fault::CutBefore,
        Fault::StatusAfter(502),
        Fault::CutAfter,
    ] {
        survives(&place(), &fault, clean);
    }
    is_killed_after_every_request(place);
}

fn repository(place: &Place) -> Repository {
    let mut repository = sample::repository(&place.configuration());
    (place.prepare)(&repository);
    sample::put(&repository, &(place.release)(CONTENT));
    for (name, value) in &place.environment {
        repository
            .environment
            .push(((*name).to_owned(), value.clone()));
    }
    repository
}

/// Everything is there, each once, and nothing has shown the token.
fn is_there(place: &Place, repository: &Repository, release: &Release, runs: &[&Ended]) {
    let expected = (place.expected)(release);
    assert_eq!((place.stored)(), expected, "{:#?}", place.front.log());
    assert!(!expected.is_empty());
    let Some(secret) = place.secret else {
        return;
    };
    for run in runs {
        assert!(!run.stdout.contains(secret), "{}", run.stdout);
        assert!(!run.stderr.contains(secret), "{}", run.stderr);
    }
    let ledger = String::from_utf8(repository.read("dist/ledger.jsonl")).unwrap();
    assert!(!ledger.contains(secret));
}

/// Gives the number of requests that sent something.
fn converges(place: &Place) -> usize {
    let repository = repository(place);
    assert_eq!(state(&plan(&repository, "it"), "it"), "absent");
    assert_eq!(place.sent(), 0, "a plan sends nothing");
    let first = publishes(&repository, "it");
    assert!(first.stdout.contains("✓ it "), "{}", first.stdout);
    is_there(place, &repository, &(place.release)(CONTENT), &[&first]);
    let clean = place.sent();
    assert!(clean > 0);
    assert!(
        plan(&repository, "it")["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["state"] == "same")
    );

    place.front.forget();
    let second = publishes(&repository, "it");
    assert!(second.stdout.contains("= publish"), "{}", second.stdout);
    assert_eq!(place.sent(), 0, "{:#?}", place.front.log());
    // Questions are short; no file is among them.
    assert!(place.front.received() < 512);
    let verbose = repository.succeeds(&["publish", "--to", "it", "--execute", "--verbose"]);
    is_there(
        place,
        &repository,
        &(place.release)(CONTENT),
        &[&second, &verbose],
    );
    clean
}

fn refuses_other_bytes(place: &Place) {
    let repository = repository(place);
    publishes(&repository, "it");
    sample::put(&repository, &(place.release)("print('other')\n"));
    place.front.forget();
    let ended = publish(&repository, "it");
    assert_eq!(ended.code, Some(4), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(place.sent(), 0, "{:#?}", place.front.log());
    assert_eq!(
        (place.stored)(),
        (place.expected)(&(place.release)(CONTENT))
    );
}

/// Every kind of sending goes wrong once, and so does the first look.
fn survives(place: &Place, fault: &Fault, clean: usize) {
    let repository = repository(place);
    for (method, part) in place.sends {
        place.front.fail(Some(method), part, fault.clone(), 1);
    }
    place.front.fail(Some("GET"), "", fault.clone(), 1);
    let ended = publish(&repository, "it");
    assert_eq!(
        ended.code,
        Some(0),
        "{fault:?}\n{}{}\n{:#?}",
        ended.stdout,
        ended.stderr,
        place.front.log()
    );
    is_there(place, &repository, &(place.release)(CONTENT), &[&ended]);
    // What was committed before the answer was lost is found by reading back, not by sending again.
    if matches!(fault, Fault::StatusAfter(_) | Fault::CutAfter) {
        assert_eq!(place.sent(), clean, "{fault:?}\n{:#?}", place.front.log());
    }
}

/// Killed after each request in turn; the next run finishes what is left.
fn is_killed_after_every_request(place: fn() -> Place) {
    let mut killed = 0;
    loop {
        let place = place();
        let repository = repository(&place);
        sample::put(&repository, &(place.smallest)());
        place.front.hold_at(killed);
        let mut child = repository.start(&["publish", "--to", "it", "--execute"]);
        if !place.holds(&mut child) {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            break;
        }
        kill(child);
        place.front.release();
        killed += 1;
        let again = publish(&repository, "it");
        assert_eq!(
            again.code,
            Some(0),
            "killed after request {killed}\n{}{}\n{:#?}",
            again.stdout,
            again.stderr,
            place.front.log()
        );
        is_there(&place, &repository, &(place.smallest)(), &[&again]);
    }
    assert!(killed > 3, "only {killed} requests were made at all");
}

/// SIGKILL, and the end of it.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
