//! Real MCP clients of servers in containers.

use std::path::Path;
use std::time::Duration;

use mcp_platform::backend::docker::{Docker, Place};
use mcp_platform::image::Settings;
use mcp_platform::model::{Identity, ImageReference, Name};
use mcp_platform::service::{CheckTarget, Outcome, Quiet, Waiting};
use serde_json::{Value, json};

use super::{Room, room};
use crate::engine::{say, variable};
use crate::process::clients::Client;

fn endpoint(outcome: &Outcome) -> String {
    let server = outcome.server.as_ref().unwrap();
    server.observed.endpoints[0].url.clone()
}

async fn checked(room: &Room, identity: &Identity) {
    let check = room
        .service
        .check(identity, CheckTarget::Instances)
        .await
        .unwrap();
    assert!(check.passed, "{check:?}");
}

#[tokio::test]
async fn over_http_with_a_token() {
    let Some(room) = room("clients").await else {
        return;
    };
    let token = "a-long-token-of-a-test";
    let request = room.request(
        "echo",
        "echo",
        &json!({ "token": token, "greeting": "moin" }),
    );
    let deployed = room.deploy(&request).await.unwrap();
    let client = Client::try_connect(&endpoint(&deployed), token)
        .await
        .unwrap();
    assert!(client.echo("you").await.starts_with("moin"));
    client.close().await;
    assert!(
        Client::try_connect(&endpoint(&deployed), "another")
            .await
            .is_err()
    );
    checked(&room, &room.identity("echo")).await;
    room.delete("echo").await;
}

/// The echo server over standard input and output.
fn standard(room: &mut Room) {
    room.echo_with("standard", |text| {
        let pages = text.find("[health]").unwrap()..text.find("[configuration.schema]").unwrap();
        let mut text = text;
        text.replace_range(pages, "");
        text.replace(
            "kind = \"streamable-http\"\npath = \"/mcp\"",
            "kind = \"stdio\"",
        )
        .replace(
            "arguments = [\"echo\", \"--host\", \"{host}\", \"--port\", \"{port}\"]",
            "arguments = [\"echo\"]",
        )
    });
}

#[tokio::test]
async fn over_standard_input_and_output_by_the_bridge() {
    let Some(mut room) = room("bridged").await else {
        return;
    };
    standard(&mut room);
    let token = "a-long-token-of-a-test";
    let request = room.request(
        "standard",
        "echo",
        &json!({ "token": token, "greeting": "moin" }),
    );
    let deployed = room.deploy(&request).await.unwrap();
    let client = Client::try_connect(&endpoint(&deployed), token)
        .await
        .unwrap();
    assert!(client.echo("you").await.starts_with("moin"));
    client.close().await;
    checked(&room, &room.identity("echo")).await;
    room.delete("echo").await;
}

#[tokio::test]
async fn an_image_in_which_the_bridge_cannot_run_is_refused() {
    let Some(mut room) = room("no-loader").await else {
        return;
    };
    standard(&mut room);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_dir("bin", ".").unwrap();
    let archive = archive.into_inner().unwrap();
    room.engine
        .import("mcp-platform-nothing:1", archive, &["CMD [\"/x\"]"])
        .await;
    room.image = ImageReference::parse("mcp-platform-nothing:1").unwrap();
    let request = room.request("standard", "echo", &json!({}));
    let error = room.deploy(&request).await.unwrap_err();
    assert!(error.message.contains("the image has no /lib"), "{error}");
    assert_eq!(room.objects("echo").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_real_jupyter_server_runs_code() {
    if variable("MCP_TEST_SLOW").as_deref() != Some("1") {
        say("switched off: the real Jupyter server on docker; set MCP_TEST_SLOW=1");
        return;
    }
    let Some(mut room) = room("jupyter").await else {
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if mcp_platform::image::locate(&root, "dist/mcp-server-jupyter-*-image.oci.tar")
        .unwrap()
        .is_none()
    {
        say("switched off: the real Jupyter server on docker; run `cargo xtask image` first");
        return;
    }
    let config = super::docker_config(room.folder.path());
    let docker = Docker::at(Place {
        host: room.engine.host(),
        locks: room.folder.path().join("locks"),
        program: env!("CARGO_BIN_EXE_mcp-platform").into(),
        namespace: Name::label("mcp-servers").unwrap(),
        docker_config: config.clone(),
    })
    .unwrap();
    let docker = docker.with_images(Settings {
        folder: root,
        registry: Some("127.0.0.1:9".to_owned()),
        insecure: Vec::new(),
        docker_config: config,
    });
    room.service.backend = std::sync::Arc::new(docker);
    room.service.patience.total = Duration::from_secs(300);
    // The release is not published yet: the archive is what is taken.
    let catalogue = std::sync::Arc::make_mut(&mut room.service.catalogue);
    let template = catalogue.templates.get_mut("mcp-server-jupyter").unwrap();
    template.image.reference = Some("mcp-server-jupyter:latest".to_owned());
    let token = "a-long-token-of-a-test";
    let mut request = room.request("mcp-server-jupyter", "jupyter", &json!({ "token": token }));
    request.request.image = None;
    let deployed = room
        .service
        .deploy(&room.namespace, &request, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let spec = deployed
        .server
        .as_ref()
        .unwrap()
        .observed
        .spec
        .clone()
        .unwrap();
    assert_eq!(spec.provenance.image_source.as_deref(), Some("archive"));
    assert!(spec.provenance.wheel_sha256.is_some());
    checked(&room, &room.identity("jupyter")).await;
    let client = Client::try_connect(&endpoint(&deployed), token)
        .await
        .unwrap();
    let started = client.call("start_kernel", json!({})).await;
    let started: Value = serde_json::from_str(&started).unwrap();
    let kernel = started["kernel_id"].as_str().unwrap();
    let code = json!({ "kernel_id": kernel, "code": "print(6 * 7)" });
    let ran = client.call("execute_code", code).await;
    assert!(ran.contains("42"), "{ran}");
    client.close().await;
    room.delete("jupyter").await;
}
