//! Servers as supervised processes of this machine: the back end that needs nothing but this
//! program. One folder a server, one detached supervisor a running server.
//!
//! State is what the supervisor answers; when it is gone, what the system says of its processes.
//! This file changes what is wanted and tells the supervisor; it starts no server itself.

mod changes;
mod command;
mod control;
mod converge;
mod environment;
mod folder;
mod front;
mod instance;
mod journal;
mod keeper;
mod look;
mod members;
mod observe;
mod orphans;
mod perform;
mod probing;
mod record;
mod revive;
mod state;
pub mod supervise;
mod tail;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt as _};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::model::{Action, Cause, Change, Event, Fault, Identity, LogLine, Observed, label};
use crate::world::World;

use super::{Backend, FoundWheel, Kind, LogOptions, Reach, Scope};
use folder::{Folder, Root};
use observe::Keeping;
use record::{Record, Wheel};
use state::Ask;

/// How many supervisors are asked at a time.
const AT_A_TIME: usize = 32;

/// How long a look waits for a change that is being made.
const SETTLING: Duration = Duration::from_secs(5);

/// The back end.
pub struct ProcessBackend {
    surroundings: Surroundings,
    hub: Arc<changes::Hub>,
    /// What brings supervisors back, while it does.
    reviver: Mutex<Option<JoinHandle<()>>>,
}

/// What it needs to know of the machine.
#[derive(Clone)]
struct Surroundings {
    root: Root,
    program: PathBuf,
    working: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Drop for ProcessBackend {
    fn drop(&mut self) {
        self.stop_watching();
    }
}

impl ProcessBackend {
    /// Keeps its servers in the state folder of these surroundings.
    pub fn new(world: &World) -> ProcessBackend {
        ProcessBackend {
            surroundings: Surroundings {
                root: Root(world.state_folder()),
                program: world.program.clone(),
                working: world.folder.clone(),
                environment: command::passed(&world.environment),
            },
            hub: Arc::default(),
            reviver: Mutex::default(),
        }
    }

    async fn found(&self, identity: &Identity) -> Result<(Folder, Record)> {
        let folder = self.surroundings.root.server(identity);
        match record::read(&folder)? {
            Some(record) => Ok((folder, record)),
            None => Err(missing(identity)),
        }
    }

    async fn look(&self, identity: &Identity) -> Result<Option<Observed>> {
        let folder = self.surroundings.root.server(identity);
        let Some(record) = record::read(&folder)? else {
            return Ok(None);
        };
        let mut keeping = keeping(&folder, &record).await?;
        let missed =
            matches!(keeping, Keeping::Alone(..)) && (record.replicas > 0 || record.removing);
        let mut record = record;
        if missed && settled(&folder).await {
            // Whoever was changing it has brought a supervisor, or has been killed.
            let Some(again) = record::read(&folder)? else {
                return Ok(None);
            };
            record = again;
            keeping = self::keeping(&folder, &record).await?;
        }
        // It may have been removed while its supervisor was asked.
        Ok(folder
            .record()
            .exists()
            .then(|| observe::observed(&record, keeping)))
    }
}

/// Who keeps the server, and what they say.
async fn keeping(folder: &Folder, record: &Record) -> Result<Keeping> {
    match control::ask(folder, Ask::State).await? {
        Some(answer) if answer.incarnation == record.incarnation => Ok(Keeping::Supervised(answer)),
        Some(_) | None => {
            let stored = orphans::stored(folder, record);
            let alive = orphans::left(record, &stored);
            Ok(Keeping::Alone(stored, alive))
        }
    }
}

/// Waits for somebody who is changing the server at this moment; says whether anybody was.
async fn settled(folder: &Folder) -> bool {
    let until = Instant::now() + SETTLING;
    let mut waited = false;
    while Instant::now() < until && matches!(folder.try_lock_change(), Ok(None)) {
        waited = true;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    waited || folder.supervised()
}

fn missing(identity: &Identity) -> Error {
    Error::not_found(format!("there is no server {identity}")).hint("mcp-platform list")
}

/// A server whose record cannot be read is shown as what it is, so that the others can be listed.
fn broken(identity: &Identity, error: Error) -> Observed {
    Observed {
        identity: identity.clone(),
        spec: None,
        previous: None,
        revision: None,
        generation: 0,
        observed_generation: 0,
        desired: 1,
        remembered: None,
        replicas: 0,
        updated: 0,
        ready: 0,
        available: 0,
        instances: Vec::new(),
        faults: vec![Fault {
            cause: Cause::Configuration,
            message: error.message,
            since: None,
        }],
        endpoints: Vec::new(),
        conditions: Vec::new(),
        image: None,
        draining: false,
        autoscaled: false,
        created: None,
        last_activity: None,
        left_out: Vec::new(),
        token: None,
        labels: BTreeMap::from([(label::INSTANCE.to_owned(), identity.name.to_string())]),
    }
}

#[async_trait]
impl Backend for ProcessBackend {
    fn kind(&self) -> Kind {
        Kind::Process
    }

    fn place(&self) -> String {
        self.surroundings.root.0.display().to_string()
    }

    async fn reachable(&self) -> Result<()> {
        folder::make_folder(&self.surroundings.root.0)?;
        folder::room(&self.surroundings.root.0)
    }

    fn keep_watching(&self) {
        let mut reviver = self.reviver.lock().unwrap_or_else(PoisonError::into_inner);
        if reviver.is_none() {
            let reviving = revive::run(self.surroundings.clone(), self.hub.clone());
            *reviver = Some(tokio::spawn(reviving));
        }
    }

    fn stop_watching(&self) {
        let mut reviver = self.reviver.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reviver) = reviver.take() {
            reviver.abort();
        }
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Arc<Observed>>> {
        let identities = self.surroundings.root.servers(scope.namespace.as_ref())?;
        let looks = identities.into_iter().map(|identity| async move {
            match self.look(&identity).await {
                Ok(observed) => observed,
                Err(error) => Some(broken(&identity, error)),
            }
        });
        let all: Vec<Option<Observed>> = futures::stream::iter(looks)
            .buffered(AT_A_TIME)
            .collect()
            .await;
        let fits = |observed: &Observed| match (&scope.template, &observed.spec) {
            (None, _) => true,
            (Some(template), Some(spec)) => spec.template == *template,
            (Some(_), None) => false,
        };
        let fitting = all.into_iter().flatten().filter(fits);
        Ok(fitting.map(Arc::new).collect())
    }

    async fn observe(&self, identity: &Identity) -> Result<Option<Observed>> {
        self.look(identity).await
    }

    async fn perform(&self, identity: &Identity, action: &Action) -> Result<()> {
        perform::perform(&self.surroundings, identity, action).await
    }

    fn changes(&self, scope: &Scope) -> BoxStream<'static, Result<Change>> {
        self.hub.changes(&self.surroundings.root, scope)
    }

    async fn logs(
        &self,
        identity: &Identity,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        let (folder, _) = self.found(identity).await?;
        tail::read(&folder, identity, options)
    }

    async fn events(&self, identity: &Identity) -> Result<Vec<Event>> {
        let (folder, _) = self.found(identity).await?;
        Ok(journal::events(&folder))
    }

    async fn reach(&self, identity: &Identity, instance: Option<&str>) -> Result<Reach> {
        let (folder, record) = self.found(identity).await?;
        let stopped = || {
            Error::conflict(format!("nothing of {identity} is running"))
                .hint(format!("mcp-platform start {}", identity.name))
        };
        let Keeping::Supervised(answer) = keeping(&folder, &record).await? else {
            return Err(stopped());
        };
        let port = match instance {
            None => answer.port.filter(|_| !answer.instances.is_empty()),
            Some(name) => match answer.instances.get(name) {
                Some(state) => state.port,
                None => {
                    return Err(
                        Error::not_found(format!("{identity} has no instance {name:?}"))
                            .hint(format!("mcp-platform status {}", identity.name)),
                    );
                }
            },
        };
        let port = port.ok_or_else(stopped)?;
        let base = format!("http://127.0.0.1:{port}")
            .parse()
            .map_err(|error| Error::internal(format!("port {port}: {error}")))?;
        Ok(Reach { base, guard: None })
    }

    async fn find_wheel(&self, wheel: &str) -> Result<Option<FoundWheel>> {
        Ok(Some(
            match environment::resolve(wheel, &self.surroundings.working)? {
                Wheel::File { path, sha256 } => FoundWheel {
                    wheel: path,
                    sha256: Some(sha256),
                },
                Wheel::Index(requirement) => FoundWheel {
                    wheel: requirement,
                    sha256: None,
                },
            },
        ))
    }

    async fn objects(&self, identity: &Identity) -> Result<Vec<String>> {
        let folder = self.surroundings.root.server(identity);
        let Some(record) = record::read(&folder)? else {
            return Ok(Vec::new());
        };
        let mut objects = vec![format!("folder/{}", folder.0.display())];
        if folder.supervised() {
            objects.push(format!("supervisor/{}", identity.name));
        }
        let left = members::members(&format!("{}.", record.incarnation), None);
        objects.extend(
            left.iter()
                .map(|member| format!("process/{}", member.number())),
        );
        objects.extend(
            record
                .wheel
                .iter()
                .map(|wheel| format!("environment/{}", environment::key(wheel))),
        );
        objects.sort();
        Ok(objects)
    }
}
