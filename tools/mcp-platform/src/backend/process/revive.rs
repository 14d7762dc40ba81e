//! Brings back supervisors that are gone although their servers are to run, for a platform that runs
//! for long (`serve`): killed ones within moments, and those of before the machine was started anew.
//!
//! Nothing is remembered: whether one lives says its lock, that it ended says its socket. However many
//! platforms do this on one folder, the lock around every change lets one supervisor come of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use crate::backend::Scope;
use crate::model::{Change, Identity};

use super::changes::Hub;
use super::folder::Folder;
use super::perform::{needed, revive};
use super::{Surroundings, control, record};

/// A net below the reports.
const NET: Duration = Duration::from_secs(30);
/// One that lived so long did not fail at its start.
const STEADY: Duration = Duration::from_secs(60);
/// Milliseconds before one is brought back, by how often it failed in a row.
const BACK_OFF: [u64; 7] = [0, 500, 1_000, 2_000, 5_000, 10_000, 30_000];
/// How many are brought back at the same time.
const AT_A_TIME: usize = 8;
/// How many connections are held, of the few files that a process may have open; the locks of the
/// others are looked at every so often.
const CONNECTIONS: usize = 256;
const LOOK: Duration = Duration::from_secs(2);

/// What all of them share.
#[derive(Clone)]
struct Room {
    starts: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

/// Does so until it is dropped.
pub async fn run(surroundings: Surroundings, hub: Arc<Hub>) {
    let room = Room {
        starts: Arc::new(Semaphore::new(AT_A_TIME)),
        connections: Arc::new(Semaphore::new(CONNECTIONS)),
    };
    let mut guards: JoinSet<()> = JoinSet::new();
    let mut guarded: BTreeMap<Identity, Id> = BTreeMap::new();
    let mut changes = hub.changes(&surroundings.root, &Scope::default());
    let mut net = tokio::time::interval(NET);
    loop {
        let suspects = tokio::select! {
            Some(ended) = guards.join_next_with_id() => {
                // Whether it ended or panicked; a server that still needs one is found by the net.
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                guarded.retain(|_, guard| *guard != id);
                Vec::new()
            }
            change = changes.next() => match change {
                Some(Ok(Change::Server(identity))) => vec![identity],
                Some(Ok(Change::Everything)) => all(&surroundings),
                Some(Err(_)) | None => {
                    tokio::time::sleep(STEADY).await;
                    changes = hub.changes(&surroundings.root, &Scope::default());
                    Vec::new()
                }
            },
            _ = net.tick() => all(&surroundings),
        };
        for identity in suspects {
            if !guarded.contains_key(&identity) && to_run(&surroundings.root.server(&identity)) {
                let guard = guard(surroundings.clone(), identity.clone(), room.clone());
                guarded.insert(identity, guards.spawn(guard).id());
            }
        }
    }
}

fn all(surroundings: &Surroundings) -> Vec<Identity> {
    surroundings.root.servers(None).unwrap_or_default()
}

fn to_run(folder: &Folder) -> bool {
    matches!(record::read(folder), Ok(Some(record)) if record.replicas > 0 || record.removing)
}

/// Stays with one server for as long as it needs a supervisor.
async fn guard(surroundings: Surroundings, identity: Identity, room: Room) {
    let folder = surroundings.root.server(&identity);
    let mut failures = 0_usize;
    loop {
        let begun = Instant::now();
        while folder.supervised() {
            match room.connections.try_acquire() {
                Ok(_permit) => control::outlive(&folder).await,
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
        if begun.elapsed() > STEADY {
            failures = 0;
        }
        let pause = BACK_OFF[failures.min(BACK_OFF.len() - 1)];
        tokio::time::sleep(Duration::from_millis(pause)).await;
        match record::read(&folder) {
            Ok(Some(record)) if needed(&folder, &record) => {}
            _ => return,
        }
        failures += 1;
        let Ok(_permit) = room.starts.acquire().await else {
            return;
        };
        // Why it did not start is in its log, and what it means in the status.
        let _ = revive(&surroundings, &folder).await;
    }
}
