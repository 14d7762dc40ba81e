//! Drafts: ours, those that were left half done, and those of other people.

use super::{Case, TAG, asset, commit, whole};
use crate::publish::sample;
use crate::registries::front::Fault;
use crate::registries::github::Release;

/// A draft that a run of ours has left.
fn left(case: &Case) -> Release {
    case.front
        .fail(Some("POST"), "/uploads/", Fault::Status(500, None), 4);
    case.ends(1, "answers 500");
    case.front.heal();
    case.front.forget();
    let releases = case.front.service().releases.clone();
    let [draft] = releases.as_slice() else {
        panic!("{releases:#?}");
    };
    assert!(draft.draft);
    draft.clone()
}

#[test]
fn a_draft_of_ours_is_gone_on_with() {
    let case = Case::new();
    left(&case);
    case.publishes();
    let made = case.front.log();
    let made = made
        .iter()
        .filter(|line| line.ends_with("owner/demo/releases"));
    assert_eq!(made.count(), 0);
    case.is_whole();
}

#[test]
fn other_bytes_in_a_draft_of_ours_are_replaced() {
    let case = Case::new();
    let draft = left(&case);
    let mut service = case.front.service();
    service.releases[0].assets = vec![
        asset(90, "manifest.json", b"of an older build"),
        asset(91, "requirements.txt", b"# nothing\n"),
    ];
    drop(service);
    // The marker of another commit is ours as well, and so is the draft.
    let body = draft.body.unwrap();
    let (before, _) = body.split_once("shipyard: ").unwrap();
    let older = format!("{before}shipyard: {} -->\n", "0".repeat(64));
    case.front.service().releases[0].body = Some(older);
    assert_eq!(case.state("hub"), "partial");
    case.publishes();
    case.is_whole();
    let service = case.front.service();
    assert_eq!(service.deleted, ["draft's asset v1.0.0/manifest.json"]);
    let release = service.release(TAG).unwrap();
    assert_eq!((release.id, release.target.clone()), (draft.id, commit()));
    assert_eq!(release.body.as_deref(), Some(body.as_str()));
}

#[test]
fn notes_that_were_mended_by_hand_stay() {
    let case = Case::new();
    let draft = left(&case);
    let mended = format!("Nicer words.\n\n{}", draft.body.unwrap());
    case.front.service().releases[0].body = Some(mended.clone());
    case.publishes();
    let service = case.front.service();
    let release = service.release(TAG).unwrap();
    assert_eq!(release.body.as_deref(), Some(mended.as_str()));
}

#[test]
fn a_draft_of_somebody_else_is_not_touched() {
    let case = Case::new();
    let mut foreign = whole(900, true);
    foreign.body = Some("Drafted by a bot".to_owned());
    case.put(foreign);
    case.ends(4, "somebody else's draft of this tag: http://");
    assert_eq!(case.changes(), 0);
    assert_eq!(case.front.service().deleted, Vec::<String>::new());
    // Of another tag it is nobody's concern.
    case.front.service().releases[0].tag = "v1.1.0".to_owned();
    case.publishes();
    let service = case.front.service();
    assert!(!service.release(TAG).unwrap().draft);
    assert!(service.release("v1.1.0").unwrap().draft);
}

#[test]
fn a_file_that_somebody_put_into_our_draft_is_not_published_with_it() {
    let case = Case::new();
    left(&case);
    let strange = asset(90, "by-hand.txt", b"?");
    case.front.service().releases[0].assets.push(strange);
    case.ends(4, "a draft that also holds by-hand.txt: http://");
    assert_eq!(case.changes(), 0);
    assert_eq!(case.front.service().deleted, Vec::<String>::new());
}

#[test]
fn empty_drafts_of_ours_beside_the_right_one_go() {
    let case = Case::new();
    let draft = left(&case);
    // What is left when a listing shows a draft too late: an older one, with nothing in it.
    let mut older = draft.clone();
    older.id = 0;
    case.front.service().releases[0].assets = vec![asset(91, "requirements.txt", b"# nothing\n")];
    case.put(older);
    case.publishes();
    case.is_whole();
    let service = case.front.service();
    assert_eq!(service.deleted, ["draft v1.0.0"]);
    assert_eq!(service.releases[0].id, draft.id);
}

#[test]
fn another_draft_of_ours_with_files_is_told_and_left() {
    let case = Case::new();
    let draft = left(&case);
    let mut other = whole(900, true);
    other.body = draft.body;
    other.assets.truncate(1);
    other.assets[0].bytes = b"older".to_vec();
    case.put(other);
    case.ends(0, "another draft of v1.0.0 holds files; remove it by hand");
    let service = case.front.service();
    assert_eq!(service.deleted, Vec::<String>::new());
    let drafts = service.releases.iter().filter(|release| release.draft);
    assert_eq!(drafts.count(), 1);
}

#[test]
fn a_draft_that_lost_a_file_at_the_last_moment_is_not_published() {
    let case = Case::new();
    let mut draft = whole(900, true);
    draft.body = left(&case).body;
    case.front.service().releases.clear();
    case.put(draft);
    // Everything is there when the plan is made; then the release comes back from the listing
    // without one file.
    case.front.hold_at(2);
    let mut running = case
        .repository
        .start(&["publish", "--to", "all", "--execute"]);
    assert!(
        case.front
            .held_unless(|| running.try_wait().unwrap().is_some())
    );
    case.front.service().releases[0].assets.pop();
    case.front.release();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the draft is without"), "{said}");
    assert_eq!(case.changes(), 0);
    case.publishes();
    case.is_whole();
}

#[test]
fn a_file_whose_name_github_would_change_is_refused() {
    let case = Case::new();
    let mut release = sample::release(super::CONTENT);
    let bytes = b"odd".to_vec();
    let odd = xtask::artifact::seal(
        xtask::artifact::Kind::Licenses,
        ("demo-server", "1.0.0"),
        "odd name.txt",
        &bytes,
        std::collections::BTreeMap::new(),
    );
    release.put(odd, bytes);
    sample::put(&case.repository, &sample::finish(release));
    case.ends(
        2,
        "dist/odd name.txt: GitHub would give this file another name",
    );
    assert_eq!(case.front.requests(), 0);
}
