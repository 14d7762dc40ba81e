//! Servers on a Kubernetes cluster: Deployments and StatefulSets with the label
//! `app.kubernetes.io/component=mcp-server`, ours and foreign ones.

pub mod answer;
mod apply;
mod cache;
mod caches;
mod changes;
pub mod clusters;
mod companions;
mod endpoints;
mod events;
mod fetch;
mod kept;
pub mod kinds;
mod logs;
mod observe;
mod parts;
mod pods;
mod prune;
mod reach;
mod remove;
mod settings;
mod steer;
mod store;
mod workload;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;
use kube::Client;
use tokio::sync::OnceCell;

use crate::error::Result;
use crate::image;
use crate::manifest::RenderOptions;
use crate::model::{Action, Change, Event, Identity, LogLine, Observed, Spec};
use crate::world::World;

use super::{Backend, FailedCreation, Kind, LogOptions, Reach, Scope};

use caches::Caches;
use kinds::Served;

/// Who applies whole objects.
pub const FIELD_MANAGER: &str = "mcp-platform";
/// Who changes single fields of objects that are there.
pub const STEERING_MANAGER: &str = "mcp-platform-steering";
/// What follows namespace in the names of Services, unless `K8S_DNS_SUFFIX` says otherwise.
pub const DNS_SUFFIX: &str = "svc.cluster.local";

/// On which side of the cluster's border we run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In one of its pods.
    Inside,
    /// Elsewhere.
    Outside,
}

/// Additional annotations of a server's pods.
pub type PodAnnotations = Arc<dyn Fn(&Spec) -> BTreeMap<String, String> + Send + Sync>;

/// What the back end is told besides where the cluster is.
#[derive(Clone)]
pub struct Options {
    /// On which side we run.
    pub side: Side,
    /// What follows the namespace in the names of Services.
    pub dns_suffix: String,
    /// How objects are made from a specification.
    pub render: RenderOptions,
    /// Additional annotations of pods, such as those by which a service mesh is told what to do.
    pub pod_annotations: PodAnnotations,
    /// The clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// A word that nobody else has.
    pub random: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Options {
    /// What is usual on one side.
    pub fn usual(side: Side) -> Options {
        Options {
            side,
            dns_suffix: DNS_SUFFIX.to_owned(),
            render: RenderOptions::default(),
            pod_annotations: Arc::new(|_| BTreeMap::new()),
            clock: Arc::new(crate::world::now),
            random: Arc::new(crate::world::random),
        }
    }
}

/// A cluster.
pub struct Kubernetes {
    client: Client,
    place: String,
    options: Options,
    served: OnceCell<Served>,
    caches: OnceLock<Arc<Caches>>,
    images: Option<image::Settings>,
}

impl Kubernetes {
    /// The cluster of that name, see [`clusters`]; by none, the current one.
    ///
    /// # Errors
    /// There is no such cluster, or its kubeconfig cannot be used.
    pub async fn open(world: &World, cluster: Option<&str>) -> Result<Kubernetes> {
        let connection = clusters::connect(world, cluster).await?;
        let mut options = Options {
            render: settings::render_options(world)?,
            ..Options::usual(connection.side)
        };
        if let Some(suffix) = world.variable("K8S_DNS_SUFFIX") {
            options.dns_suffix = suffix.trim_matches('.').to_owned();
        }
        let place = format!("{} ({})", connection.name, connection.server);
        Ok(Kubernetes {
            images: Some(image::Settings::of(world)),
            ..Kubernetes::new(connection.client, place, options)
        })
    }

    /// A cluster that somebody connected to already.
    pub fn new(client: Client, place: String, options: Options) -> Kubernetes {
        Kubernetes {
            client,
            place,
            options,
            served: OnceCell::new(),
            caches: OnceLock::new(),
            images: None,
        }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    async fn act(&self, identity: &Identity, action: &Action) -> Result<()> {
        let client = &self.client;
        match action {
            Action::Apply {
                spec,
                replicas,
                remember,
                previous,
                expected,
            } => {
                let wanted = apply::Wanted {
                    spec,
                    replicas: *replicas,
                    remember: *remember,
                    previous: previous.as_deref(),
                    expected: expected.as_deref(),
                };
                apply::apply(client, self.served().await?, &self.options, &wanted).await
            }
            Action::Scale { from, to, remember } => {
                steer::scale(client, identity, *from, *to, *remember).await
            }
            Action::Cordon => steer::serve(client, identity, steer::Serving::KeptAway).await,
            Action::Uncordon => steer::serve(client, identity, steer::Serving::Taken).await,
            Action::Restart => steer::restart(client, identity, &self.options).await,
            Action::Kill => steer::kill(client, identity).await,
            Action::Drain { .. } => Ok(()),
            Action::Remove => remove::remove(client, self.served().await?, identity).await,
        }
    }

    /// What the cluster serves; asked once.
    async fn served(&self) -> Result<&Served> {
        self.served
            .get_or_try_init(|| Served::discover(&self.client))
            .await
    }
}

#[async_trait]
impl Backend for Kubernetes {
    fn kind(&self) -> Kind {
        Kind::Kubernetes
    }

    fn images(&self) -> Option<&image::Settings> {
        self.images.as_ref()
    }

    fn place(&self) -> String {
        self.place.clone()
    }

    async fn reachable(&self) -> Result<()> {
        answer::ask(
            "ask the cluster for its version",
            self.client.apiserver_version(),
        )
        .await
        .map(drop)
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Arc<Observed>>> {
        if let Some(caches) = self.caches.get()
            && let Some(all) = caches.list(scope).await?
        {
            return Ok(all);
        }
        let snapshot = fetch::scope(&self.client, scope).await?;
        let servers = snapshot.servers(&self.options.dns_suffix);
        Ok(servers.into_iter().map(Arc::new).collect())
    }

    async fn observe(&self, identity: &Identity) -> Result<Option<Observed>> {
        if let Some(caches) = self.caches.get()
            && let Some(observed) = caches.observe(identity).await?
        {
            return Ok(observed);
        }
        caches::read(&self.client, identity, &self.options.dns_suffix).await
    }

    async fn perform(&self, identity: &Identity, action: &Action) -> Result<()> {
        let done = self.act(identity, action).await;
        // Also when it failed: a part may have been written, or somebody else has written it.
        if let Some(caches) = self.caches.get() {
            caches.wrote(identity).await;
        }
        done
    }

    fn failed_creation(&self) -> FailedCreation {
        FailedCreation::Nothing
    }

    fn changes(&self, scope: &Scope) -> BoxStream<'static, Result<Change>> {
        let Some(caches) = self.caches.get().cloned() else {
            return changes::changes(&self.client, scope);
        };
        let (client, scope) = (self.client.clone(), scope.clone());
        stream::once(async move {
            match caches.changes(&scope).await {
                Some(changes) => changes,
                None => changes::changes(&client, &scope),
            }
        })
        .flatten()
        .boxed()
    }

    fn keep_watching(&self) {
        self.caches.get_or_init(|| {
            let suffix = self.options.dns_suffix.clone();
            Arc::new(Caches::new(self.client.clone(), suffix))
        });
    }

    async fn logs(
        &self,
        identity: &Identity,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        logs::logs(&self.client, identity, options).await
    }

    async fn events(&self, identity: &Identity) -> Result<Vec<Event>> {
        let objects = self.objects(identity).await?;
        events::events(&self.client, identity, &objects).await
    }

    async fn reach(&self, identity: &Identity, instance: Option<&str>) -> Result<Reach> {
        reach::reach(&self.client, &self.options, identity, instance).await
    }

    async fn objects(&self, identity: &Identity) -> Result<Vec<String>> {
        remove::objects(&self.client, self.served().await?, identity).await
    }
}
