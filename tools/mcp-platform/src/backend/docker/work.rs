//! Brings the containers of one server to what its record says, step by step, and reads the record
//! anew before each step: whoever changes it meanwhile is served by the same work.
//!
//! The work has a thread and a runtime of its own, so that a program that was told not to wait for a
//! rollout still ends only when the rollout has. Killed in the middle, it is taken up by the next
//! operation on the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bollard::models::ContainerInspectResponse;
use futures::future::try_join_all;
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::model::Identity;

use super::converge::{Step, converge};
use super::engine::Engine;
use super::lock::{Lock, Purpose, take, try_take};
use super::record::{Record, generation, latest, name_of, role};
use super::{act, companions, names, observe};

/// Between two looks at an instance that is not ready yet.
const LOOK: Duration = Duration::from_millis(200);

/// After the engine refused something.
const PAUSE: Duration = Duration::from_secs(2);

/// How long one change may take before nobody goes on with it.
const ROLLOUT: Duration = Duration::from_secs(900);

/// Whoever waits for the first steps.
type Teller = Option<oneshot::Sender<Result<()>>>;

/// Begins to work on a server and returns when everything that can be done at once has been.
///
/// # Errors
/// What the first steps said.
pub async fn begin(engine: &Arc<Engine>, identity: &Identity) -> Result<()> {
    let (teller, first) = oneshot::channel();
    let engine = engine.again()?;
    let identity = identity.clone();
    let over = Arc::default();
    tokio::task::spawn_blocking(move || {
        let mut teller = Some(teller);
        let lock = wait_for(&engine, &identity, &mut teller);
        alone(&engine, &identity, lock, &mut teller, &over);
    });
    first.await.unwrap_or(Ok(()))
}

/// Goes on with work that was left off, unless somebody works on the server; until it is done or
/// over.
pub fn resume(engine: &Arc<Engine>, identity: &Identity, over: Arc<AtomicBool>) {
    let Ok(engine) = engine.again() else { return };
    let identity = identity.clone();
    tokio::task::spawn_blocking(move || {
        let lock = try_take(&engine.place.locks, &identity, Purpose::Work);
        if let Some(lock) = lock.transpose() {
            alone(&engine, &identity, lock, &mut None, &over);
        }
    });
}

/// The lock of those who work on a server; while somebody else does, it is waited for.
fn wait_for(engine: &Engine, identity: &Identity, teller: &mut Teller) -> Result<Lock> {
    match try_take(&engine.place.locks, identity, Purpose::Work)? {
        Some(lock) => Ok(lock),
        None => {
            // They read the record before each step, and so see ours.
            tell(teller, Ok(()));
            take(&engine.place.locks, identity, Purpose::Work)
        }
    }
}

/// Works while nobody else on this machine does.
fn alone(
    engine: &Engine,
    identity: &Identity,
    lock: Result<Lock>,
    teller: &mut Teller,
    over: &AtomicBool,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("cannot start a runtime: {error}")));
    match lock.and_then(|lock| Ok((lock, runtime?))) {
        Ok((_lock, runtime)) => runtime.block_on(work(engine, identity, teller, over)),
        Err(error) => tell(teller, Err(error)),
    }
}

fn tell(teller: &mut Teller, result: Result<()>) {
    if let Some(teller) = teller.take() {
        // Nobody may be waiting any more.
        let _ = teller.send(result);
    }
}

/// What one round of steps came to.
enum Round {
    /// Everything is as wanted.
    Done,
    /// More can be done at once.
    More,
    /// Nothing can be done for the moment.
    Pause(u64, Duration),
}

async fn work(engine: &Engine, identity: &Identity, teller: &mut Teller, over: &AtomicBool) {
    let mut begun = Instant::now();
    let mut generation = 0;
    loop {
        match round(engine, identity, teller).await {
            Ok(Round::Done) => return tell(teller, Ok(())),
            Ok(Round::More) => {}
            Ok(Round::Pause(at, pause)) => {
                tell(teller, Ok(()));
                if at != generation {
                    (generation, begun) = (at, Instant::now());
                }
                tokio::time::sleep(pause).await;
            }
            Err(error) if teller.is_some() => return tell(teller, Err(error)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        if begun.elapsed() > ROLLOUT || over.load(Ordering::SeqCst) {
            return;
        }
    }
}

async fn round(engine: &Engine, identity: &Identity, teller: &mut Teller) -> Result<Round> {
    let Some(record) = engine.record(identity).await? else {
        return Ok(Round::Done);
    };
    if record.removing {
        tell(teller, Ok(()));
        remove_all(engine, identity, record.spec.grace_seconds).await?;
        return Ok(Round::Done);
    }
    if record.replicas > 0 {
        act::ensure_networks(engine, &record.spec).await?;
        companions::converge(engine, &record).await?;
    }
    let all = engine.containers(&names::of_server(identity)).await?;
    // Whoever wrote the newest was ended before the older ones were removed.
    for one in all.iter().filter(|one| role(one) == Some(names::RECORD)) {
        if generation(one) < record.generation {
            act::remove(engine, &name_of(one)).await?;
        }
    }
    let instances = all
        .into_iter()
        .filter(|one| role(one) == Some(names::REPLICA) && !super::state::removing(one))
        .collect();
    let seen = observe::look(engine, Some(&record.spec), instances).await;
    let present: Vec<_> = seen.iter().map(super::state::Seen::present).collect();
    let steps = converge(&record.wanted(), &present);
    if steps.is_empty() {
        if record.replicas == 0 {
            companions::converge(engine, &record).await?;
        }
        return Ok(Round::Done);
    }
    if steps.iter().any(|step| matches!(step, Step::Retire { .. })) {
        tell(teller, Ok(()));
    }
    let taken = try_join_all(steps.iter().map(|step| take_step(engine, &record, step))).await?;
    Ok(match taken.into_iter().max().unwrap_or(Taken::Done) {
        Taken::Done => Round::More,
        Taken::Waits => Round::Pause(record.generation, LOOK),
        Taken::Refused => Round::Pause(record.generation, PAUSE),
    })
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Done,
    Waits,
    Refused,
}

async fn take_step(engine: &Engine, record: &Record, step: &Step) -> Result<Taken> {
    match step {
        Step::Create { slot } => act::create(engine, record, *slot).await?,
        Step::Start { name } => {
            if !act::start(engine, name).await? {
                return Ok(Taken::Refused);
            }
        }
        Step::Retire { name } => {
            // Before a stop the service waits for sessions by itself.
            if record.replicas == 0 || act::drained(engine, record, name).await? {
                act::end(engine, name, record.spec.grace_seconds).await?;
            }
        }
        Step::Discard { name } => act::remove(engine, name).await?,
        Step::Wait => return Ok(Taken::Waits),
    }
    Ok(Taken::Done)
}

/// Ends the instances of a server at once, and those companions that end with it when it is stopped.
///
/// # Errors
/// The engine does not.
pub async fn kill(engine: &Engine, containers: &[ContainerInspectResponse]) -> Result<()> {
    let record = latest(containers).map(Record::read).transpose()?;
    let stopped = record.is_some_and(|record| record.replicas == 0);
    let of = |wanted: &'static str| {
        containers
            .iter()
            .filter(move |one| role(one) == Some(wanted))
    };
    for one in of(names::REPLICA) {
        act::remove(engine, &name_of(one)).await?;
    }
    for one in of(names::COMPANION).filter(|_| stopped) {
        act::remove(engine, &name_of(one)).await?;
    }
    Ok(())
}

/// Removes everything of a server, what says that it is wanted at last.
///
/// # Errors
/// The engine does not remove something: somebody else uses it.
pub async fn remove_all(engine: &Engine, identity: &Identity, grace: u32) -> Result<()> {
    let filters = names::of_server(identity);
    let docker = engine.docker().await?;
    let all = engine.containers(&filters).await?;
    let (records, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|one| role(one) == Some(names::RECORD));
    let ends = others
        .iter()
        .map(|one| async { act::end(engine, &name_of(one), grace).await });
    try_join_all(ends).await?;
    for network in engine.networks(&filters).await? {
        match docker.remove_network(&network).await {
            Err(error) if !super::refuse::is_missing(&error) => {
                return Err(super::refuse::refused(
                    &format!("removing the network {network}"),
                    error,
                ));
            }
            _ => {}
        }
    }
    for volume in engine.volumes(&filters).await? {
        let options = None::<bollard::query_parameters::RemoveVolumeOptions>;
        match docker.remove_volume(&volume, options).await {
            Err(error) if !super::refuse::is_missing(&error) => {
                return Err(super::refuse::refused(
                    &format!("removing the volume {volume}"),
                    error,
                ));
            }
            _ => {}
        }
    }
    for one in records {
        act::remove(engine, &name_of(&one)).await?;
    }
    Ok(())
}
