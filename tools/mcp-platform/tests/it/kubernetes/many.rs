//! The cache says what the cluster says, of a few servers at every step and of many at once.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::api::PostParams;
use mcp_platform::backend::{Backend as _, Scope};
use mcp_platform::model::{Action, Observed, Remember};
use mcp_platform::service::{Quiet, Waiting};
use mcp_platform::world::World;
use serde_json::json;

use super::place::{Place, backend, watching};

/// Both, once they say the same: a watch is a moment behind.
async fn alike(place: &Place) -> Vec<Arc<Observed>> {
    let scope = Scope {
        namespace: Some(place.namespace.clone()),
        template: None,
    };
    let mut changes = place.backend.changes(&scope);
    loop {
        let kept = place.backend.list(&scope).await.unwrap();
        let asked = backend(&place.client).list(&scope).await.unwrap();
        if kept == asked {
            return kept;
        }
        changes.next().await.unwrap().unwrap();
    }
}

#[test]
fn the_cache_says_what_the_cluster_says() {
    watching(|place| async move {
        let (service, identity) = (&place.service, place.identity("a"));
        assert!(alike(&place).await.is_empty());
        let deploy = |name, replicas| place.request(name, "1", replicas);
        for name in ["a", "b"] {
            service
                .deploy(&place.namespace, &deploy(name, 2), Waiting::Wait, &Quiet)
                .await
                .unwrap();
            alike(&place).await;
        }
        // Right after a write, without waiting for anything: what was written is there.
        let actions = [
            (Action::Cordon, 2, true),
            (Action::Uncordon, 2, false),
            (
                Action::Scale {
                    from: 2,
                    to: 3,
                    remember: Remember::Forget,
                },
                3,
                false,
            ),
            (
                Action::Scale {
                    from: 3,
                    to: 0,
                    remember: Remember::Set(3),
                },
                0,
                false,
            ),
        ];
        for (action, desired, draining) in actions {
            place.backend.perform(&identity, &action).await.unwrap();
            let observed = place.observe("a").await.unwrap();
            assert_eq!(
                (observed.desired, observed.draining),
                (desired, draining),
                "{action:?}"
            );
        }
        service
            .delete(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(alike(&place).await.len(), 1);
    });
}

async fn make(place: &Place, number: usize) {
    let name = format!("many-{number}");
    let labels = json!({"app.kubernetes.io/component": "mcp-server", "app": name});
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x:1"}]}},
        },
    }))
    .unwrap();
    let service: Service = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
    }))
    .unwrap();
    let parameters = PostParams::default();
    let deployments = place.api::<Deployment>();
    let services = place.api::<Service>();
    let made = tokio::join!(
        deployments.create(&parameters, &deployment),
        services.create(&parameters, &service),
    );
    made.0.unwrap();
    made.1.unwrap();
}

/// `MCP_TEST_SLOW=1`, and `MCP_TEST_SERVERS` for another number than 200.
#[test]
fn many_servers_are_listed_without_asking() {
    let world = World::read().unwrap();
    let mut stderr = std::io::stderr();
    if world.variable("MCP_TEST_SLOW").is_none() {
        let _ = writeln!(stderr, "switched off: set MCP_TEST_SLOW=1");
        return;
    }
    let count: usize = world
        .variable("MCP_TEST_SERVERS")
        .map_or(200, |text| text.parse().unwrap());
    watching(|place| async move {
        stream::iter(0..count)
            .for_each_concurrent(16, |number| make(&place, number))
            .await;
        let scope = Scope {
            namespace: Some(place.namespace.clone()),
            template: None,
        };
        while place.backend.list(&scope).await.unwrap().len() < count {
            place.backend.changes(&scope).next().await;
        }
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..100 {
            let begun = Instant::now();
            assert_eq!(place.backend.list(&scope).await.unwrap().len(), count);
            times.push(begun.elapsed());
        }
        times.sort();
        let begun = Instant::now();
        assert_eq!(
            backend(&place.client).list(&scope).await.unwrap().len(),
            count
        );
        let asked = begun.elapsed();
        let _ = writeln!(
            stderr,
            "{count} servers: p50 {:?}, p99 {:?} from the cache, {asked:?} from the cluster",
            times[50], times[98]
        );
        assert!(
            times[98] < asked,
            "{:?} is not less than {asked:?}",
            times[98]
        );
    });
}
