//! The one way in which every operation reaches its goal: look, decide, act, wait; and back when a
//! deployment failed.

use crate::backend::FailedCreation;
use crate::error::{Error, Kind, Result};
use crate::lifecycle::decide;
use crate::model::{Action, Goal, Identity, Observed, Remember};

use super::wait::wait;
use super::{Outcome, Progress, Report, Service, Waiting};

/// How often a lost race is run again before the caller hears of it.
const ATTEMPTS: usize = 8;

impl Service {
    pub(super) async fn reach(
        &self,
        identity: &Identity,
        waiting: Waiting,
        progress: &dyn Progress,
        goal: impl Fn(Option<&Observed>) -> Result<Goal> + Send + Sync,
    ) -> Result<Outcome> {
        let mut done = Vec::new();
        let mut attempt = 1;
        let mut before = None;
        let goal = loop {
            let observed = self.backend.observe(identity).await?;
            if done.is_empty() {
                before = observed.as_ref().map(Numbers::of);
            }
            let goal = goal(observed.as_ref())?;
            let actions = decide(&goal, observed.as_ref(), self.limits)
                .map_err(|error| named(error, identity))?;
            let actions = match waiting {
                Waiting::Wait => actions,
                Waiting::Return => without_drain(actions),
            };
            match self.perform(identity, &actions, &mut done, progress).await {
                Ok(()) => break goal,
                Err(error) if may_try_again(&error, &done) && attempt < ATTEMPTS => attempt += 1,
                Err(error) => {
                    let begun = Begun {
                        goal: &goal,
                        done: &done,
                        before,
                    };
                    if self.took_back(&done) {
                        return Err(error);
                    }
                    return Err(self.undo(identity, begun, error, progress).await);
                }
            }
        };
        let server = match waiting {
            Waiting::Return => self.backend.observe(identity).await?,
            Waiting::Wait => match wait(self, identity, &goal, self.patience, progress).await {
                Ok(server) => server,
                Err(error) => {
                    let begun = Begun {
                        goal: &goal,
                        done: &done,
                        before,
                    };
                    return Err(self.undo(identity, begun, error, progress).await);
                }
            },
        };
        Ok(Outcome {
            identity: identity.clone(),
            actions: done,
            server: server.map(Report::of),
        })
    }

    async fn perform(
        &self,
        identity: &Identity,
        actions: &[Action],
        done: &mut Vec<Action>,
        progress: &dyn Progress,
    ) -> Result<()> {
        for action in actions {
            progress.acting(identity, action);
            let performed = match action {
                Action::Drain { seconds } => {
                    self.drain(identity, *seconds, progress).await;
                    done.push(action.clone());
                    self.still_draining(identity).await?;
                    continue;
                }
                _ => self.backend.perform(identity, action).await,
            };
            // What failed half-way was begun, and has to be undone; what lost a race was not.
            if !performed
                .as_ref()
                .is_err_and(|error| error.kind == Kind::Conflict)
            {
                done.push(action.clone());
            }
            performed?;
        }
        Ok(())
    }

    /// Whether nobody started the server while its sessions ended.
    async fn still_draining(&self, identity: &Identity) -> Result<()> {
        match self.backend.observe(identity).await? {
            Some(observed) if !observed.draining => Err(Error::conflict(format!(
                "{identity} was started by somebody else while its sessions ended, and goes on"
            ))
            .hint(format!("mcp-platform stop {}", identity.name))),
            _ => Ok(()),
        }
    }

    /// Whether the action that failed just now was to create the server, and left nothing: an equal
    /// one that is there by now was created by somebody else at the same time.
    fn took_back(&self, done: &[Action]) -> bool {
        matches!(done.last(), Some(Action::Apply { expected: None, .. }))
            && self.backend.failed_creation() == FailedCreation::Nothing
    }

    /// After a failed deployment: back to the last specification that was ready, or nothing at all
    /// when there was none. The error says which.
    async fn undo(
        &self,
        identity: &Identity,
        begun: Begun<'_>,
        error: Error,
        progress: &dyn Progress,
    ) -> Error {
        let (Goal::Deploy(spec) | Goal::Update(spec)) = begun.goal else {
            return error;
        };
        // A lost race is somebody else's server by now, and a refusal began nothing.
        let refused = matches!(
            error.kind,
            Kind::Conflict | Kind::NotFound | Kind::Unauthenticated | Kind::Forbidden
        );
        if refused {
            return error;
        }
        let observed = match self.backend.observe(identity).await {
            Ok(Some(observed)) => observed,
            Ok(None) => return error,
            Err(second) => {
                return error.hint(format!("and it could not be undone: {}", second.message));
            }
        };
        // Somebody else's newer change is not ours to undo.
        let present = observed.spec.as_ref().map(|present| present.revision());
        if present != Some(spec.revision()) {
            return error;
        }
        let Some((action, goal, says)) = way_back(&observed, &begun) else {
            return error;
        };
        progress.note(identity, "not ready: going back");
        if let Err(second) = self.backend.perform(identity, &action).await {
            return error.hint(format!("and it could not be undone: {}", second.message));
        }
        if let Err(second) = wait(self, identity, &goal, self.patience, progress).await {
            return error.hint(format!("{says}, but: {}", second.message));
        }
        let message = format!("{}; {says}", error.message);
        let hints = match action {
            // There is nothing left that could be looked at.
            Action::Remove => vec![format!(
                "keep what fails with --no-wait, then look: mcp-platform logs {}",
                identity.name
            )],
            _ => error.hints,
        };
        Error {
            message,
            hints,
            ..error
        }
    }
}

/// How many instances were wanted, and how many `start` would have brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    desired: u32,
    remembered: Option<u32>,
}

impl Numbers {
    fn of(observed: &Observed) -> Numbers {
        Numbers {
            desired: observed.desired,
            remembered: observed.remembered,
        }
    }

    fn remember(self) -> Remember {
        self.remembered.map_or(Remember::Forget, Remember::Set)
    }
}

/// An operation that did not reach its goal.
#[derive(Clone, Copy)]
struct Begun<'a> {
    goal: &'a Goal,
    done: &'a [Action],
    /// What was wanted before it.
    before: Option<Numbers>,
}

/// Whether a lost race is run again: not when somebody started, while its sessions ended, what is to
/// be stopped. Who asked for the stop has to know.
fn may_try_again(error: &Error, done: &[Action]) -> bool {
    error.kind == Kind::Conflict && !matches!(done.last(), Some(Action::Drain { .. }))
}

/// What undoes a failed deployment, what is then waited for, and how that is said; none when there
/// is nothing to go back to and nothing that this operation created.
fn way_back(observed: &Observed, begun: &Begun<'_>) -> Option<(Action, Goal, String)> {
    let applied = begun.done.iter().find_map(|action| match action {
        Action::Apply { expected, .. } => Some(expected.is_none()),
        _ => None,
    });
    let before = begun.before.unwrap_or_else(|| Numbers::of(observed));
    match (&observed.previous, applied) {
        // What serves, and what this operation did not change, is left to whoever watches it.
        (_, None) if observed.ready > 0 => None,
        (Some(previous), _) => Some((
            Action::Apply {
                spec: previous.clone(),
                replicas: before.desired,
                remember: before.remember(),
                previous: None,
                expected: observed.token.clone(),
            },
            Goal::Update(previous.clone()),
            format!("rolled back to revision {}", previous.revision()),
        )),
        (None, Some(true)) => Some((
            Action::Remove,
            Goal::Delete,
            "removed what was created".to_owned(),
        )),
        (None, Some(false)) if before.desired != observed.desired => Some((
            Action::Scale {
                from: observed.desired,
                to: before.desired,
                remember: before.remember(),
            },
            Goal::Scale(before.desired),
            format!("went back to {} instances", before.desired),
        )),
        (None, Some(false) | None) => None,
    }
}

/// Who does not wait for the goal does not wait for sessions either: they have the grace period.
fn without_drain(actions: Vec<Action>) -> Vec<Action> {
    actions
        .into_iter()
        .filter(|action| !matches!(action, Action::Drain { .. }))
        .collect()
}

pub(super) fn missing(identity: &Identity) -> Error {
    Error::not_found(format!("there is no server {identity}")).hint("mcp-platform list")
}

pub(super) fn named(error: Error, identity: &Identity) -> Error {
    match error.kind {
        Kind::NotFound => missing(identity),
        _ => error,
    }
}
