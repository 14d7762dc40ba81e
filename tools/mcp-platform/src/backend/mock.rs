//! The same state machine as the real back ends, without anything real: for tests of this platform
//! and of its users. Time and faults are set, and equal runs give equal answers.
//!
//! From code: [`MockBackend::new`] with a [`MockClock`], [`MockBackend::set_faults`] and
//! [`MockBackend::advance`]. From the command line: `MCP_MOCK_FAULTS` (see [`MockFault`]) and
//! `MCP_MOCK_STATE`, the file that calls one after the other, and several instances of the platform,
//! share; by default it lies in the state folder. It starts no server, so nothing can be reached.

mod clock;
mod companion;
mod fault;
mod instance;
mod observe;
mod perform;
mod server;
mod store;
mod watch;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::error::{Error, Result};
use crate::model::{Action, Change, Event, Identity, LogLine, Name, Observed};
use crate::world::{self, World};

use super::{Backend, Kind, LogOptions, Reach, Scope};
use perform::key;
use server::Server;
use store::{Servers, Store};

pub use clock::{MockClock, Reading};
pub use fault::{Faults, MockFault, Setting};

/// How many changes a slow listener may miss before it has to look at everything.
const CHANGES: usize = 1024;

/// The back end. Copies share everything.
#[derive(Clone)]
pub struct MockBackend(Arc<Shared>);

struct Shared {
    clock: MockClock,
    store: Option<Store>,
    servers: Mutex<Servers>,
    faults: Mutex<Faults>,
    changes: broadcast::Sender<Change>,
}

impl MockBackend {
    /// An empty one that lives as long as it is held.
    pub fn new(clock: MockClock) -> MockBackend {
        MockBackend::with(clock, None, Faults::default())
    }

    /// One whose servers are in a file, which others may use at the same time.
    pub fn in_file(clock: MockClock, file: PathBuf) -> MockBackend {
        MockBackend::with(clock, Some(Store(file)), Faults::default())
    }

    /// One that follows the real clock, with file and faults as the surroundings say; each named
    /// cluster has a file of its own.
    ///
    /// # Errors
    /// `MCP_MOCK_FAULTS` cannot be read, or the cluster's name is no DNS-1123 label.
    pub fn from_world(world: &World, cluster: Option<&str>) -> Result<MockBackend> {
        let text = world.variable("MCP_MOCK_FAULTS").unwrap_or_default();
        let faults = Faults::parse(text).map_err(|error| Error {
            message: format!("MCP_MOCK_FAULTS: {}", error.message),
            ..error
        })?;
        if let Some(name) = cluster {
            // It becomes part of a file's name.
            Name::label(name)?;
        }
        let file = match world.variable("MCP_MOCK_STATE") {
            Some(file) => world.folder.join(file),
            None => world.state_folder().join("mock.json"),
        };
        let file = match cluster {
            Some(name) => file.with_extension(format!("{name}.json")),
            None => file,
        };
        let clock = MockClock::Follow(Arc::new(world::now));
        Ok(MockBackend::with(clock, Some(Store(file)), faults))
    }

    fn with(clock: MockClock, store: Option<Store>, faults: Faults) -> MockBackend {
        MockBackend(Arc::new(Shared {
            clock,
            store,
            servers: Mutex::new(Servers::default()),
            faults: Mutex::new(faults),
            changes: broadcast::channel(CHANGES).0,
        }))
    }

    /// Sets all faults from now on; servers that run look again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_faults(&self, faults: Faults) -> Result<()> {
        *self.0.faults() = faults;
        let now = self.0.clock.now();
        self.0.work(|servers| {
            for server in servers.servers.values_mut() {
                server.stir(now);
                server.dirty = true;
            }
            servers.due = Some(now);
            Ok(())
        })
    }

    /// Moves the clock and lets happen what is due by then.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn advance(&self, by: Duration) -> Result<()> {
        self.0.clock.advance(by);
        self.0.work(|_| Ok(()))
    }

    /// Puts a server there that this platform did not deploy, with so many instances.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn plant_foreign(&self, identity: &Identity, replicas: u32) -> Result<()> {
        let now = self.0.clock.now();
        self.0.work(|servers| {
            let mut server = Server::new(identity, servers.version + 1, now);
            server.desired = replicas;
            server.wants(now);
            servers.servers.insert(key(identity), server);
            Ok(())
        })
    }

    /// What time it is, for the service.
    pub fn clock(&self) -> Reading {
        self.0.clock.reading()
    }
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the servers as they are now; nobody else does meanwhile.
    fn work<T>(&self, work: impl FnOnce(&mut Servers) -> Result<T>) -> Result<T> {
        let now = self.clock.now();
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = self.store.as_ref().map(Store::lock).transpose()?;
        if let Some(store) = &self.store {
            *servers = store.read()?;
        }
        let before = servers.version;
        servers.advance(now, &self.faults());
        let mut changed = servers.settle();
        let worked = work(&mut servers);
        changed.extend(servers.settle());
        servers.advance(now, &self.faults());
        changed.extend(servers.settle());
        if let Some(store) = &self.store
            && servers.version != before
        {
            store.write(&servers)?;
        }
        drop(lock);
        drop(servers);
        for identity in changed {
            // Nobody listening is nobody to tell.
            let _ = self.changes.send(Change::Server(identity));
        }
        worked
    }

    /// The same for a call of the back end, which may find it away.
    fn call<T>(&self, work: impl FnOnce(&mut Servers) -> Result<T>) -> Result<T> {
        if self.faults().take_api_down() {
            return Err(Error::unavailable("the mock is told to be away")
                .hint("take api-down out of its faults"));
        }
        self.work(work)
    }

    fn found<T>(&self, identity: &Identity, work: impl FnOnce(&Server) -> Result<T>) -> Result<T> {
        self.call(|servers| match servers.servers.get(&key(identity)) {
            Some(server) => work(server),
            None => Err(Error::not_found(format!("there is no server {identity}"))
                .hint("mcp-platform list")),
        })
    }
}

fn fits(scope: &Scope, server: &Server) -> bool {
    let namespace = scope.namespace.as_ref();
    let template = server.spec.as_ref().map(|spec| &spec.template);
    namespace.is_none_or(|namespace| *namespace == server.identity.namespace)
        && (scope.template.is_none() || scope.template.as_ref() == template)
}

#[async_trait]
impl Backend for MockBackend {
    fn kind(&self) -> Kind {
        Kind::Mock
    }

    fn place(&self) -> String {
        match &self.0.store {
            Some(store) => store.0.display().to_string(),
            None => "memory".to_owned(),
        }
    }

    async fn reachable(&self) -> Result<()> {
        self.0.call(|_| Ok(()))
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Arc<Observed>>> {
        self.0.call(|servers| {
            let all = servers.servers.values_mut();
            let mut all: Vec<Arc<Observed>> = all
                .filter(|server| fits(scope, server))
                .map(Server::seen)
                .collect();
            all.sort_by(|one, other| one.identity.cmp(&other.identity));
            Ok(all)
        })
    }

    async fn observe(&self, identity: &Identity) -> Result<Option<Observed>> {
        self.0.call(|servers| {
            let server = servers.servers.get(&key(identity));
            Ok(server.map(observe::observed))
        })
    }

    async fn perform(&self, identity: &Identity, action: &Action) -> Result<()> {
        let now = self.0.clock.now();
        let conflict = matches!(action, Action::Apply { .. } | Action::Scale { .. })
            && self.0.faults().take_conflict(identity);
        self.0.call(|servers| {
            if conflict {
                return Err(Error::conflict(format!(
                    "{identity} was changed by somebody else at the same time"
                )));
            }
            let performed = perform::perform(servers, identity, action, now);
            // What was written may be due at once.
            servers.due = servers.due.min(Some(now)).or(Some(now));
            performed
        })
    }

    fn changes(&self, scope: &Scope) -> BoxStream<'static, Result<Change>> {
        watch::changes(self, scope)
    }

    async fn logs(
        &self,
        identity: &Identity,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        watch::logs(self, identity, options)
    }

    async fn events(&self, identity: &Identity) -> Result<Vec<Event>> {
        self.0.found(identity, |server| Ok(server.events.clone()))
    }

    async fn reach(&self, identity: &Identity, instance: Option<&str>) -> Result<Reach> {
        self.0.found(identity, |server| {
            let named = |name: &str| server.instances.iter().any(|one| one.name == name);
            if let Some(name) = instance.filter(|name| !named(name)) {
                return Err(Error::not_found(format!(
                    "{identity} has no instance {name:?}"
                )));
            }
            if !server.instances.iter().any(instance::Instance::ready) {
                return Err(Error::conflict(format!("nothing of {identity} is running"))
                    .hint(format!("mcp-platform start {}", identity.name)));
            }
            Err(
                Error::precondition("the mock starts no server that could be reached")
                    .hint("use --backend process for a real one"),
            )
        })
    }

    async fn objects(&self, identity: &Identity) -> Result<Vec<String>> {
        self.0.call(|servers| {
            let server = servers.servers.get(&key(identity));
            Ok(server.map(observe::objects).unwrap_or_default())
        })
    }
}

/// When something happens next, for those who wait.
fn next_due(servers: &Servers) -> Option<Timestamp> {
    servers.due
}
