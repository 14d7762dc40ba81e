//! Servers as containers of a Docker engine.
//!
//! The engine is the only database: what is wanted is a container that never runs (see `record`), and
//! everything else is counted. An instance is a container with a port of its own at 127.0.0.1 that
//! stays the same for its slot; so a server of several instances has several endpoints.

mod act;
mod body;
mod companions;
mod converge;
mod elf;
mod engine;
mod foreign;
mod history;
mod lock;
mod look;
mod names;
mod observe;
mod pull;
mod record;
mod refuse;
mod resume;
mod state;
mod watch;
mod work;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bollard::models::ContainerInspectResponse;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use url::Url;

use crate::backend::{Backend, Kind, LogOptions, Reach, Scope};
use crate::error::{Error, Result};
use crate::image;
use crate::model::{Action, Change, Event, Identity, ImageReference, LogLine, Name, Observed};
use crate::world::World;

use engine::{DEFAULT_HOST, Engine};
use record::{name_of, role};

pub use engine::Place;

/// How many servers are looked at at the same time.
const ABREAST: usize = 16;

/// The back end.
#[derive(Clone)]
pub struct Docker {
    engine: Arc<Engine>,
    images: Option<image::Settings>,
    resumer: Arc<resume::Resumer>,
}

impl Docker {
    /// The engine that the surroundings name: `DOCKER_HOST`, else its usual socket.
    ///
    /// # Errors
    /// The address is of no kind that we can use.
    pub fn from_world(world: &World) -> Result<Docker> {
        let namespace = world.variable("MCP_NAMESPACE").unwrap_or("mcp-servers");
        let images = image::Settings::of(world);
        let docker = Docker::at(Place {
            host: world
                .variable("DOCKER_HOST")
                .unwrap_or(DEFAULT_HOST)
                .to_owned(),
            locks: world.state_folder().join("docker-locks"),
            program: world.program.clone(),
            namespace: Name::label(namespace)?,
            docker_config: images.docker_config.clone(),
        })?;
        Ok(Docker {
            images: Some(images),
            ..docker
        })
    }

    /// An engine at a place; it is not asked anything yet. Images are taken as they are named.
    ///
    /// # Errors
    /// The address is of no kind that we can use.
    pub fn at(place: Place) -> Result<Docker> {
        Ok(Docker {
            engine: Arc::new(Engine::at(place)?),
            images: None,
            resumer: Arc::default(),
        })
    }

    /// With the search for images that these settings say.
    #[must_use]
    pub fn with_images(self, images: image::Settings) -> Docker {
        Docker {
            images: Some(images),
            ..self
        }
    }

    async fn all_of(&self, identity: &Identity) -> Result<Vec<ContainerInspectResponse>> {
        self.engine.containers(&names::of_server(identity)).await
    }
}

/// The instances of a server, ours or a foreign one.
async fn instances(engine: &Engine, identity: &Identity) -> Result<Vec<ContainerInspectResponse>> {
    let ours = engine.containers(&names::of_server(identity)).await?;
    if !ours.is_empty() {
        return Ok(ours.into_iter().filter(history::is_instance).collect());
    }
    let foreign = foreign::containers(engine, identity).await?;
    if foreign.is_empty() {
        return Err(Error::not_found(format!("there is no server {identity}")));
    }
    Ok(foreign)
}

#[async_trait]
impl Backend for Docker {
    fn kind(&self) -> Kind {
        Kind::Docker
    }

    fn place(&self) -> String {
        self.engine.place.host.clone()
    }

    async fn reachable(&self) -> Result<()> {
        self.engine
            .docker()
            .await?
            .ping()
            .await
            .map(drop)
            .map_err(|error| {
                refuse::refused(&format!("the engine at {}", self.engine.place.host), error)
            })
    }

    fn keep_watching(&self) {
        self.resumer.begin(&self.engine);
    }

    fn stop_watching(&self) {
        self.resumer.end();
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Arc<Observed>>> {
        let engine = &self.engine;
        let mut servers: BTreeMap<Identity, Vec<ContainerInspectResponse>> = BTreeMap::new();
        for one in engine.containers(&names::of_all()).await? {
            let Some(identity) = foreign::identity_of(engine, &one) else {
                continue;
            };
            if scope
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == identity.namespace)
            {
                servers.entry(identity).or_default().push(one);
            }
        }
        let looks = servers
            .into_iter()
            .map(|(identity, containers)| async move {
                if containers.iter().any(observe::is_ours) {
                    // A foreign container that calls itself as a server of ours is none of its instances.
                    let ours = containers.into_iter().filter(observe::is_ours).collect();
                    observe::observed(engine, &identity, ours).await
                } else {
                    Ok(Some(foreign::observed(&identity, containers)))
                }
            });
        let all: Vec<Result<Option<Observed>>> =
            stream::iter(looks).buffered(ABREAST).collect().await;
        let mut found = Vec::new();
        for one in all {
            let Some(observed) = one? else { continue };
            let template = observed.labels.get(crate::model::label::NAME);
            if scope.template.is_none() || scope.template.as_ref() == template {
                found.push(Arc::new(observed));
            }
        }
        Ok(found)
    }

    async fn observe(&self, identity: &Identity) -> Result<Option<Observed>> {
        let containers = self.all_of(identity).await?;
        if containers.iter().any(|one| role(one).is_some()) {
            return observe::observed(&self.engine, identity, containers).await;
        }
        let foreign = foreign::containers(&self.engine, identity).await?;
        Ok((!foreign.is_empty()).then(|| foreign::observed(identity, foreign)))
    }

    async fn perform(&self, identity: &Identity, action: &Action) -> Result<()> {
        let containers = self.all_of(identity).await?;
        let known = containers.iter().any(|one| role(one).is_some());
        if !known && !matches!(action, Action::Apply { .. }) {
            return foreign::perform(&self.engine, identity, action).await;
        }
        if let Action::Apply { spec, replicas, .. } = action
            && *replicas > 0
        {
            pull::ensure_all(&self.engine, spec).await?;
        }
        if matches!(action, Action::Kill) {
            work::kill(&self.engine, &containers).await?;
        } else if matches!(action, Action::Remove) && self.engine.record(identity).await?.is_none()
        {
            return work::remove_all(&self.engine, identity, 10).await;
        } else {
            match write::write(&self.engine, identity, action).await {
                // There is no room to write down that it goes, so it goes without.
                Err(error) if matches!(action, Action::Remove) && refuse::is_full(&error) => {
                    return work::remove_all(&self.engine, identity, 10).await;
                }
                written => written?,
            }
        }
        let begun = work::begin(&self.engine, identity).await;
        if let (Err(error), Action::Apply { expected: None, .. }) = (&begun, action) {
            // There was nothing before; nothing is left of it.
            match write::write(&self.engine, identity, &Action::Remove).await {
                Err(full) if refuse::is_full(&full) => {
                    work::remove_all(&self.engine, identity, 10).await?;
                }
                written => {
                    written?;
                    work::begin(&self.engine, identity).await?;
                }
            }
            return Err(error.clone());
        }
        begun
    }

    fn changes(&self, scope: &Scope) -> BoxStream<'static, Result<Change>> {
        watch::changes(self.engine.clone(), scope.clone())
    }

    async fn logs(
        &self,
        identity: &Identity,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        history::logs(&self.engine, identity, options).await
    }

    async fn events(&self, identity: &Identity) -> Result<Vec<Event>> {
        history::events(&self.engine, identity).await
    }

    async fn reach(&self, identity: &Identity, instance: Option<&str>) -> Result<Reach> {
        let mut all = instances(&self.engine, identity).await?;
        all.sort_by_key(name_of);
        if let Some(instance) = instance {
            all.retain(|one| name_of(one) == instance);
            if all.is_empty() {
                return Err(Error::not_found(format!(
                    "{identity} has no instance {instance:?}"
                )));
            }
        }
        let record = self.engine.record(identity).await?;
        let spec = record.as_ref().map(|record| &record.spec);
        let seen = observe::look(&self.engine, spec, all).await;
        // One that is ready before one that only runs.
        let port = seen
            .iter()
            .filter(|one| one.ready())
            .chain(seen.iter().filter(|one| state::running(&one.container)))
            .find_map(|one| state::port(&one.container).or_else(|| foreign::port(&one.container)))
            .ok_or_else(|| {
                Error::conflict(format!("nothing of {identity} is running"))
                    .hint(format!("mcp-platform start {}", identity.name))
            })?;
        let base = Url::parse(&format!("http://127.0.0.1:{port}"))
            .map_err(|error| Error::internal(format!("port {port}: {error}")))?;
        Ok(Reach { base, guard: None })
    }

    async fn objects(&self, identity: &Identity) -> Result<Vec<String>> {
        let filters = names::of_server(identity);
        let mut all = Vec::new();
        for one in self.engine.containers(&filters).await? {
            all.push(format!("container/{}", name_of(&one)));
        }
        for network in self.engine.networks(&filters).await? {
            all.push(format!("network/{network}"));
        }
        for volume in self.engine.volumes(&filters).await? {
            all.push(format!("volume/{volume}"));
        }
        all.sort();
        Ok(all)
    }

    fn images(&self) -> Option<&image::Settings> {
        self.images.as_ref()
    }

    async fn held_image(&self, reference: &ImageReference) -> Result<Option<image::Held>> {
        let config = pull::present(&self.engine, &reference.to_string()).await?;
        Ok(config.map(|config| image::Held {
            reference: reference.clone(),
            labels: config.labels.unwrap_or_default(),
        }))
    }

    async fn load_image(
        &self,
        archive: &std::path::Path,
        name: &ImageReference,
    ) -> Result<image::Held> {
        pull::load(&self.engine, archive, name).await
    }
}
