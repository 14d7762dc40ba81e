//! What a container's state means. Pure.

use std::time::Duration;

use bollard::models::{
    ContainerInspectResponse, ContainerState, ContainerStateStatusEnum as Word, HealthStatusEnum,
};
use jiff::Timestamp;

use crate::model::{Cause, Fault, Instance, Phase, label};

use super::converge::{Life, Present};
use super::names;
use super::record::{labels_of, name_of, role};

/// Starts in a row that count as a crash loop.
const LOOP: i64 = 2;

/// The same for companions: nobody looks whether they answer, so the first time counts.
const COMPANION_LOOP: i64 = 1;

/// A container with what a look at it said: none when it was not looked at.
pub struct Seen {
    /// What the engine says.
    pub container: ContainerInspectResponse,
    /// Ready, or why not.
    pub look: Option<Result<(), String>>,
    /// How it ended before the engine started it again, as far as that is known.
    pub end: Option<End>,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Its exit code.
    pub code: i64,
    /// Whether the engine saw it use more memory than it may.
    pub out_of_memory: bool,
}

impl Seen {
    /// Whether it takes sessions.
    pub fn ready(&self) -> bool {
        running(&self.container) && matches!(self.look, Some(Ok(()))) && !unhealthy(&self.container)
    }

    /// For the decision about the next steps.
    pub fn present(&self) -> Present {
        let state = state(&self.container);
        let refused = state.error.as_deref().is_some_and(|text| !text.is_empty());
        Present {
            name: name_of(&self.container),
            revision: text(&self.container, label::REVISION).unwrap_or_default(),
            epoch: number(&self.container, names::EPOCH).unwrap_or_default(),
            slot: number(&self.container, names::SLOT).unwrap_or_default(),
            life: match state.status {
                Some(Word::CREATED) if !refused => Life::HalfMade,
                Some(Word::RUNNING | Word::RESTARTING | Word::PAUSED) => Life::Up,
                _ => Life::Down,
            },
            ready: self.ready(),
        }
    }

    /// For answers. `patience` is how long it has from its start until a failed look is a fault.
    pub fn instance(&self, patience: Duration, now: Timestamp) -> Instance {
        let state = state(&self.container);
        Instance {
            name: name_of(&self.container),
            revision: text(&self.container, label::REVISION),
            phase: match state.status {
                Some(Word::RUNNING | Word::RESTARTING | Word::PAUSED) => Phase::Running,
                Some(Word::REMOVING) => Phase::Ending,
                Some(Word::EXITED | Word::DEAD) => Phase::Ended,
                _ => Phase::Pending,
            },
            ready: self.ready(),
            restarts: u32::try_from(self.container.restart_count.unwrap_or(0)).unwrap_or(0),
            created: time(self.container.created.as_deref()),
            fault: self.fault(patience, now),
        }
    }

    fn too_often(&self) -> i64 {
        match role(&self.container) {
            Some(names::COMPANION) => COMPANION_LOOP,
            _ => LOOP,
        }
    }

    fn fault(&self, patience: Duration, now: Timestamp) -> Option<Fault> {
        let state = state(&self.container);
        let name = name_of(&self.container);
        let since = time(state.finished_at.as_deref());
        let fault = |cause, message: String| {
            Some(Fault {
                cause,
                message: format!("{name}: {message}"),
                since,
            })
        };
        let restarts = self.container.restart_count.unwrap_or(0);
        let code = self
            .end
            .map_or(state.exit_code.unwrap_or(0), |end| end.code);
        if let Some(error) = state.error.as_deref().filter(|error| !error.is_empty()) {
            return fault(
                refusal(error),
                format!("the engine did not start it: {error}"),
            );
        }
        if self.ready() {
            return None;
        }
        let before = self.end.is_some_and(|end| end.out_of_memory);
        if state.oom_killed == Some(true) || before {
            return fault(
                Cause::OutOfMemory,
                format!("it used more memory than it may, and was started again {restarts} times"),
            );
        }
        match state.status {
            Some(Word::RESTARTING | Word::RUNNING) if restarts >= self.too_often() => fault(
                Cause::CrashLoop,
                format!("it ended with code {code} and was started again {restarts} times"),
            ),
            Some(Word::EXITED | Word::DEAD) => {
                fault(Cause::Exited, format!("it ended with code {code}"))
            }
            Some(Word::PAUSED) => fault(Cause::Probe, "it is paused".to_owned()),
            Some(Word::RUNNING) if unhealthy(&self.container) => fault(
                Cause::Probe,
                "the image's own health check says unhealthy".to_owned(),
            ),
            Some(Word::RUNNING) => match (&self.look, time(state.started_at.as_deref())) {
                (Some(Err(why)), Some(started)) if past(started, now, patience) => {
                    fault(Cause::Probe, why.clone())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// Why the engine did not start a container, by its words.
fn refusal(error: &str) -> Cause {
    if error.contains("no space left") {
        Cause::Volume
    } else {
        Cause::Configuration
    }
}

/// Whether a container runs.
pub fn running(container: &ContainerInspectResponse) -> bool {
    state(container).status == Some(Word::RUNNING)
}

/// Whether a container is being removed.
pub fn removing(container: &ContainerInspectResponse) -> bool {
    state(container).status == Some(Word::REMOVING)
}

/// Since when it runs, in seconds of the epoch.
pub fn started(container: &ContainerInspectResponse) -> Option<Timestamp> {
    time(state(container).started_at.as_deref())
}

/// The port of this machine at which a container is reached.
pub fn port(container: &ContainerInspectResponse) -> Option<u16> {
    number(container, names::PORT)
}

/// The latest moment that a container's state names.
pub fn activity(container: &ContainerInspectResponse) -> Option<Timestamp> {
    let state = state(container);
    [
        time(container.created.as_deref()),
        time(state.started_at.as_deref()),
        time(state.finished_at.as_deref()),
    ]
    .into_iter()
    .flatten()
    .max()
}

/// A time as the engine writes it; it writes the year 1 for never.
pub fn time(text: Option<&str>) -> Option<Timestamp> {
    let at: Timestamp = text?.parse().ok()?;
    (at.as_second() > 0).then_some(at)
}

/// A label.
pub fn text(container: &ContainerInspectResponse, key: &str) -> Option<String> {
    labels_of(container)?.get(key).cloned()
}

fn number<T: std::str::FromStr>(container: &ContainerInspectResponse, key: &str) -> Option<T> {
    labels_of(container)?.get(key)?.parse().ok()
}

fn state(container: &ContainerInspectResponse) -> ContainerState {
    container.state.clone().unwrap_or_default()
}

fn unhealthy(container: &ContainerInspectResponse) -> bool {
    state(container).health.and_then(|health| health.status) == Some(HealthStatusEnum::UNHEALTHY)
}

fn past(since: Timestamp, now: Timestamp, patience: Duration) -> bool {
    Duration::try_from(now.duration_since(since)).is_ok_and(|gone| gone >= patience)
}
