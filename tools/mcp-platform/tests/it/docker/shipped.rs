//! The platform's own image, as `cargo xtask image mcp-platform` writes it, on a real engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use mcp_platform::backend::docker::{Docker, Place};
use mcp_platform::image::{DockerConfig, Settings, locate};
use mcp_platform::model::{ImageReference, Name};
use mcp_platform::service::{CheckTarget, Quiet, Waiting};
use serde_json::json;
use tokio::process::Command;

use super::{Room, room};
use crate::engine::{Engine, say, variable};
use crate::process::clients::Client;

/// How long one call of the engine's client may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The folder whose `dist/` holds the image; says so when there is none.
fn root() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let asked = variable("MCP_TEST_SLOW").as_deref() == Some("1");
    let found = locate(&root, "dist/mcp-platform-*-image.oci.tar").unwrap();
    if !asked || found.is_none() {
        say(
            "switched off: the platform's own image; run `cargo xtask image mcp-platform`, and set MCP_TEST_SLOW=1",
        );
        return None;
    }
    Some(root)
}

/// What the engine's client prints, and whether it succeeded.
async fn docker(engine: &Engine, words: &[&str]) -> (bool, String) {
    let child = Command::new("docker")
        .env("DOCKER_HOST", engine.host())
        .args(words)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(PATIENCE, child).await.unwrap();
    let ended = ended.expect("docker can be started");
    let text = [ended.stdout, ended.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    (ended.status.success(), text)
}

async fn succeeds(engine: &Engine, words: &[&str]) -> String {
    let (done, text) = docker(engine, words).await;
    assert!(done, "docker {words:?}: {text}");
    text
}

/// Loads the image, and gives its name.
async fn loaded(engine: &Engine, root: &Path) -> String {
    let archive = locate(root, "dist/mcp-platform-*-image.oci.tar").unwrap();
    let archive = archive.unwrap().display().to_string();
    let said = succeeds(engine, &["load", "--input", &archive]).await;
    assert!(said.contains("mcp-platform:latest"), "{said}");
    format!("mcp-platform:{}", env!("CARGO_PKG_VERSION"))
}

#[tokio::test]
async fn it_serves_and_says_that_it_is_healthy() {
    let Some(root) = root() else { return };
    let Some(engine) = Engine::start().await else {
        return;
    };
    let image = loaded(engine, &root).await;
    // Nobody may reach it from elsewhere without a token, so it does not even start.
    let open = ["run", "--rm", "--network=none", &image];
    let (done, said) = docker(engine, &open).await;
    assert!(!done && said.contains("token"), "{said}");
    let start = [
        "run",
        "--detach",
        "--network=none",
        "--read-only",
        "--tmpfs=/data:uid=10001",
        "--env=MCP_LISTEN=127.0.0.1:8123",
        "--health-interval=1s",
        &image,
    ];
    let id = succeeds(engine, &start).await;
    let filter = format!("--filter=container={id}");
    let events = [
        "docker",
        "events",
        "--since=0",
        "--filter=event=health_status",
        "--format={{.Action}}",
        &filter,
    ];
    let mut events = Command::new(events[0])
        .args(&events[1..])
        .env("DOCKER_HOST", engine.host())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = {
        use tokio::io::AsyncBufReadExt as _;
        tokio::io::BufReader::new(events.stdout.take().unwrap()).lines()
    };
    let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let first = first.unwrap().unwrap();
    let logs = succeeds(engine, &["logs", &id]).await;
    assert_eq!(first.as_deref(), Some("health_status: healthy"), "{logs}");
    assert!(
        logs.contains("listening on http://127.0.0.1:8123/"),
        "{logs}"
    );
    let wrong = ["exec", &id, "mcp-platform", "health", "--page", "/nothing"];
    assert!(!docker(engine, &wrong).await.0);
    succeeds(engine, &["stop", &id]).await;
    let code = ["inspect", "--format={{.State.ExitCode}}", &id];
    assert_eq!(succeeds(engine, &code).await, "0");
    succeeds(engine, &["rm", &id]).await;
}

#[tokio::test]
async fn it_puts_the_bridge_into_an_image_with_nothing_in_it() {
    let Some(root) = root() else { return };
    let Some(engine) = Engine::start().await else {
        return;
    };
    let image = loaded(engine, &root).await;
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("mcp");
    std::fs::create_dir(&shared).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&shared, open).unwrap();
    let volume = format!("--volume={}:/mcp", shared.display());
    let run = ["run", "--rm", "--network=none", "--read-only", &volume];
    // As the container before the server's own does it.
    let install = [
        "--entrypoint=mcp-platform",
        &image,
        "bridge",
        "--install",
        "/mcp",
    ];
    for _ in 0..2 {
        succeeds(engine, &[&run[..], &install[..]].concat()).await;
    }
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_dir("bin", ".").unwrap();
    let archive = archive.into_inner().unwrap();
    let nothing = "mcp-platform-empty:1";
    engine.import(nothing, archive, &["CMD [\"/x\"]"]).await;
    let there = [nothing, "/mcp/mcp-platform", "--version"];
    let said = succeeds(engine, &[&run[..], &there[..]].concat()).await;
    assert_eq!(said, format!("mcp-platform {}", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn the_echo_template_runs_from_the_local_archive() {
    let Some(root) = root() else { return };
    let Some(mut room) = room("shipped").await else {
        return;
    };
    from_archive(&mut room, root);
    let token = "a-long-token-of-a-test";
    let configuration = json!({ "token": token, "greeting": "moin" });
    let mut request = room.request("echo", "echo", &configuration);
    request.request.image = None;
    let deployed = room
        .service
        .deploy(&room.namespace, &request, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let server = deployed.server.as_ref().unwrap();
    let spec = server.observed.spec.as_ref().unwrap();
    assert_eq!(spec.provenance.image_source.as_deref(), Some("archive"));
    assert!(spec.provenance.commit.is_some());
    let client = Client::try_connect(&server.observed.endpoints[0].url, token)
        .await
        .unwrap();
    assert!(client.echo("you").await.starts_with("moin"));
    client.close().await;
    let identity = room.identity("echo");
    let target = CheckTarget::Instances;
    let check = room.service.check(&identity, target).await.unwrap();
    assert!(check.passed, "{check:?}");
    room.delete("echo").await;
}

/// The published image is not asked for: nothing is at that place.
fn from_archive(room: &mut Room, root: PathBuf) {
    let config = DockerConfig {
        file: room.folder.path().join("config.json"),
        environment: BTreeMap::new(),
    };
    let docker = Docker::at(Place {
        host: room.engine.host(),
        locks: room.folder.path().join("locks"),
        program: env!("CARGO_BIN_EXE_mcp-platform").into(),
        namespace: Name::label("mcp-servers").unwrap(),
        docker_config: config.clone(),
    })
    .unwrap();
    room.service.backend = std::sync::Arc::new(docker.with_images(Settings {
        folder: root,
        registry: Some("127.0.0.1:9".to_owned()),
        insecure: Vec::new(),
        docker_config: config,
    }));
    let catalogue = std::sync::Arc::make_mut(&mut room.service.catalogue);
    let template = catalogue.templates.get_mut("echo").unwrap();
    template.image.reference = Some("mcp-platform:latest".to_owned());
    room.image = ImageReference::parse("mcp-platform:latest").unwrap();
}
