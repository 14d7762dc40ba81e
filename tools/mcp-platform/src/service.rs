//! The operations, the same for every face: look, decide, act, wait, and go back when it failed.

mod backup;
mod check;
mod clusters;
mod drain;
mod handshake;
mod image;
mod logs;
mod look;
mod operate;
mod operation;
mod progress;
mod reach;
mod wait;
mod wheel;

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::Shared;
use crate::lifecycle::{Limits, Patience};
use crate::template::Catalogue;

pub use backup::{Backup, Restored, Restoring, Saved, WithSecrets, complete};
pub use check::{Check, CheckStep, CheckTarget, CheckVerdict};
pub use clusters::{Cluster, Clusters};
pub use operate::{DeployRequest, Outcome, Planned, Report, StopMode, UpdateRequest, Waiting};
pub use operation::{Access, Operation};
pub use progress::{Progress, Quiet};

/// The clock, as a value so that tests set it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Gives random words of 32 hexadecimal digits.
pub type Random = Arc<dyn Fn() -> String + Send + Sync>;

/// Everything that the operations work with.
#[derive(Clone)]
pub struct Service {
    /// Where servers run.
    pub backend: Shared,
    /// What can be deployed.
    pub catalogue: Arc<Catalogue>,
    /// What this installation allows.
    pub limits: Limits,
    /// How long to wait.
    pub patience: Patience,
    /// The clock.
    pub clock: Clock,
    /// Random words.
    pub random: Random,
}
