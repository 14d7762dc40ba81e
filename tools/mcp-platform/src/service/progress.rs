//! What an operation says while it works.

use crate::model::{Action, Identity, Status};

/// Listens to an operation.
pub trait Progress: Send + Sync {
    /// An action is about to be performed.
    fn acting(&self, identity: &Identity, action: &Action);

    /// The status changed while waiting.
    fn waiting(&self, identity: &Identity, status: &Status);

    /// Anything else worth a line: which image was taken and why, what is rolled back.
    fn note(&self, identity: &Identity, text: &str);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Progress for Quiet {
    fn acting(&self, _: &Identity, _: &Action) {}
    fn waiting(&self, _: &Identity, _: &Status) {}
    fn note(&self, _: &Identity, _: &str) {}
}
