//! The real Jupyter server, installed from its wheel, running code in a real kernel.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mcp_platform::service::{CheckTarget, DeployRequest, Quiet, UpdateRequest, Waiting};
use mcp_platform::template::Request;
use serde_json::{Value, json};
use tokio::process::Command;

use super::clients::Client;
use super::{Room, TOKEN, identity};
use crate::engine::{say, variable};

/// The wheel that was released, with its locked requirements; else one that is built here.
async fn wheel(folder: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let released = std::fs::read_dir(root.join("dist"))
        .into_iter()
        .flatten()
        .flatten();
    if let Some(found) = released
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|kind| kind == "whl"))
    {
        return found;
    }
    let built = Command::new("python3")
        .args(["-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir"])
        .arg(folder)
        .arg(root.join("tools/mcp-server-jupyter"))
        .output()
        .await
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    files
        .find(|path| path.extension().is_some_and(|kind| kind == "whl"))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_server_runs_code() {
    if variable("MCP_TEST_SLOW").as_deref() != Some("1") {
        say("switched off: the real Jupyter server as a process; set MCP_TEST_SLOW=1");
        return;
    }
    let mut room = Room::new();
    room.service.patience.total = Duration::from_secs(600);
    let wheel = wheel(&room.folder.path().join("wheels")).await;
    let request = DeployRequest {
        template: "mcp-server-jupyter".to_owned(),
        request: Request {
            name: Some("one".to_owned()),
            configuration: json!({ "token": TOKEN }).as_object().unwrap().clone(),
            wheel: Some(wheel.display().to_string()),
            ..Request::default()
        },
    };
    room.service
        .deploy(&identity().namespace, &request, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let check = room
        .service
        .check(&identity(), CheckTarget::Whole)
        .await
        .unwrap();
    assert!(check.passed, "{check:?}");
    let client = Client::connect(&room.endpoint().await).await;
    let started = client.call("start_kernel", json!({})).await;
    let started: Value = serde_json::from_str(&started).unwrap();
    let kernel = started["kernel_id"].as_str().unwrap();
    let ran = client
        .call(
            "execute_code",
            json!({ "kernel_id": kernel, "code": "print(6 * 7)" }),
        )
        .await;
    assert!(ran.contains("42"), "{ran}");
    client.close().await;
    let update = UpdateRequest {
        configuration: json!({ "log_level": "warning" })
            .as_object()
            .unwrap()
            .clone(),
        ..UpdateRequest::default()
    };
    room.service
        .update(&identity(), &update, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    // Kernels live in sessions of their own; they go with their server all the same.
    room.delete().await;
}
