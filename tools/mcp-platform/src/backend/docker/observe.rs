//! From an engine's containers to what is said of a server.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use futures::future::join_all;
use jiff::Timestamp;

use crate::error::Result;
use crate::model::{
    Cause, Condition, Endpoint, EndpointKind, Exposure, Fault, Identity, Instance, Observed, Phase,
    Spec, Transport, label,
};
use crate::world::now;

use super::companions;
use super::converge::converge;
use super::engine::Engine;
use super::history;
use super::lock::{Purpose, try_take};
use super::look::{patience, ready};
use super::names::{COMPANION, RECORD, REPLICA};
use super::record::{Record, labels_of, latest, role};
use super::state::{End, Seen, activity, port, running, text};

/// Looks at instances, all at the same time.
pub async fn look(
    engine: &Engine,
    spec: Option<&Spec>,
    containers: Vec<ContainerInspectResponse>,
) -> Vec<Seen> {
    let looks = containers.into_iter().map(|container| async {
        let look = match (running(&container), port(&container)) {
            (true, Some(port)) => Some(ready(engine, spec, port).await),
            _ => None,
        };
        let end = match look {
            Some(Ok(())) => None,
            _ => last_end(engine, &container).await,
        };
        Seen {
            container,
            look,
            end,
        }
    });
    join_all(looks).await
}

/// How a container that was started again ended before: its state forgets that at the next start, so
/// the engine's events are asked.
pub async fn last_end(engine: &Engine, container: &ContainerInspectResponse) -> Option<End> {
    if container.restart_count.unwrap_or(0) == 0 {
        return None;
    }
    let events = history::ends(engine, container.id.as_deref()?).await.ok()?;
    let last = |word: &str| {
        events
            .iter()
            .filter(|event| event.action.as_deref() == Some(word))
            .max_by_key(|event| event.time_nano)
    };
    let attributes = last("die")?.actor.as_ref()?.attributes.as_ref()?;
    Some(End {
        code: attributes.get("exitCode")?.parse().ok()?,
        out_of_memory: last("oom").is_some(),
    })
}

/// One of our servers from all of its containers; none when there is nothing of it.
///
/// # Errors
/// Its record cannot be read.
pub async fn observed(
    engine: &Engine,
    identity: &Identity,
    containers: Vec<ContainerInspectResponse>,
) -> Result<Option<Observed>> {
    let record = latest(&containers).map(Record::read).transpose()?;
    let records = containers
        .iter()
        .filter(|one| role(one) == Some(RECORD))
        .count();
    let (instances, others): (Vec<_>, Vec<_>) = containers
        .into_iter()
        .partition(|one| role(one) == Some(REPLICA));
    if record.is_none() && instances.is_empty() {
        return Ok(None);
    }
    let spec = record.as_ref().map(|record| &record.spec);
    let mut seen = look(engine, spec, instances).await;
    seen.sort_by_key(|one| one.present().slot);
    let others = others
        .into_iter()
        .filter(|one| role(one) == Some(COMPANION))
        .collect();
    let companions = companions::look(engine, others, now()).await;
    Ok(Some(match record {
        Some(record) => {
            let mut observed = whole(identity, &record, &seen, &companions, now());
            let present: Vec<_> = seen.iter().map(Seen::present).collect();
            let lost = companions::lost(&record, &companions, &seen);
            let unfinished = record.removing
                || records > 1
                || !lost.is_empty()
                || (record.replicas == 0 && !companions.is_empty())
                || !converge(&record.wanted(), &present).is_empty();
            if unfinished && idle(engine, identity)? {
                observed.conditions.push(abandoned());
                observed.faults.extend(lost);
            }
            observed
        }
        None => orphaned(identity, &seen, now()),
    }))
}

/// Whether nobody on this machine works on a server.
fn idle(engine: &Engine, identity: &Identity) -> Result<bool> {
    Ok(try_take(&engine.place.locks, identity, Purpose::Work)?.is_some())
}

fn abandoned() -> Condition {
    Condition {
        kind: Observed::SUPERVISED.to_owned(),
        status: "False".to_owned(),
        reason: "WorkLeftOff".to_owned(),
        message:
            "whoever changed the server was ended before it was done; any operation on it goes on"
                .to_owned(),
        last_update: None,
    }
}

fn whole(
    identity: &Identity,
    record: &Record,
    seen: &[Seen],
    companions: &[Seen],
    now: Timestamp,
) -> Observed {
    let wanted = record.wanted();
    let patience = patience(&record.spec);
    let mut instances: Vec<Instance> = seen.iter().map(|one| one.instance(patience, now)).collect();
    if record.replicas == 0 {
        // It is stopped when these have ended too.
        instances.extend(companions.iter().map(|one| Instance {
            phase: Phase::Ending,
            ready: false,
            ..one.instance(patience, now)
        }));
    }
    let updated = seen
        .iter()
        .filter(|one| {
            let present = one.present();
            // The instance that proves a new revision is not one of those that are wanted.
            present.revision == wanted.revision
                && present.epoch == wanted.epoch
                && present.slot < wanted.replicas
        })
        .count();
    Observed {
        spec: Some(Box::new(record.spec.clone())),
        previous: record.previous.clone().map(Box::new),
        // What is being removed is of no revision: deploying it again changes it.
        revision: (!record.removing).then_some(wanted.revision),
        generation: record.generation,
        // The numbers are counted now, against what is wanted now.
        observed_generation: record.generation,
        desired: record.replicas,
        remembered: record.remembered,
        updated: count(updated),
        faults: companions::faults(record, companions, now),
        endpoints: if record.draining {
            Vec::new()
        } else {
            endpoints(&record.spec, seen)
        },
        image: record.spec.run.image.as_ref().map(ToString::to_string),
        draining: record.draining,
        created: Some(record.since),
        left_out: left_out(&record.spec),
        token: Some(record.token()),
        labels: BTreeMap::from([
            (label::NAME.to_owned(), record.spec.template.clone()),
            (label::VERSION.to_owned(), record.spec.version.clone()),
            (label::REVISION.to_owned(), record.spec.revision()),
        ]),
        ..counted(identity, instances, seen)
    }
}

/// Containers whose record is gone: somebody removed it, or pruned.
fn orphaned(identity: &Identity, seen: &[Seen], now: Timestamp) -> Observed {
    let instances: Vec<Instance> = seen
        .iter()
        .map(|one| one.instance(Duration::from_secs(30), now))
        .collect();
    Observed {
        desired: count(instances.len()),
        revision: instances.first().and_then(|one| one.revision.clone()),
        faults: vec![Fault {
            cause: Cause::Configuration,
            message: "the record of what is wanted was removed from the engine, as `docker container prune` does; delete the server and deploy it again".to_owned(),
            since: None,
        }],
        ..counted(identity, instances, seen)
    }
}

/// What can be counted without knowing what is wanted.
pub fn counted(identity: &Identity, instances: Vec<Instance>, seen: &[Seen]) -> Observed {
    let ready = count(instances.iter().filter(|one| one.ready).count());
    Observed {
        identity: identity.clone(),
        spec: None,
        previous: None,
        revision: None,
        generation: 0,
        observed_generation: 0,
        desired: 0,
        remembered: None,
        replicas: count(
            instances
                .iter()
                .filter(|one| one.phase != Phase::Ending)
                .count(),
        ),
        updated: 0,
        ready,
        available: ready,
        instances,
        faults: Vec::new(),
        endpoints: Vec::new(),
        conditions: Vec::new(),
        image: None,
        draining: false,
        autoscaled: false,
        created: seen
            .iter()
            .filter_map(|one| super::state::time(one.container.created.as_deref()))
            .min(),
        last_activity: seen.iter().filter_map(|one| activity(&one.container)).max(),
        left_out: Vec::new(),
        token: None,
        labels: BTreeMap::new(),
    }
}

/// Where each instance is reached.
fn endpoints(spec: &Spec, seen: &[Seen]) -> Vec<Endpoint> {
    let scheme = match spec.transport {
        Transport::Websocket { .. } => "ws",
        Transport::Stdio | Transport::StreamableHttp { .. } => "http",
    };
    seen.iter()
        .filter(|one| running(&one.container))
        .filter_map(|one| port(&one.container))
        .map(|port| Endpoint {
            kind: EndpointKind::Loopback,
            url: format!("{scheme}://127.0.0.1:{port}{}", spec.transport.path()),
        })
        .collect()
}

/// What of a specification an engine does not serve.
fn left_out(spec: &Spec) -> Vec<String> {
    let mut parts = Vec::new();
    if spec.volumes.iter().any(|volume| volume.size > 0) {
        parts.push("sizes of volumes: the engine's local volumes have no limit".to_owned());
    }
    if !spec.peers.egress.is_empty() {
        parts
            .push("network peers: the engine does not limit where a server connects to".to_owned());
    }
    if spec.exposure != Exposure::ClusterIp {
        parts.push("exposure: servers are published at 127.0.0.1 only".to_owned());
    }
    if spec.manages_kernels {
        parts.push("kernels as pods of their own".to_owned());
    }
    parts
}

/// Whether a container belongs to a server of ours.
pub fn is_ours(container: &ContainerInspectResponse) -> bool {
    text(container, label::MANAGED_BY).as_deref() == Some(label::MANAGED_BY_VALUE)
        && matches!(role(container), Some(RECORD | REPLICA | COMPANION))
        && labels_of(container).is_some()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
