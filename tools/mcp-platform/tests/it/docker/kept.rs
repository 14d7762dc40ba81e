//! What outlives an instance, and what belongs to a server: volumes, files, companions, networks.

use std::process::Stdio;
use std::time::Duration;

use mcp_platform::error::Kind;
use mcp_platform::model::State;
use mcp_platform::service::{Quiet, StopMode, Waiting};
use serde_json::json;
use tokio::process::Command;

use super::{Room, inspect, room};

/// A singleton with a volume, a secret file, scratch space, and a companion with a volume and a
/// generated password; the companion is another echo server.
fn template(room: &mut Room) {
    let image = room.image.to_string();
    room.echo_with("keeper", |text| {
        let text = text.replace("\"stateless\"", "\"singleton\"").replace(
            "[[configuration.setting]]\nkey = \"greeting\"",
            "[[configuration.setting]]\nkey = \"key\"\nfile = \"/etc/echo/key\"\nsecret = true\n\n[[configuration.setting]]\nkey = \"greeting\"",
        );
        let text = text.replace(
            "[configuration.schema.properties.token]",
            "[configuration.schema.properties.key]\ntype = \"string\"\n\n[configuration.schema.properties.token]",
        );
        format!(
            r#"{text}
[[volume]]
name = "data"
path = "/data"
size = "1Gi"

[[companion]]
name = "store"
image = "{image}"
port = 8080
environment = {{ ECHO_GREETING = "store" }}
generated = {{ MCP_TOKEN = "store/password" }}
tells = {{ STORE_URL = "http://x:{{secret:store/password}}@{{companion.store.host}}:8080" }}
volume = {{ name = "db", path = "/db", size = "1Gi" }}
user = 1000
"#
        )
    });
}

/// Whether something at an address answers from within a container's network.
async fn reaches(room: &Room, from: &str, address: &str) -> bool {
    let pid = inspect(room.engine, from).await.state.unwrap().pid.unwrap();
    Command::new("timeout")
        .args(["2", "nsenter", "-t", &pid.to_string(), "-n", "bash", "-c"])
        .arg(format!("exec 3<>/dev/tcp/{address}/8080"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .unwrap()
        .success()
}

fn container(objects: &[String], part: &str) -> String {
    let found = objects.iter().find(|object| object.contains(part));
    let name = found.and_then(|object| object.strip_prefix("container/"));
    name.unwrap_or_else(|| panic!("{part} is not in {objects:?}"))
        .to_owned()
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one life, told from its beginning to its end"
)]
async fn a_companion_is_reached_by_its_server_only_and_volumes_stay() {
    let Some(mut room) = room("kept").await else {
        return;
    };
    template(&mut room);
    let identity = room.identity("keeper");
    let request = room.request("keeper", "keeper", &json!({"key": "hunter2-in-a-file"}));
    let deployed = room.deploy(&request).await.unwrap();
    room.deploy_echo("other", 1).await;
    let objects = room.objects("keeper").await;
    assert_eq!(
        objects
            .iter()
            .filter(
                |object| !object.starts_with("container/keeper-") && !object.contains(".record.")
            )
            .collect::<Vec<_>>(),
        [
            "container/kept.keeper.companion.store",
            "network/kept.keeper",
            "network/kept.keeper.companions",
            "volume/kept.keeper.companion.store.db",
            "volume/kept.keeper.data.0",
        ]
    );
    let server = container(&objects, "/keeper-");
    let store = container(&objects, ".companion.store");
    let other = container(&room.objects("other").await, "/other-");

    let seen = inspect(room.engine, &store).await;
    assert!(
        seen.host_config
            .unwrap()
            .port_bindings
            .unwrap_or_default()
            .is_empty()
    );
    let networks = seen.network_settings.unwrap().networks.unwrap();
    assert_eq!(
        networks.keys().collect::<Vec<_>>(),
        ["kept.keeper.companions"]
    );
    let address = networks["kept.keeper.companions"]
        .ip_address
        .clone()
        .unwrap();
    assert!(reaches(&room, &server, &address).await);
    assert!(!reaches(&room, &other, &address).await);
    // And the other way round: it reaches nothing but its server.
    let others = inspect(room.engine, &other).await.network_settings.unwrap();
    let others = others.networks.unwrap()["kept.other"]
        .ip_address
        .clone()
        .unwrap();
    assert!(!reaches(&room, &store, &others).await);

    let password = |container: &bollard::models::ContainerInspectResponse| {
        let environment = container.config.clone().unwrap().env.unwrap();
        environment
            .into_iter()
            .find_map(|line| line.strip_prefix("MCP_TOKEN=").map(str::to_owned))
            .unwrap()
    };
    let before = password(&inspect(room.engine, &store).await);
    let told = inspect(room.engine, &server).await.config.unwrap();
    assert!(
        told.env
            .unwrap()
            .contains(&format!("STORE_URL=http://x:{before}@keeper-store:8080"))
    );
    assert!(!format!("{:?}", told.labels).contains(&before));
    assert!(!format!("{:?}", told.labels).contains("hunter2"));

    let service = &room.service;
    service
        .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let left = room.objects("keeper").await;
    assert!(
        !left
            .iter()
            .any(|object| object.contains("companion.store") && object.starts_with("container")),
        "{left:?}"
    );
    assert_eq!(
        left.iter()
            .filter(|object| object.starts_with("volume/"))
            .count(),
        2
    );
    let started = service
        .start(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(
        started.server.unwrap().observed.endpoints,
        deployed.server.unwrap().observed.endpoints
    );
    let objects = room.objects("keeper").await;
    let store = container(&objects, ".companion.store");
    assert_eq!(password(&inspect(room.engine, &store).await), before);

    let refused = service
        .scale(&identity, 2, Waiting::Wait, &Quiet)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
    assert_eq!(room.state("keeper").await, State::Running);
    room.delete("keeper").await;
    room.delete("other").await;
}

#[tokio::test]
async fn files_are_in_the_container_and_the_root_may_be_read_only() {
    let Some(mut room) = room("files").await else {
        return;
    };
    template(&mut room);
    let request = room.request("keeper", "keeper", &json!({"key": "hunter2-in-a-file"}));
    room.deploy(&request).await.unwrap();
    let server = container(&room.objects("keeper").await, "/keeper-");
    let pid = inspect(room.engine, &server)
        .await
        .state
        .unwrap()
        .pid
        .unwrap();
    let root = std::path::PathBuf::from(format!("/proc/{pid}/root"));
    let file = root.join("etc/echo/key");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "hunter2-in-a-file");
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(&file).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (65532, 0o400));
    let volume = std::fs::metadata(root.join("data")).unwrap();
    assert_eq!(volume.uid(), 65532);
    room.delete("keeper").await;

    room.echo_with("scratch", |text| {
        format!("{text}\n[[volume]]\nname = \"scratch\"\npath = \"/tmp\"\n")
    });
    room.service.patience.total = Duration::from_secs(60);
    let request = room.request("scratch", "scratch", &json!({}));
    room.deploy(&request).await.unwrap();
    let server = container(&room.objects("scratch").await, "/scratch-");
    let host = inspect(room.engine, &server).await.host_config.unwrap();
    assert_eq!(host.readonly_rootfs, Some(true));
    assert!(host.tmpfs.unwrap().contains_key("/tmp"));
    room.delete("scratch").await;
}

#[tokio::test]
async fn a_companion_that_fails_is_told_while_its_server_is_to_run() {
    let Some(mut room) = room("companion-fails").await else {
        return;
    };
    template(&mut room);
    let identity = room.identity("keeper");
    let request = room.request("keeper", "keeper", &json!({}));
    room.deploy(&request).await.unwrap();
    let store = container(&room.objects("keeper").await, ".companion.store");
    let pid = inspect(room.engine, &store).await.state.unwrap().pid;
    crate::process::kill(i32::try_from(pid.unwrap()).unwrap());
    let degraded = until(&room, "keeper", State::Degraded).await;
    assert!(
        degraded.message.contains("the companion store: it ended"),
        "{degraded:?}"
    );
    // Taken away by somebody else: said, and brought back.
    let options = bollard::query_parameters::RemoveContainerOptionsBuilder::new()
        .force(true)
        .build();
    let client = room.engine.client();
    client
        .remove_container(&store, Some(options))
        .await
        .unwrap();
    let degraded = until(&room, "keeper", State::Degraded).await;
    assert!(degraded.message.contains("was removed"), "{degraded:?}");
    room.service
        .start(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(room.state("keeper").await, State::Running);
    room.delete("keeper").await;

    let image = room.image.to_string();
    room.echo_with("broken", |text| {
        format!(
            "{text}\n[[companion]]\nname = \"store\"\nimage = \"{image}\"\nport = 8080\nenvironment = {{ ECHO_FAIL = \"exit:4\" }}\n"
        )
    });
    let request = room.request("broken", "keeper", &json!({}));
    let error = room.deploy(&request).await.unwrap_err();
    assert!(error.message.contains("the companion store"), "{error}");
    assert!(error.message.contains("code 4"), "{error}");
    assert!(error.message.contains("crash-loop"), "{error}");
    assert_eq!(room.objects("keeper").await, Vec::<String>::new());
}

/// Waits until a server is in a state; the engine's events are not all that tells.
async fn until(room: &Room, name: &str, state: State) -> mcp_platform::model::Status {
    let seen = async {
        loop {
            let report = room.service.status(&room.identity(name)).await.unwrap();
            if report.status.state == state {
                return report.status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(30), seen).await;
    seen.unwrap_or_else(|_| panic!("never {state:?}"))
}
