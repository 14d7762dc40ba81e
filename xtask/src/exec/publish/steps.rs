//! Performing the steps of a plan: ranks in order, steps of one rank side by side.

use std::collections::BTreeMap;

use serde::Serialize;

use super::converge::{self, Came};
use super::{Session, joined};
use crate::error::{Error, Kind, Result};
use crate::github::summary;
use crate::publish::{Part, Plan, State, Step};
use crate::registry::{Level, Presence};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was there.
    Same,
    /// So many items were sent and read back.
    Verified {
        /// How many were sent.
        sent: usize,
        /// By what they were compared, when it was not all bytes.
        level: Level,
    },
    /// The test held, and what held.
    Tested(String),
    /// Nothing needed it.
    NotNeeded(String),
    /// A step it needs did not end well: its name.
    Blocked(String),
    /// It did not end well.
    Failed(Error),
}

/// How everything ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Each step by its name, in the order of the plan.
    pub outcomes: Vec<(String, Outcome)>,
}

impl Outcome {
    /// Whether the steps after it may be done.
    pub fn is_good(&self) -> bool {
        match self {
            Outcome::Same
            | Outcome::Verified { .. }
            | Outcome::Tested(_)
            | Outcome::NotNeeded(_) => true,
            Outcome::Blocked(_) | Outcome::Failed(_) => false,
        }
    }

    /// The word for it in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Same => "same",
            Outcome::Verified { .. } => "verified",
            Outcome::Tested(_) => "tested",
            Outcome::NotNeeded(_) => "not-needed",
            Outcome::Blocked(_) => "blocked",
            Outcome::Failed(error) => error.kind.word(),
        }
    }

    /// What people read.
    pub fn detail(&self) -> String {
        match self {
            Outcome::Same => "same".to_owned(),
            Outcome::Verified {
                sent,
                level: Level::Payload,
            } => format!("sent {sent}, read back: other container, the same contents"),
            Outcome::Verified { sent, .. } => format!("sent {sent}, read back: the same bytes"),
            Outcome::Tested(what) => what.clone(),
            Outcome::NotNeeded(why) => format!("not needed: {why}"),
            Outcome::Blocked(by) => format!("blocked: {by} did not end well"),
            Outcome::Failed(error) => error.message.clone(),
        }
    }
}

#[derive(Serialize)]
struct Row<'summary> {
    step: &'summary str,
    outcome: &'static str,
    detail: String,
}

impl Summary {
    /// As JSON: a list of step, outcome and detail.
    pub fn json(&self) -> serde_json::Value {
        let rows: Vec<Row<'_>> = self
            .outcomes
            .iter()
            .map(|(step, outcome)| Row {
                step,
                outcome: outcome.word(),
                detail: outcome.detail(),
            })
            .collect();
        serde_json::to_value(rows).expect("plain fields always serialise")
    }

    /// As the rows of a summary.
    pub fn rows(&self) -> Vec<summary::Row> {
        let row = |(step, outcome): &(String, Outcome)| summary::Row {
            name: step.clone(),
            mark: match outcome {
                Outcome::Same | Outcome::NotNeeded(_) => "=",
                Outcome::Verified { .. } | Outcome::Tested(_) => "✓",
                Outcome::Blocked(_) | Outcome::Failed(_) => "✗",
            },
            detail: outcome.detail(),
        };
        self.outcomes.iter().map(row).collect()
    }

    /// The most pressing of what went wrong decides the exit code: an interrupt, a conflict, a
    /// missing precondition, a failure, something pending.
    ///
    /// # Errors
    /// Everything that did not end well, in one error.
    pub fn require_good(&self) -> Result<()> {
        let mut errors: Vec<Error> = Vec::new();
        for (name, outcome) in &self.outcomes {
            if let Outcome::Failed(error) = outcome {
                let mut error = error.clone();
                if !error.message.starts_with(name.as_str()) {
                    error.message = format!("{name}: {}", error.message);
                }
                errors.push(error);
            }
        }
        if errors.iter().any(|error| error.kind == Kind::Interrupted) {
            let what = "interrupted; what was sent stays sent";
            return Err(Error::new(Kind::Interrupted, what)
                .hint("run again: it goes on from there, and nothing is sent twice"));
        }
        most_pressing(errors).map_or(Ok(()), Err)
    }
}

/// All errors as one; the most pressing of them decides the exit code.
fn most_pressing(mut errors: Vec<Error>) -> Option<Error> {
    let pressing = |error: &Error| match error.kind {
        Kind::Interrupted => 0,
        Kind::Conflict => 1,
        Kind::Refused => 2,
        Kind::Precondition => 3,
        Kind::Usage => 4,
        Kind::Failure | Kind::Database => 5,
        Kind::Pending => 6,
    };
    errors.sort_by_key(pressing);
    Error::together(errors)
}

pub(super) fn conflict(step: &Step) -> Error {
    let differing = step
        .items
        .iter()
        .find_map(|planned| match &planned.presence {
            Presence::Differs { remote } => Some(converge::conflict(&planned.item, remote)),
            _ => None,
        });
    differing.unwrap_or_else(|| Error::conflict(format!("{} holds other bytes", step.target)))
}

impl Session<'_> {
    /// Does what the plan says. What goes wrong is in the summary, an interrupt too.
    pub fn perform(&self, plan: &Plan) -> Summary {
        let mut done: BTreeMap<String, Outcome> = BTreeMap::new();
        let mut ranks: Vec<u8> = plan.steps.iter().map(|step| step.rank).collect();
        ranks.dedup();
        for rank in ranks {
            let steps: Vec<&Step> = plan.steps.iter().filter(|it| it.rank == rank).collect();
            let ended: Vec<(String, Outcome)> = std::thread::scope(|scope| {
                let done = &done;
                let running: Vec<_> = steps
                    .iter()
                    .map(|step| (step.name.clone(), scope.spawn(|| self.step(step, done))))
                    .collect();
                let end = |(name, thread)| (name, joined(thread));
                running.into_iter().map(end).collect()
            });
            for (name, outcome) in ended {
                self.say(&name, &outcome);
                done.insert(name, outcome);
            }
            if self.world.check_interrupted().is_err() {
                break;
            }
        }
        let outcome = |step: &Step| {
            let done = done.remove(&step.name);
            let outcome = done.unwrap_or_else(|| Outcome::Failed(Error::interrupted()));
            (step.name.clone(), outcome)
        };
        Summary {
            outcomes: plan.steps.iter().map(outcome).collect(),
        }
    }

    fn say(&self, name: &str, outcome: &Outcome) {
        let terminal = &self.world.terminal;
        match outcome {
            Outcome::Same | Outcome::NotNeeded(_) => terminal.same(name, &outcome.detail()),
            Outcome::Verified { .. } | Outcome::Tested(_) => terminal.done(name, &outcome.detail()),
            Outcome::Blocked(_) | Outcome::Failed(_) => terminal.failed(name, &outcome.detail()),
        }
    }

    fn step(&self, step: &Step, done: &BTreeMap<String, Outcome>) -> Outcome {
        let good = |name: &&String| done.get(*name).is_none_or(Outcome::is_good);
        if let Some(by) = step.after.iter().find(|name| !good(name)) {
            return Outcome::Blocked(by.clone());
        }
        if step.part == Part::Needed && !matches!(step.state, State::Same | State::NotNeeded) {
            return Outcome::Failed(self.left_out(step));
        }
        match step.state {
            State::Same => Outcome::Same,
            State::NotNeeded => Outcome::NotNeeded(step.because.clone()),
            State::Unknown => Outcome::Failed(super::unasked(step)),
            State::Test => self
                .test(step)
                .map_or_else(Outcome::Failed, Outcome::Tested),
            // Not even what is missing there is sent: it would stand beside foreign bytes.
            State::Conflict => Outcome::Failed(conflict(step)),
            State::Absent | State::Partial | State::Pending => {
                self.bring(step).unwrap_or_else(Outcome::Failed)
            }
        }
    }

    /// What a selected target needs, and does not have yet.
    fn left_out(&self, step: &Step) -> Error {
        let name = &step.name;
        let what = match step.state {
            State::Unknown => return super::unasked(step),
            State::Conflict => return conflict(step),
            State::Test => {
                format!("{name}: its index has not got the release, so nothing was tried")
            }
            _ => format!("{name}: has not got the release, and --only leaves it out"),
        };
        let profile = &self.profile.name;
        Error::precondition(what).hint(format!(
            "first: cargo xtask publish --to {profile} --only {name} --execute"
        ))
    }

    /// Brings every item of a step to its place, in order.
    fn bring(&self, step: &Step) -> Result<Outcome> {
        let Some((_, Some(place))) = self.place(&step.target) else {
            return Err(Error::failure(format!("{} is not open", step.target)));
        };
        let (mut sent, mut lowest, mut errors) = (0, Level::Bytes, Vec::new());
        let all = step.items.len();
        let shown = self.world.terminal.step(&step.name, &format!("0 of {all}"));
        for (index, planned) in step.items.iter().enumerate() {
            let key = &planned.item.key;
            shown.now(&format!("{} of {all}: {key}", index + 1));
            match self.converge(&step.target, place, &planned.item) {
                Ok(Came::Found) => {}
                Ok(Came::Sent(level)) => {
                    sent += 1;
                    if level != Level::Bytes {
                        lowest = level;
                    }
                }
                Err(error) if place.is_matrix() && error.kind != Kind::Interrupted => {
                    errors.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        drop(shown);
        if let Some(error) = most_pressing(errors) {
            return Err(error);
        }
        Ok(match sent {
            0 => Outcome::Same,
            sent => Outcome::Verified {
                sent,
                level: lowest,
            },
        })
    }
}
