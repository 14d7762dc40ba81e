//! Servers that somebody else made: seen, steered, and taken no further.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::api::PostParams;
use mcp_platform::backend::{Backend as _, Scope};
use mcp_platform::error::Kind;
use mcp_platform::model::State;
use mcp_platform::service::{Quiet, Report, StopMode, Waiting};
use serde_json::json;

use super::place::{Place, watching};

async fn make(place: &Place) {
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": {"name": "theirs", "labels": {"app.kubernetes.io/component": "mcp-server"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "theirs"}},
            "template": {
                "metadata": {"labels": {"app": "theirs"}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": "c", "image": "theirs:1", "ports": [{"containerPort": 9000}]}],
                },
            },
        },
    }))
    .unwrap();
    place
        .api::<Deployment>()
        .create(&PostParams::default(), &deployment)
        .await
        .unwrap();
    let service: Service = serde_json::from_value(json!({
        "metadata": {"name": "another-name"},
        "spec": {"selector": {"app": "theirs"}, "ports": [{"port": 80, "targetPort": 9000}]},
    }))
    .unwrap();
    place
        .api::<Service>()
        .create(&PostParams::default(), &service)
        .await
        .unwrap();
}

#[test]
fn a_foreign_server_is_adopted() {
    watching(|place| async move {
        make(&place).await;
        let service = &place.service;
        let identity = place.identity("theirs");
        let running = place
            .until("theirs", |one| {
                one.is_some_and(|one| Report::of(one.clone()).status.state == State::Running)
            })
            .await
            .unwrap();
        assert!(running.spec.is_none());
        assert_eq!(running.instances.len(), 2);
        assert!(
            running.endpoints[0].url.ends_with(":80"),
            "{:?}",
            running.endpoints
        );
        let scope = Scope {
            namespace: Some(place.namespace.clone()),
            template: None,
        };
        assert_eq!(place.backend.list(&scope).await.unwrap().len(), 1);

        let stopped = service
            .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(stopped.server.unwrap().observed.remembered, Some(2));
        let started = service
            .start(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(started.server.unwrap().observed.desired, 2);
        service
            .restart(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        service
            .scale(&identity, 1, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let error = service
            .deploy(
                &place.namespace,
                &place.request("theirs", "1", 1),
                Waiting::Wait,
                &Quiet,
            )
            .await
            .unwrap_err();
        assert_eq!(error.kind, Kind::Conflict);

        service
            .delete(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert!(place.observe("theirs").await.is_none());
        // What does not carry our labels is not ours to delete.
        assert!(
            place
                .api::<Service>()
                .get_opt("another-name")
                .await
                .unwrap()
                .is_some()
        );
    });
}
