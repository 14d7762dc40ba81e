//! Servers that somebody else started.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use mcp_platform::backend::Scope;
use mcp_platform::error::Kind;
use mcp_platform::model::State;
use mcp_platform::service::{Quiet, StopMode, Waiting};

use super::room;

#[tokio::test]
async fn a_foreign_server_is_shown_and_steered() {
    let Some(room) = room("foreign").await else {
        return;
    };
    let labels = [
        ("app.kubernetes.io/component", "mcp-server"),
        ("app.kubernetes.io/instance", "theirs"),
        ("mcp-platform/namespace", "foreign"),
    ];
    let binding = PortBinding {
        host_ip: Some("127.0.0.1".to_owned()),
        host_port: Some("0".to_owned()),
    };
    let body = ContainerCreateBody {
        image: Some(room.image.to_string()),
        cmd: Some(
            [
                "mcp-platform",
                "echo",
                "--host",
                "0.0.0.0",
                "--port",
                "8080",
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
        labels: Some(
            labels
                .into_iter()
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .collect(),
        ),
        exposed_ports: Some(vec!["8080/tcp".to_owned()]),
        host_config: Some(HostConfig {
            // The engine has no network of its own here.
            network_mode: Some("none".to_owned()),
            port_bindings: Some(HashMap::from([(
                "8080/tcp".to_owned(),
                Some(vec![binding]),
            )])),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let client = room.engine.client();
    let options = CreateContainerOptionsBuilder::new()
        .name("Their_Server")
        .build();
    client.create_container(Some(options), body).await.unwrap();
    client
        .start_container("Their_Server", None::<StartContainerOptions>)
        .await
        .unwrap();

    let identity = room.identity("theirs");
    let service = &room.service;
    let scope = Scope {
        namespace: Some(room.namespace.clone()),
        template: None,
    };
    let listed = service.list(&scope).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].observed.identity, identity);
    assert_eq!(listed[0].status.state, State::Running);
    assert_eq!(listed[0].observed.spec, None);

    let refused = service
        .scale(&identity, 2, Waiting::Wait, &Quiet)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
    let refused = room
        .deploy(&room.request("echo", "theirs", &serde_json::json!({})))
        .await;
    assert_eq!(refused.unwrap_err().kind, Kind::Conflict);
    service
        .restart(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    service
        .stop(&identity, StopMode::Force, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(room.state("theirs").await, State::Stopped);
    service
        .start(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(room.state("theirs").await, State::Running);
    service
        .delete(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    assert!(
        client
            .remove_container("Their_Server", Some(options))
            .await
            .is_err()
    );
}
