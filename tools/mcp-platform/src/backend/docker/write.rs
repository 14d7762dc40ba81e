//! Changing what is wanted: read, change, write as the next generation; a lost race is a conflict.

use std::net::TcpListener;
use std::sync::Arc;

use bollard::query_parameters::{CreateContainerOptionsBuilder, ListContainersOptionsBuilder};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::{Action, Identity, Remember};
use crate::world::now;

use super::engine::Engine;
use super::lock::{Purpose, take};
use super::record::{Record, generation, name_of, role};
use super::refuse::{is_missing, is_taken, refused};
use super::{act, names, pull};

/// Where ports are picked: below those that systems hand out by themselves.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Writes what an action asks for.
///
/// # Errors
/// `Conflict` when the server changed since it was observed, `NotFound` when there is none.
pub async fn write(engine: &Arc<Engine>, identity: &Identity, action: &Action) -> Result<()> {
    let (locks, whose) = (engine.place.locks.clone(), identity.clone());
    let _lock = tokio::task::spawn_blocking(move || take(&locks, &whose, Purpose::Record))
        .await
        .map_err(|error| Error::internal(format!("waiting for a lock: {error}")))??;
    let present = engine.record(identity).await?;
    let Some(mut record) = changed(identity, present.as_ref(), action)? else {
        return Ok(());
    };
    record.generation = present.as_ref().map_or(0, |present| present.generation) + 1;
    if matches!(action, Action::Restart) {
        record.epoch = record.generation;
    }
    add_ports(engine, &mut record).await?;
    put(engine, identity, &record).await
}

/// What is wanted after an action; none when that is what is wanted already.
fn changed(
    identity: &Identity,
    present: Option<&Record>,
    action: &Action,
) -> Result<Option<Record>> {
    if let Action::Apply {
        spec,
        replicas,
        remember,
        previous,
        expected,
    } = action
    {
        if expected.as_deref() != present.map(Record::token).as_deref() {
            return Err(Error::conflict(format!(
                "{identity} changed since it was looked at"
            )));
        }
        return Ok(Some(Record {
            generation: 0,
            spec: (**spec).clone(),
            previous: previous.as_deref().cloned(),
            replicas: *replicas,
            remembered: remembered(*remember, present.and_then(|record| record.remembered)),
            draining: present.is_some_and(|record| record.draining),
            epoch: present.map_or(0, |record| record.epoch),
            ports: present.map_or_else(Vec::new, |record| record.ports.clone()),
            removing: false,
            since: present.map_or_else(now, |record| record.since),
        }));
    }
    let Some(present) = present else {
        return Err(Error::not_found(format!("there is no server {identity}")));
    };
    let mut record = present.clone();
    match action {
        Action::Scale { from, to, remember } => {
            if present.replicas != *from && present.replicas != *to {
                return Err(Error::conflict(format!(
                    "{identity} has {} instances by now, not {from}",
                    present.replicas
                )));
            }
            record.replicas = *to;
            record.remembered = remembered(*remember, present.remembered);
        }
        Action::Cordon => record.draining = true,
        Action::Uncordon => record.draining = false,
        Action::Remove => record.removing = true,
        Action::Restart => return Ok(Some(record)),
        Action::Kill | Action::Drain { .. } | Action::Apply { .. } => return Ok(None),
    }
    Ok((record != *present).then_some(record))
}

fn remembered(remember: Remember, present: Option<u32>) -> Option<u32> {
    match remember {
        Remember::Keep => present,
        Remember::Set(replicas) => Some(replicas),
        Remember::Forget => None,
    }
}

/// Adds the ports that are missing: one for each slot, and one for the instance that proves a new
/// revision. Those that there are stay.
async fn add_ports(engine: &Engine, record: &mut Record) -> Result<()> {
    let needed = record.replicas.max(record.spec.replicas) as usize + 1;
    if record.ports.len() >= needed {
        return Ok(());
    }
    let mut taken = ports_of_all(engine).await?;
    let size = PORTS.end - PORTS.start;
    let digest = Sha256::digest(record.spec.identity.to_string().as_bytes());
    let begin = u16::from_be_bytes([digest[0], digest[1]]) % size;
    // The same server gets the same ports again, as far as they are free.
    for offset in 0..size {
        if record.ports.len() >= needed {
            return Ok(());
        }
        let port = PORTS.start + (begin + offset) % size;
        if !taken.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            taken.push(port);
            record.ports.push(port);
        }
    }
    Err(Error::unavailable(format!(
        "no port from {} to {} of 127.0.0.1 is free",
        PORTS.start, PORTS.end
    )))
}

/// The ports of all servers, stopped ones too.
async fn ports_of_all(engine: &Engine) -> Result<Vec<u16>> {
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&names::of_all())
        .build();
    let all = engine
        .docker()
        .await?
        .list_containers(Some(options))
        .await
        .map_err(|error| refused("the list of containers", error))?;
    Ok(all
        .into_iter()
        .filter_map(|one| one.labels?.get(names::PORTS).cloned())
        .flat_map(|text| {
            let ports: Vec<u16> = text
                .split(',')
                .filter_map(|port| port.parse().ok())
                .collect();
            ports
        })
        .collect())
}

async fn put(engine: &Engine, identity: &Identity, record: &Record) -> Result<()> {
    let name = names::record(identity, record.generation);
    let lost = || Error::conflict(format!("{identity} was changed by somebody else meanwhile"));
    let docker = engine.docker().await?;
    let options = || CreateContainerOptionsBuilder::new().name(&name).build();
    let body = record.body()?;
    let made = match docker.create_container(Some(options()), body.clone()).await {
        Err(error) if is_missing(&error) => {
            pull::record_image(engine).await?;
            docker.create_container(Some(options()), body).await
        }
        other => other,
    };
    match made {
        Ok(_) => {}
        Err(error) if is_taken(&error) => return Err(lost()),
        Err(error) => return Err(refused(&format!("the record of {identity}"), error)),
    }
    let all = engine.containers(&names::of_server(identity)).await?;
    let records: Vec<_> = all
        .iter()
        .filter(|one| role(one) == Some(names::RECORD))
        .collect();
    if records
        .iter()
        .any(|one| generation(one) > record.generation)
    {
        act::remove(engine, &name).await?;
        return Err(lost());
    }
    for one in records {
        if generation(one) < record.generation {
            act::remove(engine, &name_of(one)).await?;
        }
    }
    Ok(())
}
