//! One instance of the mock: pulled, started, ready, ended, each at its time. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Cause, Fault, Phase};

use super::clock::later;
use super::fault::MockFault;

/// How long things take.
const PULL: Duration = Duration::from_millis(100);
const START: Duration = Duration::from_millis(200);
const END: Duration = Duration::from_millis(100);
/// Between two tries of what failed; doubled up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Between two looks at something that somebody else has to mend.
const LOOK: Duration = Duration::from_secs(5);

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Instance {
    pub name: String,
    pub revision: String,
    /// The revision with the count of restarts: what makes two instances alike.
    pub template: String,
    pub stage: Stage,
    pub created: Timestamp,
    pub restarts: u32,
    pub tries: u32,
    pub fault: Option<Fault>,
    /// When something happens by itself.
    pub due: Option<Timestamp>,
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    Waiting,
    Pulling,
    Starting,
    Broken,
    Ready,
    Unready,
    Ending,
    Gone,
}

/// Something to be said of it.
pub(super) struct Said {
    pub reason: &'static str,
    pub message: String,
    pub warning: bool,
    /// What the server itself writes.
    pub log: Option<String>,
}

fn say(reason: &'static str, message: &str) -> Said {
    Said {
        reason,
        message: message.to_owned(),
        warning: false,
        log: None,
    }
}

fn warn(reason: &'static str, message: &str) -> Said {
    Said {
        warning: true,
        ..say(reason, message)
    }
}

impl Instance {
    pub fn new(name: String, revision: String, template: String, now: Timestamp) -> Instance {
        Instance {
            name,
            revision,
            template,
            stage: Stage::Waiting,
            created: now,
            restarts: 0,
            tries: 0,
            fault: None,
            due: Some(now),
        }
    }

    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Waiting | Stage::Pulling => Phase::Pending,
            Stage::Starting | Stage::Broken | Stage::Ready | Stage::Unready => Phase::Running,
            Stage::Ending => Phase::Ending,
            Stage::Gone => Phase::Ended,
        }
    }

    pub fn ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    pub fn here(&self) -> bool {
        !matches!(self.stage, Stage::Ending | Stage::Gone)
    }

    /// Asks it to end.
    pub fn end(&mut self, now: Timestamp, faults: &[MockFault], grace: u32) -> Option<Said> {
        if !self.here() {
            return None;
        }
        let deaf = faults.contains(&MockFault::Deaf);
        let after = if deaf {
            Duration::from_secs(u64::from(grace))
        } else {
            END
        };
        self.stage = Stage::Ending;
        self.due = Some(later(now, after));
        Some(say("Killing", "asked to end"))
    }

    /// What happens to it at `now`, which is when something was due.
    pub fn step(&mut self, now: Timestamp, faults: &[MockFault], port: u16) -> Option<Said> {
        match self.stage {
            Stage::Waiting => self.schedule(now, faults),
            Stage::Pulling => self.pull(now, faults),
            Stage::Starting | Stage::Ready | Stage::Unready => self.run(now, faults, port),
            Stage::Broken => {
                self.restarts += 1;
                self.stage = Stage::Starting;
                self.due = Some(later(now, START));
                Some(say("Started", "started again"))
            }
            Stage::Ending => {
                self.stage = Stage::Gone;
                self.due = None;
                None
            }
            Stage::Gone => {
                self.due = None;
                None
            }
        }
    }

    fn schedule(&mut self, now: Timestamp, faults: &[MockFault]) -> Option<Said> {
        let found = faults.iter().find_map(|fault| match fault {
            MockFault::Unschedulable => Some((
                Cause::Unschedulable,
                "FailedScheduling",
                "0 of 1 nodes take it",
            )),
            MockFault::Volume => Some((Cause::Volume, "FailedMount", "its volume is not there")),
            MockFault::Configuration => Some((
                Cause::Configuration,
                "Failed",
                "its configuration names a secret that is not there",
            )),
            _ => None,
        });
        let Some((cause, reason, message)) = found else {
            self.fault = None;
            self.stage = Stage::Pulling;
            self.due = Some(later(now, PULL));
            return Some(say("Scheduled", "assigned to node mock"));
        };
        self.due = Some(later(now, LOOK));
        self.broken(now, cause, message)
            .then(|| warn(reason, message))
    }

    fn pull(&mut self, now: Timestamp, faults: &[MockFault]) -> Option<Said> {
        if faults.contains(&MockFault::Pull) {
            self.due = Some(later(now, self.pause()));
            let message = "the registry has no such image";
            self.broken(now, Cause::ImagePull, message);
            return Some(warn("Failed", message));
        }
        self.fault = None;
        self.tries = 0;
        self.stage = Stage::Starting;
        let slow = faults.iter().find_map(|fault| match fault {
            MockFault::Slow(time) => Some(*time),
            _ => None,
        });
        self.due = Some(later(now, slow.unwrap_or(START)));
        Some(say("Started", "image pulled, started"))
    }

    fn run(&mut self, now: Timestamp, faults: &[MockFault], port: u16) -> Option<Said> {
        for fault in faults {
            match fault {
                MockFault::Crash(code) => {
                    let message = format!("ended with code {code}, and is started again");
                    return Some(self.crash(now, Cause::CrashLoop, &message));
                }
                MockFault::Memory => {
                    return Some(self.crash(
                        now,
                        Cause::OutOfMemory,
                        "used more memory than it may",
                    ));
                }
                MockFault::Probe => {
                    self.stage = Stage::Unready;
                    self.due = Some(later(now, LOOK));
                    let message = "the readiness page answers 503";
                    return self
                        .broken(now, Cause::Probe, message)
                        .then(|| warn("Unhealthy", message));
                }
                _ => {}
            }
        }
        self.fault = None;
        self.tries = 0;
        self.due = None;
        if self.stage == Stage::Ready {
            return None;
        }
        self.stage = Stage::Ready;
        Some(Said {
            log: Some(format!("echo: listens at 0.0.0.0:{port}")),
            ..say("Ready", "ready")
        })
    }

    fn crash(&mut self, now: Timestamp, cause: Cause, message: &str) -> Said {
        self.stage = Stage::Broken;
        self.due = Some(later(now, self.pause()));
        self.broken(now, cause, message);
        Said {
            log: Some(format!("echo: {message}")),
            ..warn("BackOff", message)
        }
    }

    fn pause(&mut self) -> Duration {
        let pause = PAUSE.saturating_mul(1 << self.tries.min(6));
        self.tries += 1;
        pause.min(LONGEST_PAUSE)
    }

    /// Sets the fault and says whether it is a new one.
    fn broken(&mut self, now: Timestamp, cause: Cause, message: &str) -> bool {
        let known = self
            .fault
            .as_ref()
            .is_some_and(|fault| fault.cause == cause);
        if !known {
            self.fault = Some(Fault {
                cause,
                message: message.to_owned(),
                since: Some(now),
            });
        }
        !known
    }
}
