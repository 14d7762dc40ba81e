//! The back end on a real engine.

mod clients;
mod crash;
mod credentials;
mod faults;
mod foreign;
mod images;
mod kept;
mod operations;
mod shipped;
mod space;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mcp_platform::backend::Shared;
use mcp_platform::backend::docker::{Docker, Place};
use mcp_platform::error::Result;
use mcp_platform::image::DockerConfig;
use mcp_platform::lifecycle::{Limits, Patience};
use mcp_platform::model::{Identity, ImageReference, Name, State};
use mcp_platform::service::{DeployRequest, Outcome, Quiet, Service, UpdateRequest, Waiting};
use mcp_platform::template::{Catalogue, Request, builtin};
use serde_json::{Value, json};

use crate::engine::Engine;

/// A namespace of its own on the engine of this run.
pub struct Room {
    pub engine: &'static Engine,
    pub service: Service,
    pub namespace: Name,
    pub image: ImageReference,
    /// The platform's state, in a folder with a space in its name.
    pub folder: tempfile::TempDir,
}

/// A room, or none when the engine is switched off.
pub async fn room(namespace: &str) -> Option<Room> {
    let engine = Engine::start().await?;
    let image = ImageReference::parse(engine.echo_image().await).unwrap();
    let folder = tempfile::Builder::new()
        .prefix("mcp state ü ")
        .tempdir()
        .unwrap();
    let namespace = Name::label(namespace).unwrap();
    let mut room = Room {
        engine,
        service: service(engine, &folder, builtin().unwrap()),
        namespace,
        image,
        folder,
    };
    room.service.patience.fault = Duration::from_secs(3);
    Some(room)
}

fn service(engine: &Engine, folder: &tempfile::TempDir, catalogue: Catalogue) -> Service {
    let backend = Docker::at(Place {
        host: engine.host(),
        locks: folder.path().join("locks"),
        program: env!("CARGO_BIN_EXE_mcp-platform").into(),
        namespace: Name::label("mcp-servers").unwrap(),
        docker_config: docker_config(folder.path()),
    })
    .unwrap();
    let backend: Shared = Arc::new(backend);
    Service {
        backend,
        catalogue: Arc::new(catalogue),
        limits: Limits::default(),
        patience: Patience {
            total: Duration::from_secs(90),
            fault: Duration::from_secs(3),
        },
        clock: Arc::new(mcp_platform::world::now),
        random: Arc::new(mcp_platform::world::random),
    }
}

/// Docker's configuration in a folder, with the helpers beside it.
fn docker_config(folder: &Path) -> DockerConfig {
    let path = format!("{}:/usr/bin:/bin", folder.display());
    DockerConfig {
        file: folder.join("config.json"),
        environment: BTreeMap::from([("PATH".to_owned(), path)]),
    }
}

impl Room {
    pub fn identity(&self, name: &str) -> Identity {
        Identity {
            namespace: self.namespace.clone(),
            name: Name::server(name).unwrap(),
        }
    }

    /// Adds or replaces a template.
    pub fn template(&mut self, text: &str) {
        let template = mcp_platform::template::parse(text, "a test").unwrap();
        let catalogue = Arc::make_mut(&mut self.service.catalogue);
        catalogue.templates.insert(template.id.clone(), template);
    }

    /// The echo template with lines added to its end.
    pub fn echo_with(&mut self, id: &str, change: impl Fn(String) -> String) {
        let text = include_str!("../../templates/echo/template.toml");
        self.template(&change(
            text.replace("id = \"echo\"", &format!("id = \"{id}\"")),
        ));
    }

    pub fn request(&self, template: &str, name: &str, configuration: &Value) -> DeployRequest {
        DeployRequest {
            template: template.to_owned(),
            request: Request {
                name: Some(name.to_owned()),
                configuration: configuration.as_object().unwrap().clone(),
                image: Some(self.image.clone()),
                ..Request::default()
            },
        }
    }

    pub async fn deploy(&self, request: &DeployRequest) -> Result<Outcome> {
        self.service
            .deploy(&self.namespace, request, Waiting::Wait, &Quiet)
            .await
    }

    pub async fn deploy_echo(&self, name: &str, replicas: u32) -> Outcome {
        let mut request = self.request("echo", name, &json!({}));
        request.request.replicas = Some(replicas);
        self.deploy(&request).await.unwrap()
    }

    pub async fn update(&self, name: &str, update: &UpdateRequest) -> Result<Outcome> {
        self.service
            .update(&self.identity(name), update, Waiting::Wait, &Quiet)
            .await
    }

    pub async fn delete(&self, name: &str) {
        let identity = self.identity(name);
        self.service
            .delete(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(self.objects(name).await, Vec::<String>::new());
    }

    pub async fn objects(&self, name: &str) -> Vec<String> {
        let identity = self.identity(name);
        self.service.backend.objects(&identity).await.unwrap()
    }

    pub async fn state(&self, name: &str) -> State {
        let report = self.service.status(&self.identity(name)).await.unwrap();
        report.status.state
    }
}

/// The environment, labels and program of a container, as `docker inspect` shows them.
pub async fn inspect(engine: &Engine, name: &str) -> bollard::models::ContainerInspectResponse {
    engine
        .client()
        .inspect_container(
            name,
            None::<bollard::query_parameters::InspectContainerOptions>,
        )
        .await
        .unwrap()
}
