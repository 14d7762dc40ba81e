//! What pods are doing, and why one is not ready: from its conditions, the states of its containers
//! and the warnings about it. Pure.

use std::collections::HashMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerState, ContainerStatus, Event, Pod};

use crate::model::{Cause, Fault, Instance, Phase, label};

/// Warnings by what they are about: kind, namespace and name.
pub type Warnings<'a> = HashMap<(&'a str, &'a str, &'a str), Vec<&'a Event>>;

/// Sorts warnings by what they are about.
pub fn warnings<'a>(events: impl IntoIterator<Item = &'a Event>) -> Warnings<'a> {
    let mut all = Warnings::new();
    for event in events {
        let about = &event.involved_object;
        if let (Some(kind), Some(namespace), Some(name)) =
            (&about.kind, &about.namespace, &about.name)
        {
            all.entry((kind, namespace, name)).or_default().push(event);
        }
    }
    all
}

/// When an event last happened, by the fields of either event API.
pub fn moment(event: &Event) -> Option<Timestamp> {
    event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref().map(|time| time.0))
        .or(event.last_timestamp.as_ref().map(|time| time.0))
        .or(event.event_time.as_ref().map(|time| time.0))
        .or(event.first_timestamp.as_ref().map(|time| time.0))
        .or(event
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| time.0))
}

/// One pod as an instance.
pub fn instance(pod: &Pod, warnings: &Warnings<'_>) -> Instance {
    let phase = phase(pod);
    Instance {
        name: pod.metadata.name.clone().unwrap_or_default(),
        revision: pod
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(label::REVISION))
            .cloned(),
        phase,
        ready: phase == Phase::Running && ready(pod),
        restarts: statuses(pod)
            .map(|status| status.restart_count.unsigned_abs())
            .sum(),
        created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
        fault: if phase == Phase::Ending {
            None
        } else {
            fault(pod, warnings)
        },
    }
}

fn phase(pod: &Pod) -> Phase {
    if pod.metadata.deletion_timestamp.is_some() {
        return Phase::Ending;
    }
    match pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
    {
        Some("Running" | "Unknown") => Phase::Running,
        Some("Succeeded" | "Failed") => Phase::Ended,
        _ => Phase::Pending,
    }
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a k8s_openapi::api::core::v1::PodCondition> {
    pod.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .find(|condition| condition.type_ == kind)
}

/// Whether it takes sessions.
pub fn ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| {
        let first = status.init_container_statuses.iter().flatten();
        first.chain(status.container_statuses.iter().flatten())
    })
}

fn fault(pod: &Pod, warnings: &Warnings<'_>) -> Option<Fault> {
    if let Some(worst) = statuses(pod)
        .filter_map(of_container)
        .min_by_key(|fault| fault.cause)
    {
        return Some(worst);
    }
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() == Some("Failed") {
        let reason = status.reason.as_deref().unwrap_or("Failed");
        let message = status.message.as_deref().unwrap_or("the pod failed");
        return Some(Fault {
            cause: Cause::Exited,
            message: format!("{reason}: {message}"),
            since: condition(pod, "Ready").and_then(|c| Some(c.last_transition_time.as_ref()?.0)),
        });
    }
    if ready(pod) {
        return None;
    }
    if let Some(scheduled) = condition(pod, "PodScheduled")
        && scheduled.status == "False"
    {
        let message = scheduled
            .message
            .clone()
            .unwrap_or_else(|| "no node takes it".to_owned());
        return Some(Fault {
            cause: if about_volume(&message) {
                Cause::Volume
            } else {
                Cause::Unschedulable
            },
            message: format!(
                "{}: {message}",
                scheduled.reason.as_deref().unwrap_or("Unschedulable")
            ),
            since: scheduled.last_transition_time.as_ref().map(|time| time.0),
        });
    }
    from_warnings(pod, warnings)
}

fn about_volume(message: &str) -> bool {
    message.contains("PersistentVolumeClaim")
        || message.contains("persistentvolumeclaim")
        || message.contains("volume node affinity")
        || message.contains("persistent volumes to bind")
}

fn of_container(status: &ContainerStatus) -> Option<Fault> {
    let state = status.state.as_ref()?;
    let last = status.last_state.as_ref();
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let message = waiting.message.as_deref().unwrap_or_default();
        return match reason {
            "ImagePullBackOff"
            | "ErrImagePull"
            | "InvalidImageName"
            | "ErrImageNeverPull"
            | "RegistryUnavailable"
            | "ImageInspectError"
            | "ErrImageInspect"
            | "SignatureValidationFailed" => Some(Fault {
                cause: Cause::ImagePull,
                message: sentence(reason, message, &format!("image {}", status.image)),
                since: None,
            }),
            "CrashLoopBackOff" => Some(crashed(status, last)),
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "PreCreateHookError"
            | "PreStartHookError"
            | "PostStartHookError"
            | "StartError" => Some(Fault {
                cause: Cause::Configuration,
                message: sentence(reason, message, &format!("container {}", status.name)),
                since: None,
            }),
            _ => None,
        };
    }
    if let Some(ended) = &state.terminated {
        if ended.exit_code == 0 && ended.reason.as_deref() != Some("OOMKilled") {
            return None;
        }
        return Some(crashed(status, Some(state)));
    }
    // Runs again after it was killed for its memory, and is not ready yet: that is why.
    let killed = last
        .and_then(|last| last.terminated.as_ref())
        .is_some_and(|ended| ended.reason.as_deref() == Some("OOMKilled"));
    (killed && !status.ready).then(|| crashed(status, last))
}

fn crashed(status: &ContainerStatus, last: Option<&ContainerState>) -> Fault {
    let restarts = status.restart_count;
    let Some(ended) = last.and_then(|last| last.terminated.as_ref()) else {
        return Fault {
            cause: Cause::CrashLoop,
            message: format!(
                "container {} ends again and again, started again {restarts} times",
                status.name
            ),
            since: None,
        };
    };
    let memory = ended.reason.as_deref() == Some("OOMKilled");
    let mut message = format!(
        "container {} ended with exit code {}{}, started again {restarts} times",
        status.name,
        ended.exit_code,
        ended
            .reason
            .as_deref()
            .map_or_else(String::new, |reason| format!(" ({reason})")),
    );
    if let Some(said) = ended
        .message
        .as_deref()
        .filter(|said| !said.trim().is_empty())
    {
        message.push_str(&format!(": {}", said.trim()));
    }
    Fault {
        cause: if memory {
            Cause::OutOfMemory
        } else {
            Cause::CrashLoop
        },
        message,
        since: ended.finished_at.as_ref().map(|time| time.0),
    }
}

/// What only events tell: a probe that fails, a volume that cannot be mounted.
fn from_warnings(pod: &Pod, warnings: &Warnings<'_>) -> Option<Fault> {
    let name = pod.metadata.name.as_deref()?;
    let namespace = pod.metadata.namespace.as_deref()?;
    let latest = |reason: &str| {
        warnings
            .get(&("Pod", namespace, name))?
            .iter()
            .filter(|event| event.reason.as_deref() == Some(reason))
            .max_by_key(|event| moment(event))
            .copied()
    };
    for reason in ["FailedMount", "FailedAttachVolume"] {
        if let Some(event) = latest(reason)
            && statuses(pod).all(|status| {
                status
                    .state
                    .as_ref()
                    .is_none_or(|state| state.running.is_none())
            })
        {
            return Some(told(Cause::Volume, reason, event));
        }
    }
    let event = latest("Unhealthy")?;
    overdue(pod, event).then(|| told(Cause::Probe, "Unhealthy", event))
}

/// Whether a probe failed after the time that a start may take: until then it only is not ready yet.
fn overdue(pod: &Pod, event: &Event) -> bool {
    let started = statuses(pod)
        .filter(|status| !status.ready)
        .filter_map(|status| {
            Some(
                status
                    .state
                    .as_ref()?
                    .running
                    .as_ref()?
                    .started_at
                    .as_ref()?
                    .0,
            )
        })
        .max();
    let (Some(started), Some(failed)) = (started, moment(event)) else {
        return false;
    };
    let grace = pod
        .spec
        .iter()
        .flat_map(|spec| &spec.containers)
        .map(start_seconds)
        .max()
        .unwrap_or(0);
    failed.duration_since(started).as_secs() >= grace
}

fn start_seconds(container: &Container) -> i64 {
    [&container.startup_probe, &container.readiness_probe]
        .into_iter()
        .flatten()
        .map(|probe| {
            let initial = i64::from(probe.initial_delay_seconds.unwrap_or(0));
            let period = i64::from(probe.period_seconds.unwrap_or(10));
            initial + period * i64::from(probe.failure_threshold.unwrap_or(3))
        })
        .sum()
}

fn told(cause: Cause, reason: &str, event: &Event) -> Fault {
    Fault {
        cause,
        message: sentence(reason, event.message.as_deref().unwrap_or_default(), ""),
        since: event
            .first_timestamp
            .as_ref()
            .map(|time| time.0)
            .or(event.event_time.as_ref().map(|time| time.0)),
    }
}

fn sentence(reason: &str, message: &str, otherwise: &str) -> String {
    let said = if message.is_empty() {
        otherwise
    } else {
        message
    };
    if said.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {said}")
    }
}
