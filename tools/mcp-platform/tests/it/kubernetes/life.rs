//! The life of a server: every operation, again, and nothing left.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams};
use mcp_platform::backend::Backend as _;
use mcp_platform::model::{
    Action, EndpointKind, Exposure, Phase, Remember, Secret as Value, State, Statefulness, Volume,
};
use mcp_platform::service::{Quiet, StopMode, UpdateRequest, Waiting};

use super::place::{Place, image, watching, within};

async fn deployed(place: &Place, name: &str, replicas: u32) {
    let outcome = place
        .service
        .deploy(
            &place.namespace,
            &place.request(name, "1", replicas),
            Waiting::Wait,
            &Quiet,
        )
        .await
        .unwrap();
    assert_eq!(outcome.server.unwrap().status.state, State::Running);
}

#[test]
fn a_server_lives_and_leaves_nothing() {
    within(whole_life);
}

#[test]
fn a_server_lives_the_same_when_it_is_watched() {
    watching(whole_life);
}

async fn whole_life(place: Arc<Place>) {
    let (service, identity) = (&place.service, place.identity("a"));
    deployed(&place, "a", 2).await;
    let again = service
        .deploy(
            &place.namespace,
            &place.request("a", "1", 2),
            Waiting::Wait,
            &Quiet,
        )
        .await
        .unwrap();
    assert!(again.actions.is_empty(), "{:?}", again.actions);
    let observed = again.server.unwrap().observed;
    assert_eq!(
        (observed.desired, observed.ready, observed.instances.len()),
        (2, 2, 2)
    );
    assert_eq!(observed.endpoints[0].kind, EndpointKind::ClusterIp);
    assert!(
        observed.endpoints[0].url.ends_with(":8080"),
        "{:?}",
        observed.endpoints
    );

    service
        .scale(&identity, 3, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let stopped = service
        .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let stopped = stopped.server.unwrap().observed;
    assert_eq!(
        (stopped.desired, stopped.remembered, stopped.draining),
        (0, Some(3), true)
    );
    let started = service
        .start(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let started = started.server.unwrap().observed;
    assert_eq!(
        (started.desired, started.remembered, started.draining),
        (3, None, false)
    );

    let before: Vec<String> = started
        .instances
        .iter()
        .map(|one| one.name.clone())
        .collect();
    let restarted = service
        .restart(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let after = restarted.server.unwrap();
    let after = &after.observed.instances;
    let here = after.iter().filter(|one| one.phase != Phase::Ending);
    assert!(here.into_iter().all(|one| !before.contains(&one.name)));

    let update = UpdateRequest {
        image: Some(image("2")),
        ..UpdateRequest::default()
    };
    let updated = service
        .update(&identity, &update, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let updated = updated.server.unwrap().observed;
    assert_eq!(updated.image, Some(image("2").to_string()));
    assert_eq!(updated.desired, 3);

    service
        .delete(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(place.objects("a").await, Vec::<String>::new());
    assert!(place.pods().await.is_empty());
}

#[test]
fn force_touches_nothing_in_the_template() {
    within(|place| async move {
        deployed(&place, "a", 2).await;
        let api = place.api::<Deployment>();
        let before = api.get("a").await.unwrap();
        let identity = place.identity("a");
        place
            .service
            .stop(&identity, StopMode::Force, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let after = api.get("a").await.unwrap();
        assert_eq!(before.spec.unwrap().template, after.spec.unwrap().template);
        let sets = place
            .api::<ReplicaSet>()
            .list(&ListParams::default())
            .await
            .unwrap();
        assert_eq!(sets.items.len(), 1);
        assert!(place.pods().await.is_empty());
        let started = place
            .service
            .start(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(started.server.unwrap().observed.desired, 2);
    });
}

#[test]
fn each_action_done_again_does_no_more() {
    within(|place| async move {
        deployed(&place, "a", 1).await;
        let identity = place.identity("a");
        let twice = [
            Action::Cordon,
            Action::Uncordon,
            Action::Restart,
            Action::Scale {
                from: 1,
                to: 2,
                remember: Remember::Forget,
            },
            Action::Scale {
                from: 2,
                to: 0,
                remember: Remember::Set(2),
            },
            Action::Kill,
        ];
        for action in twice {
            place.backend.perform(&identity, &action).await.unwrap();
            let once = place.api::<Deployment>().get("a").await.unwrap();
            place.backend.perform(&identity, &action).await.unwrap();
            let again = place.api::<Deployment>().get("a").await.unwrap();
            assert_eq!(once.spec, again.spec, "{action:?}");
        }
        place
            .backend
            .perform(&identity, &Action::Remove)
            .await
            .unwrap();
        place
            .backend
            .perform(&identity, &Action::Remove)
            .await
            .unwrap();
        place.until("a", |observed| observed.is_none()).await;
        assert_eq!(place.objects("a").await, Vec::<String>::new());
    });
}

#[test]
fn new_sessions_are_kept_away_and_come_again() {
    within(|place| async move {
        deployed(&place, "a", 1).await;
        let identity = place.identity("a");
        let pods = place.pods().await;
        place
            .backend
            .perform(&identity, &Action::Cordon)
            .await
            .unwrap();
        let observed = place.observe("a").await.unwrap();
        assert!(observed.draining);
        assert_eq!(observed.ready, 1);
        assert!(!observed.endpoints.is_empty());
        place
            .backend
            .perform(&identity, &Action::Uncordon)
            .await
            .unwrap();
        assert!(!place.observe("a").await.unwrap().draining);
        assert_eq!(pods[0].metadata.uid, place.pods().await[0].metadata.uid);
    });
}

#[test]
fn secrets_are_kept_where_secrets_are() {
    watching(|place| async move {
        let mut spec = place.spec("a", "1", 1);
        spec.secrets.id = "word".to_owned();
        spec.secrets_id = "word".to_owned();
        spec.secrets
            .environment
            .insert("TOKEN".to_owned(), Value::new("hunter2hunter2"));
        let action = Action::Apply {
            spec: Box::new(spec.clone()),
            replicas: 1,
            remember: Remember::Forget,
            previous: None,
            expected: None,
        };
        place
            .backend
            .perform(&spec.identity, &action)
            .await
            .unwrap();
        let observed = place
            .until("a", |one| one.is_some_and(|one| one.ready == 1))
            .await
            .unwrap();
        assert_eq!(observed.spec.as_deref(), Some(&spec));
        assert!(
            !serde_json::to_string(&observed)
                .unwrap()
                .contains("hunter2")
        );
        let deployment = place.api::<Deployment>().get("a").await.unwrap();
        assert!(
            !serde_json::to_string(&deployment)
                .unwrap()
                .contains("hunter2")
        );
        let secrets = place
            .api::<Secret>()
            .list(&ListParams::default())
            .await
            .unwrap();
        let text = format!("{:?}", observed.spec);
        assert!(!text.contains("hunter2"), "{text}");
        assert!(
            secrets
                .items
                .iter()
                .any(|secret| secret.metadata.name.as_deref() == Some("a-store"))
        );
    });
}

#[test]
fn instances_with_storage_of_their_own_leave_no_claim() {
    within(|place| async move {
        let mut spec = place.spec("a", "1", 2);
        spec.statefulness = Statefulness::Sticky;
        spec.volumes.push(Volume {
            name: "data".to_owned(),
            path: "/data".to_owned(),
            size: 1 << 20,
            storage_class: None,
            variable: None,
        });
        let action = Action::Apply {
            spec: Box::new(spec.clone()),
            replicas: 2,
            remember: Remember::Forget,
            previous: None,
            expected: None,
        };
        place
            .backend
            .perform(&spec.identity, &action)
            .await
            .unwrap();
        let service = &place.service;
        let running = |desired: u32| {
            move |one: Option<&mcp_platform::model::Observed>| {
                one.is_some_and(|one| {
                    one.desired == desired
                        && mcp_platform::lifecycle::status(one).state == State::Running
                })
            }
        };
        place.until("a", running(2)).await;
        let objects = place.objects("a").await;
        assert!(
            objects.iter().any(|one| one == "StatefulSet/a"),
            "{objects:?}"
        );
        assert!(
            objects
                .iter()
                .any(|one| one.starts_with("PersistentVolumeClaim/")),
            "{objects:?}"
        );
        let identity = &spec.identity;
        service
            .stop(identity, StopMode::Graceful, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        service
            .start(identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        service
            .restart(identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        service
            .scale(identity, 1, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        service
            .delete(identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(place.objects("a").await, Vec::<String>::new());
    });
}

#[test]
fn ways_from_outside_are_said() {
    within(|place| async move {
        let mut request = place.request("a", "1", 1);
        request.request.exposure = Some(Exposure::NodePort { port: None });
        let outcome = place
            .service
            .deploy(&place.namespace, &request, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let endpoints = outcome.server.unwrap().observed.endpoints.clone();
        assert!(
            endpoints
                .iter()
                .any(|one| one.url.starts_with("nodePort://*:")),
            "{endpoints:?}"
        );
        let mut request = place.request("b", "1", 1);
        request.request.exposure = Some(Exposure::Ingress {
            host: "b.example".to_owned(),
            tls_secret: None,
        });
        let outcome = place
            .service
            .deploy(&place.namespace, &request, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let endpoints = outcome.server.unwrap().observed.endpoints.clone();
        assert!(
            endpoints
                .iter()
                .any(|one| one.url.starts_with("http://b.example")),
            "{endpoints:?}"
        );
        place
            .service
            .delete(&place.identity("b"), Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(place.objects("b").await, Vec::<String>::new());
    });
}

/// What is left when a deployment or a deletion is cut off is found, and can be finished.
#[test]
fn what_was_cut_off_is_found_again() {
    within(|place| async move {
        for finish in ["deploy", "delete"] {
            deployed(&place, "a", 1).await;
            place
                .api::<Deployment>()
                .delete("a", &DeleteParams::foreground())
                .await
                .unwrap();
            let remains = place
                .until("a", |one| {
                    one.is_some_and(|one| one.instances.is_empty() && one.token.is_none())
                })
                .await
                .unwrap();
            assert_eq!(remains.conditions[0].reason, "Unfinished");
            assert!(remains.spec.is_some());
            if finish == "deploy" {
                deployed(&place, "a", 1).await;
            }
            place
                .service
                .delete(&place.identity("a"), Waiting::Wait, &Quiet)
                .await
                .unwrap();
            assert_eq!(place.objects("a").await, Vec::<String>::new());
        }
    });
}

#[test]
fn revisions_before_the_previous_one_go() {
    within(|place| async move {
        deployed(&place, "a", 1).await;
        let counted = |objects: &[String]| {
            objects
                .iter()
                .filter(|one| one.starts_with("ConfigMap/"))
                .count()
        };
        let first = counted(&place.objects("a").await);
        for tag in ["2", "3", "4"] {
            let update = UpdateRequest {
                image: Some(image(tag)),
                ..UpdateRequest::default()
            };
            place
                .service
                .update(&place.identity("a"), &update, Waiting::Wait, &Quiet)
                .await
                .unwrap();
        }
        let objects = place.objects("a").await;
        assert_eq!(counted(&objects), 2 * first, "{objects:?}");
        let store = place.api::<Secret>().get("a-store").await.unwrap();
        assert_eq!(store.data.unwrap().len(), 2);
    });
}
