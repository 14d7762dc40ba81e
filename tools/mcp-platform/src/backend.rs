//! What can run servers, behind one trait. One file a back end, one line in [`kinds`].

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::Serialize;
use url::Url;

use crate::error::{Error, Result};
use crate::image;
use crate::model::{Action, Change, Event, Identity, ImageReference, LogLine, Name, Observed};
use crate::world::World;

pub mod docker;
pub mod kubernetes;
pub mod mock;
pub mod process;

/// Every kind of back end, by the word in `MCP_DEPLOYMENT_BACKEND`.
pub const KINDS: [Kind; 4] = [Kind::Process, Kind::Docker, Kind::Kubernetes, Kind::Mock];

/// A kind of back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Supervised processes of this machine.
    Process,
    /// Containers of a Docker engine.
    Docker,
    /// A Kubernetes cluster.
    Kubernetes,
    /// The same state machine, with a clock and faults that are set: for tests.
    Mock,
}

impl Kind {
    /// The word in options and answers.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Process => "process",
            Kind::Docker => "docker",
            Kind::Kubernetes => "kubernetes",
            Kind::Mock => "mock",
        }
    }
}

/// Which servers are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Those of one namespace; none: of all that the back end shows us.
    pub namespace: Option<Name>,
    /// Those of one template.
    pub template: Option<String>,
}

/// Which lines of which instances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with new lines as they come.
    pub follow: bool,
    /// Only the last so many lines of each instance.
    pub tail: Option<u32>,
    /// Only this instance.
    pub instance: Option<String>,
    /// What the instance before the last restart wrote, where the back end keeps it.
    pub previous: bool,
}

/// A way from this machine to a server, kept open as long as it is held.
pub struct Reach {
    /// `http://127.0.0.1:port`, without a path.
    pub base: Url,
    /// What keeps it open, such as a port forwarded through the cluster's API.
    pub guard: Option<Box<dyn Send + Sync>>,
}

/// A wheel that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWheel {
    /// Its absolute path, or `name==version`.
    pub wheel: String,
    /// The sha256 of the file; none for one of the package index.
    pub sha256: Option<String>,
}

/// What a creation that failed leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedCreation {
    /// Parts of it, for whoever asked for it to remove.
    Parts,
    /// Nothing of its own: what is there by then is somebody else's.
    Nothing,
}

/// Something that can run servers.
///
/// State is what it answers at the moment it is asked; it keeps nothing of its own that could
/// differ from what really runs, so that any number of instances of the platform may use it.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Which kind it is.
    fn kind(&self) -> Kind;

    /// Where it is, for people: a context, a socket, a folder. No secrets.
    fn place(&self) -> String;

    /// Whether it can be used now.
    ///
    /// # Errors
    /// It cannot be reached, or refuses us.
    async fn reachable(&self) -> Result<()>;

    /// Begins to keep answers up to date by watches, for platforms that run for long and are asked
    /// often. What is written through this back end is never missing in its answers.
    ///
    /// A back end whose servers are kept running by something that can itself be lost brings that
    /// back meanwhile.
    fn keep_watching(&self) {}

    /// Ends what [`Backend::keep_watching`] began: the program is about to end.
    fn stop_watching(&self) {}

    /// All servers of a scope, foreign ones included, sorted by identity. A back end that holds its
    /// answers gives the same one again as long as nothing changed, so that whoever makes something
    /// of an answer need not make it again.
    ///
    /// # Errors
    /// It cannot be reached or refuses.
    async fn list(&self, scope: &Scope) -> Result<Vec<Arc<Observed>>>;

    /// One server; none when there is no such.
    ///
    /// # Errors
    /// It cannot be reached or refuses.
    async fn observe(&self, identity: &Identity) -> Result<Option<Observed>>;

    /// Performs one action and returns when the back end has taken it, not when it has come true.
    /// Performing it again does no more.
    ///
    /// # Errors
    /// `Conflict` when the server changed since it was observed, else what the back end says.
    async fn perform(&self, identity: &Identity, action: &Action) -> Result<()>;

    /// What an [`Action::Apply`] leaves that was to create a server and failed.
    fn failed_creation(&self) -> FailedCreation {
        FailedCreation::Parts
    }

    /// An item whenever something may have changed, without end. It may say so too often, never
    /// too rarely, and begins with [`Change::Everything`] once it is watching.
    fn changes(&self, scope: &Scope) -> BoxStream<'static, Result<Change>>;

    /// What a server writes, of all its instances.
    ///
    /// # Errors
    /// `NotFound` when there is no such server or instance.
    async fn logs(
        &self,
        identity: &Identity,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine>>>;

    /// What happened to a server and its instances, oldest first, as far as the back end keeps it.
    ///
    /// # Errors
    /// It cannot be reached or refuses.
    async fn events(&self, identity: &Identity) -> Result<Vec<Event>>;

    /// A way to a server, or to one of its instances.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when nothing of it is running.
    async fn reach(&self, identity: &Identity, instance: Option<&str>) -> Result<Reach>;

    /// Every object of the back end that carries the server's labels, `kind/name`, sorted.
    ///
    /// # Errors
    /// It cannot be reached or refuses.
    async fn objects(&self, identity: &Identity) -> Result<Vec<String>>;

    /// The wheel that a request means, looked for and hashed; none on back ends that run none.
    ///
    /// # Errors
    /// There is none, or more than one.
    async fn find_wheel(&self, _wheel: &str) -> Result<Option<FoundWheel>> {
        Ok(None)
    }

    /// Where its images come from; none: it runs none, or somebody else sees to that.
    fn images(&self) -> Option<&image::Settings> {
        None
    }

    /// An image that it has already and that need not be fetched.
    ///
    /// # Errors
    /// It cannot be reached or refuses.
    async fn held_image(&self, _reference: &ImageReference) -> Result<Option<image::Held>> {
        Ok(None)
    }

    /// Takes the archive of an image; `name` says under which repository it is kept.
    ///
    /// # Errors
    /// It takes no archives, or not this one.
    async fn load_image(&self, archive: &Path, _name: &ImageReference) -> Result<image::Held> {
        Err(Error::precondition(format!(
            "the back end {} does not take image archives such as {}",
            self.kind().word(),
            archive.display()
        )))
    }
}

/// A back end that is shared.
pub type Shared = Arc<dyn Backend>;

/// Opens the back end of a kind with what the surroundings say; it is not asked anything yet.
///
/// # Errors
/// Its configuration cannot be read, or names something that is not there.
pub async fn open(kind: Kind, world: &World, cluster: Option<&str>) -> Result<Shared> {
    if matches!(kind, Kind::Process | Kind::Docker) && cluster.is_some() {
        // Whoever forgot --backend would change another place than the one that was named.
        return Err(Error::invalid(format!(
            "the back end {} has one place and no clusters",
            kind.word()
        ))
        .hint("--cluster is for --backend kubernetes"));
    }
    match kind {
        Kind::Docker => Ok(Arc::new(docker::Docker::from_world(world)?)),
        Kind::Kubernetes => Ok(Arc::new(
            kubernetes::Kubernetes::open(world, cluster).await?,
        )),
        Kind::Process => Ok(Arc::new(process::ProcessBackend::new(world))),
        Kind::Mock => Ok(Arc::new(mock::MockBackend::from_world(world, cluster)?)),
    }
}
