//! The services that belong to a server: made with it, ended with it, their volumes kept until it is
//! deleted.

use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::model::{Cause, Companion, Fault, label};

use super::engine::Engine;
use super::record::{Record, name_of, role};
use super::state::{Seen, started, text};
use super::{act, body, converge::Life, names, observe, pull};

/// How long one has to run after it was started again until it counts as well.
const STEADY: SignedDuration = SignedDuration::from_secs(10);

/// Looks at companions. They have no page to look at: one that runs is well, unless it ended a moment
/// ago and may do so again.
pub async fn look(
    engine: &Engine,
    containers: Vec<ContainerInspectResponse>,
    now: Timestamp,
) -> Vec<Seen> {
    let mut all = Vec::new();
    for container in containers {
        let again = container.restart_count.unwrap_or(0) > 0;
        let recent = started(&container).is_none_or(|since| now.duration_since(since) < STEADY);
        let well = !(again && recent);
        let end = if well {
            None
        } else {
            observe::last_end(engine, &container).await
        };
        all.push(Seen {
            container,
            look: Some(if well {
                Ok(())
            } else {
                Err("it was started again a moment ago".to_owned())
            }),
            end,
        });
    }
    all
}

/// The companions that are to run: none while the server is stopped or removed.
fn wanted(record: &Record) -> impl Iterator<Item = &Companion> {
    let runs = record.replicas > 0 && !record.removing;
    let all = record.spec.companions.iter();
    all.filter(move |companion| companion.enabled && runs)
}

/// What is wrong with the companions of a server that is to run.
pub fn faults(record: &Record, there: &[Seen], now: Timestamp) -> Vec<Fault> {
    let identity = &record.spec.identity;
    wanted(record)
        .filter_map(|companion| {
            let name = names::companion(identity, &companion.name);
            let one = there.iter().find(|one| name_of(&one.container) == name)?;
            let fault = one.instance(Duration::ZERO, now).fault?;
            let why = fault.message.strip_prefix(&name).unwrap_or(&fault.message);
            Some(Fault {
                message: format!("the companion {}{why}", companion.name),
                ..fault
            })
        })
        .collect()
}

/// The companions that somebody took away while an instance of the wanted revision, before which they
/// were made, is there.
pub fn lost(record: &Record, there: &[Seen], instances: &[Seen]) -> Vec<Fault> {
    let identity = &record.spec.identity;
    let (revision, epoch) = (record.spec.revision(), record.epoch);
    let came_after = instances.iter().map(Seen::present);
    if !came_after
        .into_iter()
        .any(|one| one.revision == revision && one.epoch == epoch)
    {
        return Vec::new();
    }
    wanted(record)
        .filter(|companion| {
            let name = names::companion(identity, &companion.name);
            there.iter().all(|one| name_of(&one.container) != name)
        })
        .map(|companion| Fault {
            cause: Cause::Exited,
            message: format!(
                "the companion {} was removed from the engine; start the server again",
                companion.name
            ),
            since: None,
        })
        .collect()
}

/// Brings the companions to what is wanted: none while the server is stopped.
///
/// # Errors
/// One cannot be made or ended.
pub async fn converge(engine: &Engine, record: &Record) -> Result<()> {
    let identity = &record.spec.identity;
    let there = engine.containers(&names::of_server(identity)).await?;
    let there: Vec<Seen> = there
        .into_iter()
        .filter(|one| role(one) == Some(names::COMPANION))
        .map(|container| Seen {
            container,
            look: None,
            end: None,
        })
        .collect();
    let wanted: Vec<&Companion> = wanted(record).collect();
    for one in &there {
        let name = name_of(&one.container);
        let keep = wanted.iter().any(|companion| {
            names::companion(identity, &companion.name) == name
                && text(&one.container, label::REVISION) == Some(revision(record, companion))
                && one.present().life != Life::HalfMade
        });
        if !keep {
            act::end(engine, &name, record.spec.grace_seconds).await?;
        }
    }
    for companion in wanted {
        let name = names::companion(identity, &companion.name);
        match engine.container(&name).await? {
            None => create(engine, record, companion).await?,
            Some(container) => {
                let seen = Seen {
                    container,
                    look: None,
                    end: None,
                };
                if seen.present().life == Life::Down {
                    act::start(engine, &name).await?;
                }
            }
        }
    }
    Ok(())
}

async fn create(engine: &Engine, record: &Record, companion: &Companion) -> Result<()> {
    let spec = &record.spec;
    let name = names::companion(&spec.identity, &companion.name);
    pull::ensure(engine, &companion.image).await?;
    if let Some(volume) = &companion.volume {
        let volume = names::companion_volume(&spec.identity, &companion.name, &volume.name);
        act::ensure_volume(engine, spec, &volume).await?;
    }
    let body = body::companion(record, companion, &revision(record, companion));
    act::make(engine, &name, body).await?;
    if let Some(volume) = &companion.volume {
        let volume = names::companion_volume(&spec.identity, &companion.name, &volume.name);
        act::hand_over(engine, spec, &volume, &companion.user.to_string()).await?;
    }
    act::start(engine, &name).await?;
    Ok(())
}

/// A word for what makes a companion what it is. Its secrets come in by the keys only: they are made
/// once and stay.
fn revision(record: &Record, companion: &Companion) -> String {
    let text = serde_json::to_vec(&(&record.spec.template, companion)).unwrap_or_default();
    let digest = Sha256::digest(&text);
    digest.iter().take(5).map(|b| format!("{b:02x}")).collect()
}
