//! What publishing a release means, decided from what the targets answered. Pure.
//!
//! The plan that is printed is the plan that is performed. Steps of one rank run side by side,
//! ranks one after the other; a step that fails blocks those that need it and nothing else.

pub mod converge;
mod order;
mod selection;
pub mod text;

pub use selection::{Part, Selection};

use order::{Around, MOVING, Order, order, staging};
use serde::Serialize;

use crate::artifact::Digest;
use crate::config::publish::{Place, Profile, Publish, Target};
use crate::registry::{Item, Level, Phase, Presence};

/// The format of the plan as JSON (`docs/plan.schema.json`).
pub const PLAN_SCHEMA: u32 = 1;

/// What was seen of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// What it answered for each item.
    Items(Vec<(Item, Presence)>),
    /// It is a test, not a place.
    Test,
    /// It did not answer: why, and what to do about it.
    Unknown {
        /// Why.
        why: String,
        /// What to do next.
        hints: Vec<String>,
    },
}

/// The release that is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit it was made from.
    pub commit: String,
    /// The digest of its wheel.
    pub wheel: Digest,
}

/// Everything that is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// [`PLAN_SCHEMA`].
    pub schema: u32,
    /// What is published.
    pub release: Subject,
    /// The profile it is published to.
    pub profile: String,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What `release.toml` leaves out, and why.
    pub skipped: Vec<Skipped>,
}

/// A target that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its name.
    pub target: String,
    /// The reason in `release.toml`.
    pub reason: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name: that of the target, with `:last` for what comes last.
    pub name: String,
    /// The target.
    pub target: String,
    /// The kind of the target.
    pub kind: &'static str,
    /// Which part of the target.
    pub phase: Phase,
    /// Whether this run performs it.
    pub part: Part,
    /// Steps of one rank run side by side, after those of lower ranks.
    pub rank: u8,
    /// What the target has, taken together.
    pub state: State,
    /// How many items are to be sent.
    pub uploads: usize,
    /// Each item, and what the target has of it.
    pub items: Vec<Planned>,
    /// The steps without which this one is not done.
    pub after: Vec<String>,
    /// Why it is where it is in the order, and what it waits for.
    pub because: String,
    /// What to do about a target that did not answer.
    pub hints: Vec<String>,
}

/// An item with what the target has of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The item.
    #[serde(flatten)]
    pub item: Item,
    /// What is there of it.
    #[serde(flatten)]
    pub presence: Presence,
}

/// What a target has, taken together: the most pressing of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Everything is there.
    Same,
    /// Nothing is there.
    Absent,
    /// Some of it is there.
    Partial,
    /// Everything was taken, and some of it cannot be seen yet.
    Pending,
    /// Something else is there under its name.
    Conflict,
    /// The target did not answer.
    Unknown,
    /// A test that is done because something after it is sent.
    Test,
    /// A test that is not needed: nothing after it is sent.
    NotNeeded,
}

impl Plan {
    /// The step of a name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Whether nothing is left to do.
    pub fn is_converged(&self) -> bool {
        let done = |step: &Step| matches!(step.state, State::Same | State::NotNeeded);
        self.steps.iter().all(done)
    }
}

/// Decides what is to be done about a profile. `seen` holds one entry for each target of the
/// profile that is not left out, in its order.
pub fn plan(
    publish: &Publish,
    profile: &Profile,
    selection: Selection<'_>,
    release: Subject,
    seen: Vec<(&Target, Seen)>,
) -> Plan {
    let places: Vec<(String, Place)> = seen
        .iter()
        .map(|(target, _)| (target.name.clone(), target.place.clone()))
        .collect();
    let staging = staging(publish, profile);
    let around = Around {
        places: &places,
        staging: &staging,
    };
    let phases: &[Phase] = match selection {
        Selection::All => &[Phase::Main, Phase::Last],
        Selection::Only(_) => &[Phase::Main],
    };
    let mut steps = Vec::new();
    for (target, seen) in seen {
        match seen {
            Seen::Test => steps.push(step(target, Phase::Main, Vec::new(), State::Test, &around)),
            Seen::Unknown { why, hints } => {
                let mut step = step(target, Phase::Main, Vec::new(), State::Unknown, &around);
                step.because = why;
                step.hints = hints;
                steps.push(step);
            }
            Seen::Items(items) => {
                for phase in phases.iter().copied() {
                    let items: Vec<Planned> = items
                        .iter()
                        .filter(|(item, _)| item.phase == phase)
                        .map(|(item, presence)| Planned {
                            item: item.clone(),
                            presence: presence.clone(),
                        })
                        .collect();
                    if !items.is_empty() {
                        let state = together(&items);
                        steps.push(step(target, phase, items, state, &around));
                    }
                }
            }
        }
    }
    for step in steps.iter_mut().filter(|step| !selection.has(&step.target)) {
        step.part = Part::Needed;
        step.uploads = 0;
    }
    // Sorting is stable: within a rank the order of the profile stays.
    steps.sort_by_key(|step| step.rank);
    let main: Vec<String> = steps
        .iter()
        .filter(|step| step.phase == Phase::Main)
        .map(|step| step.name.clone())
        .collect();
    let moving: Vec<String> = steps
        .iter()
        .filter(|step| step.rank == MOVING)
        .map(|step| step.name.clone())
        .collect();
    for step in &mut steps {
        if step.phase == Phase::Last {
            step.after.clone_from(&main);
        }
        // The end of the draft is the very last act.
        if step.rank > MOVING {
            step.after.extend(moving.iter().cloned());
        }
    }
    settle_needed(&mut steps);
    settle_tests(&mut steps);
    let skipped = profile.skips.iter().map(|skip| Skipped {
        target: skip.target.clone(),
        reason: skip.reason.clone(),
    });
    Plan {
        schema: PLAN_SCHEMA,
        release,
        profile: profile.name.clone(),
        steps,
        skipped: skipped.collect(),
    }
}

/// Nobody can look up whether a test was done. One that is left to another run counts as done
/// once its index has the release: the order of the runs is that of whoever starts them.
fn settle_needed(steps: &mut [Step]) {
    let has: Vec<String> = steps
        .iter()
        .filter(|step| step.state == State::Same)
        .map(|step| step.name.clone())
        .collect();
    let left = |step: &&mut Step| step.part == Part::Needed && step.state == State::Test;
    for step in steps.iter_mut().filter(left) {
        if step.after.iter().all(|name| has.contains(name)) {
            step.state = State::NotNeeded;
            step.because = "left to another run; its index has the release".to_owned();
        }
    }
}

/// A test is needed only while something that waits for it is to be sent.
fn settle_tests(steps: &mut [Step]) {
    let tests: Vec<String> = steps
        .iter()
        .filter(|step| step.state == State::Test && step.part == Part::Own)
        .map(|step| step.name.clone())
        .collect();
    for test in tests {
        let waits = |step: &Step| {
            let sent = step.uploads > 0 && step.state != State::Conflict;
            step.after.contains(&test) && (sent || step.state == State::Unknown)
        };
        let main = |step: &Step| step.phase == Phase::Main;
        let dependents = steps.iter().filter(|step| step.after.contains(&test));
        // Without anything after it, it is what the profile is for.
        let alone = dependents.clone().filter(|step| main(step)).count() == 0;
        let staged = |step: &Step| {
            let from = steps.iter().find(|one| one.name == test);
            from.is_some_and(|test| test.after.contains(&step.name)) && step.state != State::Same
        };
        let needed = steps.iter().any(|step| waits(step) && main(step))
            || (alone && steps.iter().any(staged));
        if let Some(step) = steps.iter_mut().find(|step| step.name == test)
            && !needed
        {
            step.state = State::NotNeeded;
            step.because = match alone {
                true => "its index has had the release before".to_owned(),
                false => "nothing that waits for it is to be sent".to_owned(),
            };
        }
    }
}

fn step(
    target: &Target,
    phase: Phase,
    items: Vec<Planned>,
    state: State,
    around: &Around<'_>,
) -> Step {
    let Order {
        rank,
        after,
        because,
    } = order(target, phase, around);
    let uploads = items
        .iter()
        .filter(|planned| is_sent(&planned.presence))
        .count();
    Step {
        name: match phase {
            Phase::Main => target.name.clone(),
            Phase::Last => format!("{}:last", target.name),
        },
        target: target.name.clone(),
        kind: target.place.word(),
        phase,
        part: Part::Own,
        rank,
        state,
        uploads,
        items,
        after,
        because: because.to_owned(),
        hints: Vec::new(),
    }
}

/// Whether an item in this state is sent.
pub fn is_sent(presence: &Presence) -> bool {
    match presence {
        Presence::Absent | Presence::Outdated { .. } => true,
        Presence::Pending { .. } | Presence::Same { .. } | Presence::Differs { .. } => false,
    }
}

fn together(items: &[Planned]) -> State {
    let any = |wanted: fn(&Presence) -> bool| items.iter().any(|one| wanted(&one.presence));
    let all = |wanted: fn(&Presence) -> bool| items.iter().all(|one| wanted(&one.presence));
    if any(|one| matches!(one, Presence::Differs { .. })) {
        State::Conflict
    } else if all(|one| matches!(one, Presence::Same { .. })) {
        State::Same
    } else if all(|one| matches!(one, Presence::Absent)) {
        State::Absent
    } else if any(is_sent) {
        State::Partial
    } else {
        State::Pending
    }
}

/// The level at which a step's items were found the same, when they agree.
pub fn level(step: &Step) -> Option<Level> {
    let mut levels = step.items.iter().map(|planned| match planned.presence {
        Presence::Same { level } => Some(level),
        _ => None,
    });
    let first = levels.next()??;
    levels.all(|level| level == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests;
