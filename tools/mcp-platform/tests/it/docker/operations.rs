//! Every operation, and that nothing is left of it.

use futures::StreamExt as _;
use mcp_platform::backend::LogOptions;
use mcp_platform::error::Kind;
use mcp_platform::model::State;
use mcp_platform::service::{Outcome, Quiet, StopMode, UpdateRequest, Waiting};
use serde_json::json;

use super::{inspect, room};

fn ports(outcome: &Outcome) -> Vec<String> {
    let server = outcome.server.as_ref().unwrap();
    let endpoints = server.observed.endpoints.iter();
    endpoints.map(|endpoint| endpoint.url.clone()).collect()
}

#[tokio::test]
async fn from_deploy_to_nothing_left() {
    let Some(room) = room("whole-life").await else {
        return;
    };
    let identity = room.identity("echo");
    let deployed = room.deploy_echo("echo", 2).await;
    assert_eq!(room.state("echo").await, State::Running);
    assert_eq!(ports(&deployed).len(), 2);
    let again = room.deploy_echo("echo", 2).await;
    assert_eq!(again.actions, vec![]);
    // Two instances, what is wanted, a network.
    assert_eq!(room.objects("echo").await.len(), 4);

    let mut lines = room
        .service
        .backend
        .logs(&identity, &LogOptions::default())
        .await
        .unwrap();
    let mut instances = std::collections::BTreeSet::new();
    while let Some(line) = lines.next().await {
        let line = line.unwrap();
        assert!(line.text.starts_with("echo: listens at"), "{line:?}");
        assert!(line.at.is_some());
        instances.insert(line.instance);
    }
    assert_eq!(instances.len(), 2);

    let scaled = room
        .service
        .scale(&identity, 3, Waiting::Wait, &Quiet)
        .await;
    assert_eq!(ports(&scaled.unwrap()).len(), 3);
    let stopped = room
        .service
        .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(ports(&stopped), Vec::<String>::new());
    assert_eq!(room.state("echo").await, State::Stopped);
    let started = room
        .service
        .start(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(ports(&started).len(), 3);
    assert_eq!(ports(&started)[..2], ports(&deployed)[..]);

    let before = room.service.status(&identity).await.unwrap();
    let restarted = room
        .service
        .restart(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(ports(&restarted), ports(&started));
    let after = restarted.server.unwrap();
    assert_eq!(after.observed.revision, before.observed.revision);
    for (old, new) in before
        .observed
        .instances
        .iter()
        .zip(&after.observed.instances)
    {
        assert_ne!(old.created, new.created);
    }

    let updated = room
        .update(
            "echo",
            &UpdateRequest {
                configuration: json!({"greeting": "good day"}).as_object().unwrap().clone(),
                ..UpdateRequest::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(ports(&updated), ports(&started));
    assert_ne!(
        updated.server.unwrap().observed.revision,
        before.observed.revision
    );
    let events = room.service.backend.events(&identity).await.unwrap();
    for reason in ["wanted", "create", "start", "die", "destroy"] {
        assert!(
            events.iter().any(|event| event.reason == reason),
            "{reason}"
        );
    }

    room.service
        .stop(&identity, StopMode::Force, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(room.state("echo").await, State::Stopped);
    room.delete("echo").await;
    let gone = room.service.status(&identity).await.unwrap_err();
    assert_eq!(gone.kind, Kind::NotFound);
}

#[tokio::test]
async fn a_container_is_shut_in() {
    let Some(room) = room("shut-in").await else {
        return;
    };
    let token = "a-token-that-nobody-may-see";
    let request = room.request("echo", "echo", &json!({"token": token}));
    room.deploy(&request).await.unwrap();
    for object in room.objects("echo").await {
        let Some(name) = object.strip_prefix("container/") else {
            continue;
        };
        let container = inspect(room.engine, name).await;
        let config = container.config.unwrap();
        let host = container.host_config.unwrap();
        assert!(!format!("{:?}", config.labels).contains(token));
        assert!(
            !format!(
                "{:?} {:?} {:?}",
                config.cmd, config.entrypoint, container.args
            )
            .contains(token)
        );
        if name.contains(".record.") {
            continue;
        }
        assert!(config.env.unwrap().contains(&format!("MCP_TOKEN={token}")));
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!(
            host.security_opt,
            Some(vec!["no-new-privileges".to_owned()])
        );
        assert_eq!(host.memory, Some(128 << 20));
        assert_eq!(host.nano_cpus, Some(200_000_000));
        assert_eq!(config.user.as_deref(), Some("65532:65532"));
        for bindings in host.port_bindings.unwrap().values() {
            for binding in bindings.as_ref().unwrap() {
                assert_eq!(binding.host_ip.as_deref(), Some("127.0.0.1"));
            }
        }
    }
    room.delete("echo").await;
}
