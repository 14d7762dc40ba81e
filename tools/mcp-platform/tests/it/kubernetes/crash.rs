//! The real program, killed at every write of every operation, before it reaches the API server and
//! after it was done, and run again: it comes to what was wanted, nothing is there twice, nothing is
//! left.

mod room;

use std::sync::Arc;

use mcp_platform::lifecycle::status;
use mcp_platform::model::{Phase, State};
use mcp_platform::service::{Quiet, StopMode, Waiting};

use super::place::{Place, within_longer};

use room::{NAME, Room, STORAGE, at_every_write, deploy, notes, text};

#[test]
fn while_it_deploys() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        let whole = room.counted().await;
        let cut = at_every_write(async |write, side| {
            room.removed().await;
            let cut = room.killed(&deploy("2"), write, side).await;
            room.succeeds(&deploy("2")).await;
            let place = format!("deploy, {side:?} write {write}");
            let observed = room.is(State::Running, 2, &place).await;
            assert_eq!(room.counted().await, whole, "{place}");
            assert_eq!(observed.previous, None, "{place}");
            cut
        })
        .await;
        assert!(cut >= 7, "{cut}");
        room.removed().await;
    });
}

/// What was begun with one configuration goes on with another: nothing of the first is gone back
/// to, and nothing of it is left.
#[test]
fn while_it_deploys_and_something_else_is_wanted_then() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("1")).await;
        let whole = room.counted().await;
        at_every_write(async |write, side| {
            room.removed().await;
            let mut first = deploy("1").to_vec();
            first.extend(["--set", "greeting=never"]);
            let cut = room.killed(&first, write, side).await;
            let present = room.place.observe(NAME).await;
            let complete = present.is_some_and(|one| one.token.is_some());
            room.succeeds(&deploy("1")).await;
            let place = format!("deploy, {side:?} write {write}");
            let observed = room.is(State::Running, 1, &place).await;
            if !complete {
                assert_eq!(observed.previous, None, "{place}");
                assert_eq!(room.counted().await, whole, "{place}");
            }
            cut
        })
        .await;
        room.removed().await;
    });
}

#[test]
fn while_it_updates() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        room.succeeds(&["update", NAME, "--set", "greeting=first"])
            .await;
        let cut = at_every_write(async |write, side| {
            let before = room.observe().await;
            let setting = format!("greeting={side:?}-{write}");
            let words = ["update", NAME, "--set", &setting];
            let cut = room.killed(&words, write, side).await;
            room.succeeds(&words).await;
            let place = format!("update, {side:?} write {write}");
            let after = room.is(State::Running, 2, &place).await;
            assert_ne!(after.revision, before.revision, "{place}");
            if let Some(previous) = &after.previous {
                assert_eq!(Some(previous.revision()), before.revision, "{place}");
            }
            for revision in room.revisions().await {
                let known = [&after.revision, &before.revision];
                assert!(
                    known.contains(&&Some(revision.clone())),
                    "{place}: {revision}"
                );
            }
            cut
        })
        .await;
        assert!(cut >= 7, "{cut}");
        room.removed().await;
    });
}

/// What nobody waits for is never ready in time, and is gone back from.
#[test]
fn while_it_goes_back() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        let mut hurried = deploy("2").to_vec();
        hurried.extend(["--timeout", "0"]);
        at_every_write(async |write, side| {
            room.removed().await;
            let cut = room.killed(&hurried, write, side).await;
            room.succeeds_in_the_end(&deploy("2")).await;
            let place = format!("a deployment that goes back, {side:?} write {write}");
            room.is(State::Running, 2, &place).await;
            cut
        })
        .await;
        at_every_write(async |write, side| {
            let before = room.observe().await;
            let setting = format!("greeting={side:?}-{write}");
            let words = ["update", NAME, "--set", &setting];
            let hurried = [&words[..], &["--timeout", "0"]].concat();
            let cut = room.killed(&hurried, write, side).await;
            let place = format!("an update that goes back, {side:?} write {write}");
            room.succeeds(&words).await;
            let after = room.is(State::Running, 2, &place).await;
            assert_ne!(after.revision, before.revision, "{place}");
            for revision in room.revisions().await {
                let known = [&after.revision, &before.revision];
                assert!(known.contains(&&Some(revision)), "{place}");
            }
            cut
        })
        .await;
        room.removed().await;
    });
}

#[test]
fn while_it_scales() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        at_every_write(async |write, side| {
            let number = if room.observe().await.desired == 2 {
                3
            } else {
                2
            };
            let text = number.to_string();
            let words = ["scale", NAME, text.as_str()];
            let cut = room.killed(&words, write, side).await;
            room.succeeds(&words).await;
            let place = format!("scale, {side:?} write {write}");
            room.is(State::Running, number, &place).await;
            cut
        })
        .await;
        room.removed().await;
    });
}

async fn stops(place: Arc<Place>, words: &[&str]) {
    let room = Room::new(place).await;
    room.succeeds(&deploy("3")).await;
    at_every_write(async |write, side| {
        room.succeeds(&["start", NAME]).await;
        let cut = room.killed(words, write, side).await;
        room.succeeds(words).await;
        let place = format!("{words:?}, {side:?} write {write}");
        let observed = room.is(State::Stopped, 0, &place).await;
        assert_eq!(observed.remembered, Some(3), "{place}");
        cut
    })
    .await;
    room.removed().await;
}

#[test]
fn while_it_stops() {
    within_longer(|place| async move { stops(place, &["stop", NAME]).await });
}

#[test]
fn while_it_stops_by_force() {
    within_longer(|place| async move { stops(place, &["stop", NAME, "--force"]).await });
}

#[test]
fn while_it_starts() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("3")).await;
        at_every_write(async |write, side| {
            let identity = room.place.identity(NAME);
            let service = &room.place.service;
            service
                .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
                .await
                .unwrap();
            let cut = room.killed(&["start", NAME], write, side).await;
            room.succeeds(&["start", NAME]).await;
            let place = format!("start, {side:?} write {write}");
            room.is(State::Running, 3, &place).await;
            cut
        })
        .await;
        room.removed().await;
    });
}

#[test]
fn while_it_restarts() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("2")).await;
        at_every_write(async |write, side| {
            let before = room.observe().await;
            let cut = room.killed(&["restart", NAME], write, side).await;
            room.succeeds(&["restart", NAME]).await;
            let place = format!("restart, {side:?} write {write}");
            let after = room.is(State::Running, 2, &place).await;
            for instance in &before.instances {
                let here = after.instances.iter();
                let mut here = here.filter(|one| one.phase != Phase::Ending);
                assert!(here.all(|one| one.name != instance.name), "{place}");
            }
            cut
        })
        .await;
        room.removed().await;
    });
}

/// A database ends with its server and comes back with it, wherever that is cut off.
#[test]
fn while_it_stops_and_starts_with_a_companion() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        let templates = notes(&room, "");
        let mut deploy = deploy("2").to_vec();
        deploy[1] = "notes";
        deploy.extend(["--templates", &templates]);
        room.succeeds(&deploy).await;
        for force in [&[][..], &["--force"][..]] {
            let stop = [&["stop", NAME, "--templates", &templates][..], force].concat();
            let start = ["start", NAME, "--templates", &templates];
            at_every_write(async |write, side| {
                let place = format!("{stop:?}, {side:?} write {write}");
                let mut cut = room.killed(&stop, write, side).await;
                room.succeeds(&stop).await;
                room.is(State::Stopped, 0, &place).await;
                cut |= room.killed(&start, write, side).await;
                room.succeeds(&start).await;
                let observed = room.observe().await;
                assert_eq!(status(&observed).state, State::Running, "{place}");
                room.place
                    .until_pods(|pods| {
                        let here = pods
                            .iter()
                            .filter(|pod| pod.metadata.deletion_timestamp.is_none());
                        here.count() == 3
                    })
                    .await;
                cut
            })
            .await;
        }
        room.removed().await;
        assert!(room.place.pods().await.is_empty());
    });
}

#[test]
fn while_it_deletes() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        let cut = at_every_write(async |write, side| {
            room.succeeds(&deploy("1")).await;
            let cut = room.killed(&["delete", NAME], write, side).await;
            let done = room.run(&["delete", NAME]).await;
            let gone = text(&done).contains("there is no server");
            assert!(done.status.success() || gone, "{}", text(&done));
            assert_eq!(room.place.objects(NAME).await, Vec::<String>::new());
            assert!(room.place.pods().await.is_empty());
            cut
        })
        .await;
        assert!(cut >= 7, "{cut}");
    });
}

/// The same with storage, secrets and a database.
#[test]
fn while_it_deletes_what_has_storage() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        let templates = notes(&room, STORAGE);
        let mut deploy = deploy("2").to_vec();
        deploy[1] = "notes";
        deploy.extend(["--templates", &templates]);
        at_every_write(async |write, side| {
            room.succeeds(&deploy).await;
            let cut = room.killed(&["delete", NAME], write, side).await;
            let done = room.run(&["delete", NAME]).await;
            let gone = text(&done).contains("there is no server");
            assert!(done.status.success() || gone, "{}", text(&done));
            let objects = room.place.objects(NAME).await;
            assert_eq!(objects, Vec::<String>::new(), "{side:?} write {write}");
            cut
        })
        .await;
    });
}

/// Who changes their mind half-way through a deletion has a whole server again.
#[test]
fn while_it_deletes_and_is_wanted_again() {
    within_longer(|place| async move {
        let room = Room::new(place).await;
        room.succeeds(&deploy("1")).await;
        let whole = room.counted().await;
        at_every_write(async |write, side| {
            let cut = room.killed(&["delete", NAME], write, side).await;
            let place = format!("delete, {side:?} write {write}");
            room.succeeds_in_the_end(&deploy("1")).await;
            room.is(State::Running, 1, &place).await;
            assert_eq!(room.counted().await, whole, "{place}");
            cut
        })
        .await;
        room.removed().await;
    });
}
