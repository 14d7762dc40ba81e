//! From a goal and what is there to the actions that are needed. Nothing is done twice: what
//! already is as wanted needs no action.

use crate::error::{Error, Result};
use crate::model::{Action, Goal, Observed, Remember, Spec, State, Statefulness};

use super::status;

/// What this installation allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most instances of one server.
    pub replicas: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { replicas: 10 }
    }
}

/// The actions that lead from `observed` to `goal`, in order; empty when there is nothing to do.
///
/// # Errors
/// `NotFound` when there is no such server, `Conflict` when the goal does not fit what the server
/// is, `Invalid` when a number is out of range.
pub fn decide(goal: &Goal, observed: Option<&Observed>, limits: Limits) -> Result<Vec<Action>> {
    let actions = needed(goal, observed, limits)?;
    match observed {
        // Nothing differs, but nobody would keep it so, or companions do not follow: the smallest
        // change that mends it.
        Some(observed) if actions.is_empty() && (observed.abandoned() || observed.outlived()) => {
            Ok(vec![Action::Scale {
                from: observed.desired,
                to: observed.desired,
                remember: Remember::Keep,
            }])
        }
        _ => Ok(actions),
    }
}

fn needed(goal: &Goal, observed: Option<&Observed>, limits: Limits) -> Result<Vec<Action>> {
    match (goal, observed) {
        (Goal::Deploy(spec), observed) => deploy(spec, observed, limits),
        (Goal::Delete, None) => Ok(Vec::new()),
        (Goal::Delete, Some(_)) => Ok(vec![Action::Remove]),
        (_, None) => Err(Error::not_found("there is no such server")),
        (Goal::Update(spec), Some(observed)) => update(spec, observed, limits),
        (Goal::Start, Some(observed)) => start(observed, limits),
        (Goal::Stop, Some(observed)) => Ok(stop(observed)),
        (Goal::ForceStop, Some(observed)) => Ok(force_stop(observed)),
        (Goal::Scale(replicas), Some(observed)) => scale(*replicas, observed, limits),
        (Goal::Restart, Some(observed)) => restart(observed),
    }
}

fn deploy(spec: &Spec, observed: Option<&Observed>, limits: Limits) -> Result<Vec<Action>> {
    fits(spec.replicas, Some(spec.statefulness), limits)?;
    let Some(observed) = observed else {
        return Ok(vec![apply(spec, None, spec.replicas, Remember::Forget)]);
    };
    ours(spec, observed)?;
    let mut actions = Vec::new();
    // Where an autoscaler sets the number, it is not ours to set back.
    let replicas = match observed.desired {
        desired if observed.autoscaled && desired > 0 => desired,
        _ => spec.replicas,
    };
    if changes(spec, observed) || observed.desired != replicas {
        actions.push(apply(spec, Some(observed), replicas, Remember::Forget));
    }
    if observed.draining {
        actions.push(Action::Uncordon);
    }
    Ok(actions)
}

fn update(spec: &Spec, observed: &Observed, limits: Limits) -> Result<Vec<Action>> {
    fits(spec.replicas, Some(spec.statefulness), limits)?;
    ours(spec, observed)?;
    if !changes(spec, observed) {
        return Ok(Vec::new());
    }
    // What drains goes on to drain: a stop may be under way.
    Ok(vec![apply(
        spec,
        Some(observed),
        observed.desired,
        Remember::Keep,
    )])
}

/// Whether what is stored or what is wanted by the back end differs from the specification, or
/// something was left that writing it again clears up.
fn changes(spec: &Spec, observed: &Observed) -> bool {
    let revision = spec.revision();
    observed.untidy()
        || observed.revision.as_deref() != Some(revision.as_str())
        || observed
            .spec
            .as_ref()
            .is_none_or(|present| present.revision() != revision)
}

/// Whether the server is one of ours and of this template.
fn ours(spec: &Spec, observed: &Observed) -> Result<()> {
    let Some(present) = &observed.spec else {
        return Err(Error::conflict(format!(
            "{} exists and was not deployed by this platform",
            spec.identity
        ))
        .hint("choose another name, or delete the foreign server with its own tool"));
    };
    if present.template == spec.template {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "{} exists and comes from the template {}, not {}",
        spec.identity, present.template, spec.template
    ))
    .hint("choose another name, or delete the server first"))
}

fn apply(spec: &Spec, observed: Option<&Observed>, replicas: u32, remember: Remember) -> Action {
    // What never came to be is nothing to go back to.
    let present = observed.filter(|observed| observed.token.is_some());
    let previous = present.and_then(|observed| {
        let ready = ready(observed) || observed.desired == 0;
        let same = observed
            .spec
            .as_ref()
            .is_some_and(|present| present.revision() == spec.revision());
        match (ready, same) {
            (true, false) => observed.spec.clone(),
            // What is ready needs nothing to go back to.
            (true, true) => None,
            (false, _) => observed.previous.clone(),
        }
    });
    Action::Apply {
        spec: Box::new(spec.clone()),
        replicas,
        remember,
        previous,
        expected: observed.and_then(|observed| observed.token.clone()),
    }
}

/// Whether every instance is ready, taking new sessions or not.
fn ready(observed: &Observed) -> bool {
    let taking = Observed {
        draining: false,
        ..observed.clone()
    };
    status(&taking).state == State::Running
}

fn start(observed: &Observed, limits: Limits) -> Result<Vec<Action>> {
    let mut actions = Vec::new();
    if observed.draining {
        actions.push(Action::Uncordon);
    }
    if observed.desired == 0 {
        let to = observed
            .remembered
            .or_else(|| observed.spec.as_ref().map(|spec| spec.replicas))
            .unwrap_or(1)
            .max(1);
        fits(to, statefulness(observed), limits)?;
        actions.push(Action::Scale {
            from: 0,
            to,
            remember: Remember::Forget,
        });
    }
    Ok(actions)
}

fn stop(observed: &Observed) -> Vec<Action> {
    if observed.desired == 0 {
        return Vec::new();
    }
    let mut actions = Vec::new();
    if !observed.draining {
        actions.push(Action::Cordon);
    }
    if let Some(spec) = &observed.spec
        && spec.sessions.is_some()
        && spec.drain_seconds > 0
        && observed.ready > 0
    {
        actions.push(Action::Drain {
            seconds: spec.drain_seconds,
        });
    }
    actions.push(to_zero(observed));
    actions
}

fn force_stop(observed: &Observed) -> Vec<Action> {
    let mut actions = Vec::new();
    if observed.desired > 0 {
        // What is drained ends in order; nobody waits for that any more.
        if observed.draining {
            actions.push(Action::Uncordon);
        }
        actions.push(to_zero(observed));
    }
    if observed.desired > 0 || !observed.instances.is_empty() {
        actions.push(Action::Kill);
    }
    actions
}

fn to_zero(observed: &Observed) -> Action {
    Action::Scale {
        from: observed.desired,
        to: 0,
        remember: Remember::Set(observed.desired),
    }
}

fn scale(replicas: u32, observed: &Observed, limits: Limits) -> Result<Vec<Action>> {
    fits(replicas, statefulness(observed), limits)?;
    if observed.autoscaled && replicas > 0 {
        return Err(Error::conflict(format!(
            "an autoscaler sets the number of instances of {}",
            observed.identity
        ))
        .hint("change the autoscaler's limits, or remove it first"));
    }
    if replicas == 0 {
        return Ok(stop(observed));
    }
    let mut actions = Vec::new();
    if observed.draining {
        actions.push(Action::Uncordon);
    }
    if replicas != observed.desired {
        actions.push(Action::Scale {
            from: observed.desired,
            to: replicas,
            remember: Remember::Forget,
        });
    }
    Ok(actions)
}

fn restart(observed: &Observed) -> Result<Vec<Action>> {
    if observed.desired == 0 {
        return Err(
            Error::conflict(format!("{} is stopped", observed.identity)).hint("start it instead")
        );
    }
    let mut actions = vec![Action::Restart];
    if observed.draining {
        actions.push(Action::Uncordon);
    }
    Ok(actions)
}

fn statefulness(observed: &Observed) -> Option<Statefulness> {
    observed.spec.as_ref().map(|spec| spec.statefulness)
}

/// Whether a number of instances is allowed.
fn fits(replicas: u32, statefulness: Option<Statefulness>, limits: Limits) -> Result<()> {
    if replicas > limits.replicas {
        return Err(Error::invalid(format!(
            "{replicas} instances are more than the limit of {}",
            limits.replicas
        ))
        .detail("/replicas", format!("must be 0 to {}", limits.replicas))
        .hint("raise the limit with --max-replicas where the platform is started"));
    }
    if replicas > 1 && statefulness == Some(Statefulness::Singleton) {
        return Err(Error::conflict(format!(
            "a singleton has one instance, not {replicas}: it owns a volume, and a second one would write over it"
        ))
        .hint("deploy another server of the same template under another name"));
    }
    Ok(())
}
