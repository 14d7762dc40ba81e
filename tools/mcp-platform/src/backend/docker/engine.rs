//! The connection to an engine, and what is asked of it more than once.

use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
    ListVolumesOptionsBuilder,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use crate::image::DockerConfig;
use crate::model::{Identity, Name};

use super::names::{Filters, of_server};
use super::record::{self, Record};
use super::refuse::{is_missing, refused};

/// Where the engine is when nobody says.
pub const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// How many questions are asked at the same time.
const ABREAST: usize = 16;

/// How often a list is made again because something of it went meanwhile.
const LISTS: usize = 5;

/// Longer than any grace period: `stop` answers when the container has ended.
const PATIENCE: Duration = Duration::from_secs(3900);

/// An engine, with what the back end needs to use it.
pub struct Engine {
    /// Where it is.
    pub place: Place,
    /// What looks at the pages of instances.
    pub looker: reqwest::Client,
    docker: OnceCell<Docker>,
}

/// What of the surroundings an engine needs.
#[derive(Debug, Clone)]
pub struct Place {
    /// `unix://…` or `tcp://…`.
    pub host: String,
    /// Where the locks are.
    pub locks: PathBuf,
    /// Our own program, for what is put into containers.
    pub program: PathBuf,
    /// The namespace of foreign servers that say none.
    pub namespace: Name,
    /// Docker's own configuration, which says who we are at registries.
    pub docker_config: DockerConfig,
}

impl Engine {
    /// An engine at an address; it is not asked anything yet.
    ///
    /// # Errors
    /// The address is of no kind that we can use.
    pub fn at(place: Place) -> Result<Engine> {
        let host = &place.host;
        if !["unix://", "tcp://", "http://"]
            .iter()
            .any(|scheme| host.starts_with(scheme))
        {
            return Err(
                Error::precondition(format!("{host:?} is no engine's address"))
                    .hint("set DOCKER_HOST to unix:///path/to/docker.sock or tcp://127.0.0.1:2375"),
            );
        }
        // The libraries leave the choice of the cryptography to the program; a second choice is ours too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let looker = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| Error::internal(format!("the HTTP client: {error}")))?;
        Ok(Engine {
            place,
            looker,
            docker: OnceCell::new(),
        })
    }

    /// The same engine over a connection of its own, for another runtime.
    ///
    /// # Errors
    /// As for [`Engine::at`].
    pub fn again(&self) -> Result<Engine> {
        Engine::at(self.place.clone())
    }

    /// The client, speaking the version of the interface that the engine knows.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn docker(&self) -> Result<&Docker> {
        self.docker
            .get_or_try_init(|| async {
                let unreachable = |error: bollard::errors::Error| {
                    refused(&format!("the engine at {}", self.place.host), error)
                };
                let docker = Docker::connect_with_host(&self.place.host).map_err(unreachable)?;
                let docker = docker.with_timeout(Duration::from_secs(20));
                let docker = docker.negotiate_version().await.map_err(unreachable)?;
                Ok(docker.with_timeout(PATIENCE))
            })
            .await
    }

    /// Every container that filters find, with all that is known of it.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn containers(&self, filters: &Filters) -> Result<Vec<ContainerInspectResponse>> {
        let mut all = self.listed(filters).await?;
        for _ in 0..LISTS {
            // One went between the list and the look at it, perhaps because another took its place,
            // which the list does not have: a record that is changed is such.
            if all.iter().all(Option::is_some) {
                break;
            }
            all = self.listed(filters).await?;
        }
        Ok(all.into_iter().flatten().collect())
    }

    async fn listed(&self, filters: &Filters) -> Result<Vec<Option<ContainerInspectResponse>>> {
        let docker = self.docker().await?;
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(filters)
            .build();
        let found = docker
            .list_containers(Some(options))
            .await
            .map_err(|error| refused("the list of containers", error))?;
        stream::iter(found.into_iter().filter_map(|one| one.id))
            .map(|id| async move { self.container(&id).await })
            .buffered(ABREAST)
            .try_collect()
            .await
    }

    /// One container; none when it is gone.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn container(&self, name: &str) -> Result<Option<ContainerInspectResponse>> {
        let docker = self.docker().await?;
        match docker
            .inspect_container(name, None::<InspectContainerOptions>)
            .await
        {
            Ok(one) => Ok(Some(one)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(refused(&format!("the container {name}"), error)),
        }
    }

    /// What is wanted of a server; none when there is no record of it.
    ///
    /// # Errors
    /// The engine cannot be asked, or the record cannot be read.
    pub async fn record(&self, identity: &Identity) -> Result<Option<Record>> {
        let mut filters = of_server(identity);
        if let Some(labels) = filters.get_mut("label") {
            labels.push(format!("{}={}", super::names::ROLE, super::names::RECORD));
        }
        let all = self.containers(&filters).await?;
        record::latest(&all).map(Record::read).transpose()
    }

    /// The names of all networks that filters find.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn networks(&self, filters: &Filters) -> Result<Vec<String>> {
        let options = ListNetworksOptionsBuilder::new().filters(filters).build();
        let found = self
            .docker()
            .await?
            .list_networks(Some(options))
            .await
            .map_err(|error| refused("the list of networks", error))?;
        Ok(found.into_iter().filter_map(|one| one.name).collect())
    }

    /// The names of all volumes that filters find.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn volumes(&self, filters: &Filters) -> Result<Vec<String>> {
        let options = ListVolumesOptionsBuilder::new().filters(filters).build();
        let found = self
            .docker()
            .await?
            .list_volumes(Some(options))
            .await
            .map_err(|error| refused("the list of volumes", error))?;
        let volumes = found.volumes.unwrap_or_default();
        Ok(volumes.into_iter().map(|one| one.name).collect())
    }
}
