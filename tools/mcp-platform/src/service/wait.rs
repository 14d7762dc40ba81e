//! Waiting until a goal is reached, by what the back end reports, never by looking again and again.

use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;

use crate::backend::Scope;
use crate::error::{Error, Kind, Result};
use crate::lifecycle::{Patience, Verdict, settle, status};
use crate::model::{Goal, Identity, Observed, State, Status};

use super::{Progress, Service};

/// Between two looks when nothing was reported: a net below the watch, not a poll.
const NET: Duration = Duration::from_secs(10);

/// Before a back end that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Waits until the goal is reached.
///
/// # Errors
/// `Failed` with the cause when it will not be reached, `Timeout` when it was not in time.
pub async fn wait(
    service: &Service,
    identity: &Identity,
    goal: &Goal,
    patience: Patience,
    progress: &dyn Progress,
) -> Result<Option<Observed>> {
    let scope = Scope {
        namespace: Some(identity.namespace.clone()),
        template: None,
    };
    let mut changes = service.backend.changes(&scope);
    let begun = (service.clock)();
    let mut faulty: Option<Timestamp> = None;
    let mut said: Option<Status> = None;
    loop {
        let observed = service.backend.observe(identity).await;
        let now = (service.clock)();
        let observed = match observed {
            // One unanswered question says nothing of the server.
            Err(error) if error.kind == Kind::Unavailable && !over(begun, now, patience) => {
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            observed => observed?,
        };
        let present = observed.as_ref().map(status);
        let bad = present
            .as_ref()
            .is_some_and(|status| matches!(status.state, State::Failed | State::Degraded));
        faulty = if bad { faulty.or(Some(now)) } else { None };
        match settle(goal, observed.as_ref(), begun, faulty, now, patience) {
            Verdict::Reached => return Ok(observed),
            Verdict::Failed(status) => return Err(failed(identity, &status, Kind::Failed)),
            Verdict::TimedOut(status) => return Err(failed(identity, &status, Kind::Timeout)),
            Verdict::Superseded(status) => {
                return Err(Error::conflict(format!(
                    "{identity} was changed by somebody else meanwhile: {}",
                    status.message
                ))
                .hint(format!("mcp-platform status {}", identity.name)));
            }
            Verdict::Waiting(status) => {
                if said.as_ref() != Some(&status) {
                    progress.waiting(identity, &status);
                    said = Some(status);
                }
            }
        }
        let next = next_look(begun, faulty, now, patience);
        match tokio::time::timeout(next, changes.next()).await {
            Ok(Some(Err(error))) if error.kind != Kind::Unavailable => return Err(error),
            Ok(Some(_)) | Err(_) => {}
            Ok(None) => tokio::time::sleep(next).await,
        }
    }
}

/// Whether the time is over.
fn over(begun: Timestamp, now: Timestamp, patience: Patience) -> bool {
    Duration::try_from(now.duration_since(begun)).unwrap_or_default() >= patience.total
}

/// How long until the verdict can change by the clock alone.
fn next_look(
    begun: Timestamp,
    faulty: Option<Timestamp>,
    now: Timestamp,
    patience: Patience,
) -> Duration {
    let left = |since: Timestamp, patience: Duration| {
        let gone = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        patience.saturating_sub(gone) + Duration::from_millis(20)
    };
    let total = left(begun, patience.total);
    let fault = faulty.map_or(NET, |since| left(since, patience.fault));
    NET.min(total).min(fault)
}

fn failed(identity: &Identity, status: &Status, kind: Kind) -> Error {
    let what = match kind {
        Kind::Timeout => "was not ready in time",
        _ => "failed",
    };
    Error::new(
        kind,
        format!(
            "{identity} {what}: {} ({})",
            status.message,
            status.cause.word()
        ),
    )
    .hint(format!("mcp-platform events {}", identity.name))
    .hint(format!("mcp-platform logs {} --previous", identity.name))
}
