//! The steps, taken in a small world of containers until nothing is left to do; and the same with
//! whoever takes them ended after each single step.

use super::{Life, Present, Rollout, Step, Wanted, converge};

fn wanted(revision: &str, replicas: u32, rollout: Rollout) -> Wanted {
    Wanted {
        revision: revision.to_owned(),
        epoch: 0,
        replicas,
        rollout,
    }
}

fn up(revision: &str, slot: u32) -> Present {
    Present {
        name: format!("{revision}-{slot}"),
        revision: revision.to_owned(),
        epoch: 0,
        slot,
        life: Life::Up,
        ready: true,
    }
}

/// What a step does to the world; a container is ready at the next look after it was made.
fn take(world: &mut Vec<Present>, wanted: &Wanted, step: &Step) {
    match step {
        Step::Create { slot } => {
            assert!(
                !world.iter().any(|one| one.slot == *slot),
                "the port of slot {slot} is taken"
            );
            world.push(Present {
                epoch: wanted.epoch,
                ready: false,
                ..up(&wanted.revision, *slot)
            });
        }
        Step::Start { name } => {
            for one in world.iter_mut().filter(|one| one.name == *name) {
                one.life = Life::Up;
            }
        }
        Step::Retire { name } | Step::Discard { name } => world.retain(|one| one.name != *name),
        Step::Wait => {
            for one in world.iter_mut() {
                one.ready = one.life == Life::Up;
            }
        }
    }
}

/// Goes on until nothing is left to do, one step at a time; gives the least number that was ready.
fn settle(world: &mut Vec<Present>, wanted: &Wanted) -> usize {
    let mut least = world.iter().filter(|one| one.ready).count();
    for _ in 0..100 {
        let steps = converge(wanted, world);
        let Some(step) = steps.first() else {
            return least;
        };
        take(world, wanted, step);
        least = least.min(world.iter().filter(|one| one.ready).count());
    }
    panic!("no end: {world:?}");
}

fn check(mut world: Vec<Present>, wanted: &Wanted, least: usize) {
    let was = settle(&mut world, wanted);
    assert!(was >= least, "only {was} were ready");
    let mut slots: Vec<u32> = world.iter().map(|one| one.slot).collect();
    slots.sort_unstable();
    assert_eq!(slots, (0..wanted.replicas).collect::<Vec<_>>());
    assert!(
        world
            .iter()
            .all(|one| one.revision == wanted.revision && one.epoch == wanted.epoch)
    );
}

#[test]
fn everything_comes_to_what_is_wanted() {
    use Rollout::{InPlace, Recreate, Surge};
    check(vec![], &wanted("a", 3, Surge), 0);
    check(vec![up("a", 0)], &wanted("a", 3, Surge), 1);
    check(
        vec![up("a", 0), up("a", 1), up("a", 2)],
        &wanted("a", 1, Surge),
        1,
    );
    check(vec![up("a", 0), up("a", 1)], &wanted("a", 0, Surge), 0);
    // One of the old ones serves, or one of the new ones does.
    check(vec![up("a", 0)], &wanted("b", 1, Surge), 1);
    check(
        vec![up("a", 0), up("a", 1), up("a", 2)],
        &wanted("b", 3, Surge),
        3,
    );
    check(vec![up("a", 0), up("a", 1)], &wanted("b", 4, Surge), 2);
    check(
        vec![up("a", 0), up("a", 1), up("a", 2)],
        &wanted("b", 1, Surge),
        1,
    );
    check(vec![up("a", 0), up("a", 1)], &wanted("b", 2, InPlace), 1);
    check(vec![up("a", 0)], &wanted("b", 1, Recreate), 0);
    // Back again after a failed update: its one container goes, the others are not touched.
    check(
        vec![up("a", 0), up("a", 1), up("b", 2)],
        &wanted("a", 2, Surge),
        2,
    );
    // Two failed updates in a row.
    check(vec![up("a", 0), up("b", 1)], &wanted("c", 1, Surge), 1);
}

#[test]
fn a_restart_replaces_every_instance_of_the_same_revision() {
    let wanted = Wanted {
        epoch: 7,
        ..wanted("a", 2, Rollout::Surge)
    };
    check(vec![up("a", 0), up("a", 1)], &wanted, 2);
}

#[test]
fn what_was_left_half_made_goes_and_what_is_down_starts() {
    let half = Present {
        life: Life::HalfMade,
        ..up("a", 0)
    };
    let steps = converge(&wanted("a", 1, Rollout::Surge), std::slice::from_ref(&half));
    assert_eq!(steps, [Step::Discard { name: half.name }]);
    let down = Present {
        life: Life::Down,
        ..up("a", 0)
    };
    let steps = converge(&wanted("a", 1, Rollout::Surge), std::slice::from_ref(&down));
    assert_eq!(steps, [Step::Start { name: down.name }]);
}

#[test]
fn an_old_instance_stays_until_a_new_one_is_ready() {
    let proving = Present {
        ready: false,
        ..up("b", 1)
    };
    let steps = converge(&wanted("b", 1, Rollout::Surge), &[up("a", 0), proving]);
    assert_eq!(steps, [Step::Wait]);
}

#[test]
fn a_singleton_is_never_two() {
    let steps = converge(&wanted("b", 1, Rollout::Recreate), &[up("a", 0)]);
    assert_eq!(
        steps,
        [Step::Retire {
            name: "a-0".to_owned()
        }]
    );
}

#[test]
fn what_is_as_wanted_needs_nothing() {
    let steps = converge(&wanted("a", 2, Rollout::Surge), &[up("a", 0), up("a", 1)]);
    assert_eq!(steps, []);
}

#[test]
fn an_interrupted_rollout_gives_its_slot_to_the_next() {
    // Two slots of the first revision, and the second one's first instance beyond them.
    let mut world = vec![up("a", 0), up("a", 1), up("b", 2)];
    let wanted = wanted("c", 2, Rollout::Surge);
    settle(&mut world, &wanted);
    assert!(world.iter().all(|one| one.revision == "c" && one.slot < 2));
    assert_eq!(world.len(), 2);
    let mut beyond = vec![up("a", 0), up("a", 1), up("b", 2)];
    let steps = converge(&wanted, &beyond);
    assert!(matches!(steps.as_slice(), [Step::Retire { name }] if name == "b-2"));
    beyond.pop();
    assert!(matches!(
        converge(&wanted, &beyond).as_slice(),
        [Step::Create { slot: 2 }]
    ));
}
