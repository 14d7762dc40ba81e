//! What an observation means, in one word and with a reason.

use crate::model::{Cause, Fault, Instance, Observed, Phase, State, Status};

/// The state of a server and why.
///
/// `running` only when the back end has seen the latest change, and every wanted instance is of the
/// wanted revision and ready, and no other instance is left.
pub fn status(observed: &Observed) -> Status {
    let ending = observed
        .instances
        .iter()
        .filter(|instance| instance.phase == Phase::Ending)
        .count();
    let current = observed.observed_generation >= observed.generation;
    if observed.desired == 0 {
        // What is not taken up yet may still be starting what was wanted before.
        return if !current {
            say(
                State::Scaling,
                Cause::Ending,
                rolling(observed, current, observed.ready),
            )
        } else if observed.replicas == 0 && ending == 0 {
            say(
                State::Stopped,
                Cause::Stopped,
                "no instance is wanted, and none is there".to_owned(),
            )
        } else {
            let left = (observed.replicas as usize).max(ending);
            say(
                State::Scaling,
                Cause::Ending,
                format!("{left} still ending"),
            )
        };
    }
    let complete = observed.updated == observed.desired
        && observed.ready >= observed.desired
        && observed.replicas == observed.desired
        && observed.available >= observed.desired;
    let fault = worst(observed);
    if current && complete && fault.is_none() {
        return if observed.draining {
            say(
                State::Scaling,
                Cause::Draining,
                "takes no new sessions".to_owned(),
            )
        } else {
            say(
                State::Running,
                Cause::Ready,
                format!("{} of {} ready", observed.ready, observed.desired),
            )
        };
    }
    match (fault, observed.ready) {
        (Some(fault), 0) => say(State::Failed, fault.cause, fault.message.clone()),
        (Some(fault), ready) => say(
            State::Degraded,
            fault.cause,
            format!("{ready} of {} ready; {}", observed.desired, fault.message),
        ),
        (None, 0) if observed.draining => say(
            State::Scaling,
            Cause::Draining,
            "takes no new sessions".to_owned(),
        ),
        (None, 0) => say(
            State::Pending,
            Cause::Starting,
            format!("0 of {} ready, no fault yet", observed.desired),
        ),
        (None, ready) => say(
            State::Scaling,
            Cause::Rolling,
            rolling(observed, current, ready),
        ),
    }
}

fn rolling(observed: &Observed, current: bool, ready: u32) -> String {
    if !current {
        return format!(
            "change {} is not taken up yet, the numbers are of change {}",
            observed.generation, observed.observed_generation
        );
    }
    format!(
        "{ready} ready, {} of {} of the wanted revision, {} in all",
        observed.updated, observed.desired, observed.replicas
    )
}

/// The fault that says most about why the server is not as wanted: one of the whole before one of
/// an instance, then by cause. An instance of another revision is on its way out and says nothing:
/// the change that mends it must not fail for what it mends.
fn worst(observed: &Observed) -> Option<&Fault> {
    observed.faults.first().or_else(|| {
        observed
            .instances
            .iter()
            .filter(|instance| instance.phase != Phase::Ending && !replaced(observed, instance))
            .filter_map(|instance| instance.fault.as_ref())
            .min_by_key(|fault| fault.cause)
    })
}

/// Whether it is known to be of another revision than the wanted one.
fn replaced(observed: &Observed, instance: &Instance) -> bool {
    match (&observed.revision, &instance.revision) {
        (Some(wanted), Some(its)) => wanted != its,
        _ => false,
    }
}

fn say(state: State, cause: Cause, message: String) -> Status {
    Status {
        state,
        cause,
        message,
    }
}
