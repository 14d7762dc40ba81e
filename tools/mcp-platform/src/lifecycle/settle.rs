//! When waiting for a server is over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Cause, Goal, Observed, State, Status};

use super::status;

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the goal as a whole.
    pub total: Duration,
    /// For a fault that may heal by itself, such as an image that cannot be pulled at the moment.
    pub fault: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            total: Duration::from_secs(300),
            fault: Duration::from_secs(20),
        }
    }
}

/// What an observation says of a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Reached.
    Reached,
    /// Not yet.
    Waiting(Status),
    /// It will not be reached.
    Failed(Status),
    /// It was not reached in time.
    TimedOut(Status),
    /// Somebody else wants something else since.
    Superseded(Status),
}

/// Judges an observation made at `now`; the goal was begun at `begun`, and the present fault, if
/// there is one, was first seen at `faulty`.
pub fn settle(
    goal: &Goal,
    observed: Option<&Observed>,
    begun: Timestamp,
    faulty: Option<Timestamp>,
    now: Timestamp,
    patience: Patience,
) -> Verdict {
    let Some(observed) = observed else {
        return gone(goal);
    };
    let status = status(observed);
    if !still_wanted(goal, observed) {
        return Verdict::Superseded(status);
    }
    let reached = match goal {
        Goal::Delete => false,
        Goal::Stop | Goal::ForceStop | Goal::Scale(0) => status.state == State::Stopped,
        Goal::Scale(_) | Goal::Start | Goal::Restart | Goal::Deploy(_) => {
            status.state == State::Running
        }
        // What is stopped stays stopped, and what is drained stays drained.
        Goal::Update(_) => match status.cause {
            Cause::Draining => observed.ready >= observed.desired,
            _ => matches!(status.state, State::Running | State::Stopped),
        },
    };
    if reached {
        return Verdict::Reached;
    }
    let fault = matches!(status.state, State::Failed | State::Degraded);
    let since = faulty.unwrap_or(now);
    if fault && hopeless(status.cause) && past(since, now, patience.fault) {
        return Verdict::Failed(status);
    }
    if past(begun, now, patience.total) {
        return Verdict::TimedOut(status);
    }
    Verdict::Waiting(status)
}

/// Whether what the back end is asked for is still what this goal asked for.
fn still_wanted(goal: &Goal, observed: &Observed) -> bool {
    match goal {
        Goal::Delete => true,
        Goal::Stop | Goal::ForceStop => observed.desired == 0,
        Goal::Scale(replicas) => observed.desired == *replicas,
        Goal::Start | Goal::Restart => observed.desired > 0,
        Goal::Deploy(spec) => observed.desired > 0 && observed.revision == Some(spec.revision()),
        Goal::Update(spec) => observed.revision == Some(spec.revision()),
    }
}

fn gone(goal: &Goal) -> Verdict {
    match goal {
        Goal::Delete => Verdict::Reached,
        _ => Verdict::Superseded(Status {
            state: State::Failed,
            cause: Cause::Unknown,
            message: "it was deleted meanwhile".to_owned(),
        }),
    }
}

/// Whether a fault of this cause does not heal by waiting until the deadline: one that cannot be
/// scheduled or is not ready yet may well do so.
fn hopeless(cause: Cause) -> bool {
    match cause {
        Cause::ImagePull
        | Cause::CrashLoop
        | Cause::OutOfMemory
        | Cause::Quota
        | Cause::Configuration
        | Cause::Exited => true,
        Cause::Unschedulable
        | Cause::Probe
        | Cause::Volume
        | Cause::Unknown
        | Cause::Starting
        | Cause::Rolling
        | Cause::Ending
        | Cause::Draining
        | Cause::Stopped
        | Cause::Ready => false,
    }
}

fn past(since: Timestamp, now: Timestamp, patience: Duration) -> bool {
    now.duration_since(since) >= SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX)
}
