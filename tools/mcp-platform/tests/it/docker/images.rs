//! Where images come from: a real registry, an archive, a build, the engine.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::TryStreamExt as _;
use mcp_platform::backend::docker::{Docker, Place};
use mcp_platform::image::Settings;
use mcp_platform::model::{Action, Identity, Name, Status};
use mcp_platform::service::{Progress, Waiting};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{Room, room};
use crate::engine::say;

/// A registry of Debian's package `docker-registry` on a port that it picks; ended when dropped.
pub struct Registry {
    pub address: String,
    _process: Child,
}

impl Registry {
    async fn start(folder: &std::path::Path) -> Option<Registry> {
        Registry::start_with(folder, "").await
    }

    /// One with more lines in its configuration.
    pub async fn start_with(folder: &std::path::Path, more: &str) -> Option<Registry> {
        let port = {
            let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            probe.local_addr().unwrap().port()
        };
        let file = folder.join("registry.yml");
        let storage = folder.join("registry");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: \"{}\"}}}}\nhttp: {{addr: \"127.0.0.1:{port}\", secret: test}}\n{more}",
            storage.display()
        );
        std::fs::write(&file, text).unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listens = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("listening on") {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), listens)
            .await
            .unwrap();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Registry {
            address: format!("127.0.0.1:{port}"),
            _process: process,
        })
    }
}

/// Keeps what is said.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn acting(&self, _: &Identity, _: &Action) {}
    fn waiting(&self, _: &Identity, _: &Status) {}
    fn note(&self, _: &Identity, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

pub fn searching(room: &mut Room, registry: Option<&str>) {
    let docker = Docker::at(Place {
        host: room.engine.host(),
        locks: room.folder.path().join("locks"),
        program: env!("CARGO_BIN_EXE_mcp-platform").into(),
        namespace: Name::label("mcp-servers").unwrap(),
        docker_config: super::docker_config(room.folder.path()),
    })
    .unwrap();
    room.service.backend = Arc::new(docker.with_images(Settings {
        folder: room.folder.path().to_owned(),
        registry: registry.map(str::to_owned),
        insecure: Vec::new(),
        docker_config: super::docker_config(room.folder.path()),
    }));
}

/// Deploys the echo template with other lines under `[image]`; gives what was said, and what runs.
pub async fn deployed(
    room: &mut Room,
    id: &str,
    lines: &str,
) -> (String, mcp_platform::model::Spec) {
    room.echo_with(id, |text| {
        let own = "reference = \"ghcr.io/mcp-shipyard/mcp-platform:0.1.0\"\n\
                   archive = \"dist/mcp-platform-*-image.oci.tar\"";
        assert!(text.contains(own), "{text}");
        text.replace(own, lines)
    });
    let heard = Heard::default();
    let mut request = room.request(id, id, &json!({}));
    request.request.image = None;
    let outcome = room
        .service
        .deploy(&room.namespace, &request, Waiting::Wait, &heard)
        .await
        .unwrap();
    let spec = outcome.server.unwrap().observed.spec.clone().unwrap();
    // The same again is the same: nothing to do.
    let again = room
        .service
        .deploy(&room.namespace, &request, Waiting::Wait, &heard)
        .await
        .unwrap();
    assert_eq!(again.actions, vec![]);
    let said = heard.0.lock().unwrap().join("\n");
    (said, *spec)
}

/// The echo image with labels, under another name.
pub async fn labelled(room: &Room, name: &str) {
    let client = room.engine.client();
    let (repository, tag) = name.rsplit_once(':').unwrap();
    let body = bollard::models::ContainerCreateBody {
        image: Some(room.image.to_string()),
        cmd: Some(vec!["x".to_owned()]),
        ..Default::default()
    };
    // Several tests do this at the same time.
    let scratch = format!("scratch-{}-{tag}", repository.replace([':', '/'], "-"));
    let options = bollard::query_parameters::CreateContainerOptionsBuilder::new()
        .name(&scratch)
        .build();
    client.create_container(Some(options), body).await.unwrap();
    let options = bollard::query_parameters::CommitContainerOptionsBuilder::new()
        .container(&scratch)
        .repo(repository)
        .tag(tag)
        .changes(
            "LABEL org.opencontainers.image.revision=0123abc io.mcp-shipyard.wheel.sha256=ff00",
        )
        .build();
    client
        .commit_container(options, bollard::models::ContainerConfig::default())
        .await
        .unwrap();
    let options = bollard::query_parameters::RemoveContainerOptionsBuilder::new()
        .force(true)
        .build();
    client
        .remove_container(&scratch, Some(options))
        .await
        .unwrap();
}

#[tokio::test]
async fn published_before_archive_before_build() {
    let Some(mut room) = room("image-sources").await else {
        return;
    };
    let Some(registry) = Registry::start(room.folder.path()).await else {
        say("switched off: images from a registry; apt-get install docker-registry");
        return;
    };
    searching(&mut room, Some(&format!("{}/team", registry.address)));
    let name = format!("{}/team/echo:1", registry.address);
    labelled(&room, &name).await;
    let client = room.engine.client();

    // In the engine only.
    let (said, spec) = deployed(&mut room, "held", "reference = \"echo:1\"").await;
    assert!(said.contains("takes what the engine has"), "{said}");
    assert_eq!(spec.provenance.commit.as_deref(), Some("0123abc"));

    // As an archive.
    let bytes: Vec<_> = client.export_image(&name).try_collect().await.unwrap();
    std::fs::create_dir(room.folder.path().join("dist")).unwrap();
    std::fs::write(room.folder.path().join("dist/e-image.tar"), bytes.concat()).unwrap();
    let lines = "reference = \"echo:1\"\narchive = \"dist/*-image.tar\"";
    let (said, spec) = deployed(&mut room, "archive", lines).await;
    assert!(said.contains("takes the local archive"), "{said}");
    assert_eq!(spec.provenance.image_source.as_deref(), Some("archive"));
    assert_eq!(spec.provenance.wheel_sha256.as_deref(), Some("ff00"));
    let tag = spec.run.image.unwrap().tag.unwrap();
    assert!(tag.starts_with("id-"), "{tag}");

    // Built by a command.
    let lines = "reference = \"echo:2\"\narchive = \"built/*.tar\"\nbuild = [\"sh\", \"-c\", \"mkdir -p built && cp dist/e-image.tar built/x.tar\"]";
    let (said, spec) = deployed(&mut room, "built", lines).await;
    assert!(said.contains("builds it"), "{said}");
    assert!(matches!(
        spec.provenance.image_source.as_deref(),
        Some("built" | "archive")
    ));

    // Published.
    let options = bollard::query_parameters::PushImageOptionsBuilder::new()
        .tag("1")
        .build();
    let anonymous = Some(bollard::auth::DockerCredentials::default());
    client
        .push_image(&name[..name.len() - 2], Some(options), anonymous)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let lines = "reference = \"echo:1\"\narchive = \"dist/*-image.tar\"";
    let (said, spec) = deployed(&mut room, "published", lines).await;
    assert!(said.contains("takes the published image"), "{said}");
    assert_eq!(spec.provenance.image_source.as_deref(), Some("published"));
    assert_eq!(spec.provenance.commit.as_deref(), Some("0123abc"));
    assert!(spec.run.image.unwrap().digest.is_some());

    for server in ["held", "archive", "built", "published"] {
        room.delete(server).await;
    }
}

#[tokio::test]
async fn every_way_that_was_tried_is_named() {
    let Some(mut room) = room("no-source").await else {
        return;
    };
    searching(&mut room, Some("127.0.0.1:9"));
    let mut request = room.request("echo", "echo", &json!({}));
    room.echo_with("echo", |text| {
        text.replace("ghcr.io/mcp-shipyard/mcp-platform:0.1.0", "echo:1")
    });
    request.request.image = None;
    let error = room.deploy(&request).await.unwrap_err();
    assert!(error.message.contains("127.0.0.1:9/echo:1"), "{error}");
    assert!(error.message.contains("cannot be reached"), "{error}");
    assert!(error.message.contains("(image-pull)"), "{error}");
    assert_eq!(room.objects("echo").await, Vec::<String>::new());
}
