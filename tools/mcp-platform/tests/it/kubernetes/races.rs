//! Several at once: the second one hears of it, and nothing is lost.

use futures::StreamExt as _;
use std::sync::Arc;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use mcp_platform::backend::{Backend as _, Scope};
use mcp_platform::error::Kind;
use mcp_platform::lifecycle::status;
use mcp_platform::model::{Action, Change, Remember, Spec, State};
use mcp_platform::service::{Quiet, Service, UpdateRequest, Waiting};
use serde_json::json;

use super::gate::{Gate, Side};
use super::place::{Place, backend, watching, within, within_longer};

fn apply(spec: Spec, expected: Option<String>) -> Action {
    Action::Apply {
        spec: Box::new(spec),
        replicas: 1,
        remember: Remember::Forget,
        previous: None,
        expected,
    }
}

#[test]
fn of_two_that_create_one_wins() {
    within(|place| async move {
        let (one, two) = (backend(&place.client), backend(&place.client));
        let identity = place.identity("a");
        let actions = ["1", "2"].map(|tag| apply(place.spec("a", tag, 1), None));
        let (first, second) = tokio::join!(
            one.perform(&identity, &actions[0]),
            two.perform(&identity, &actions[1])
        );
        let failed: Vec<_> = [first, second]
            .into_iter()
            .filter_map(Result::err)
            .collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(failed[0].kind, Kind::Conflict);
    });
}

#[test]
fn of_two_that_change_one_wins() {
    within(|place| async move {
        let deploy = place.request("a", "1", 1);
        place
            .service
            .deploy(&place.namespace, &deploy, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let token = place.observe("a").await.unwrap().token;
        let identity = place.identity("a");
        let actions = ["2", "3"].map(|tag| apply(place.spec("a", tag, 1), token.clone()));
        let answers = join_all(
            actions
                .iter()
                .map(|action| place.backend.perform(&identity, action)),
        )
        .await;
        let failed: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(failed[0].kind, Kind::Conflict);
        let scaled = Action::Scale {
            from: 5,
            to: 6,
            remember: Remember::Forget,
        };
        let error = place.backend.perform(&identity, &scaled).await.unwrap_err();
        assert_eq!(error.kind, Kind::Conflict);
    });
}

#[test]
fn many_at_once_lose_nothing() {
    within(many_at_once);
}

#[test]
fn many_at_once_lose_nothing_when_it_is_watched() {
    watching(many_at_once);
}

async fn many_at_once(place: Arc<Place>) {
    let deploy = place.request("a", "1", 1);
    place
        .service
        .deploy(&place.namespace, &deploy, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let identity = place.identity("a");
    let updates = (0..8).map(|number| {
        let (place, identity) = (&place, &identity);
        async move {
            let update = UpdateRequest {
                configuration: serde_json::from_value(json!({"greeting": format!("g{number}")}))
                    .unwrap(),
                ..UpdateRequest::default()
            };
            place
                .service
                .update(identity, &update, Waiting::Return, &Quiet)
                .await
                .is_ok()
        }
    });
    let done = join_all(updates)
        .await
        .into_iter()
        .filter(|done| *done)
        .count();
    assert!(done > 0);
    let observed = place
        .until("a", |one| {
            one.is_some_and(|one| status(one).state == State::Running)
        })
        .await
        .unwrap();
    let spec = observed.spec.unwrap();
    assert_eq!(observed.revision, Some(spec.revision()));
    let name = format!("ConfigMap/a-config-{}", spec.revision());
    let objects = place.objects("a").await;
    assert!(objects.contains(&name), "{name} of {objects:?}");
    place
        .service
        .delete(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(place.objects("a").await, Vec::<String>::new());
}

#[test]
fn changes_begin_with_everything_and_name_the_server() {
    within(|place| async move {
        let scope = Scope {
            namespace: Some(place.namespace.clone()),
            template: None,
        };
        let mut changes = place.backend.changes(&scope);
        assert_eq!(changes.next().await.unwrap().unwrap(), Change::Everything);
        let identity = place.identity("a");
        place
            .backend
            .perform(&identity, &apply(place.spec("a", "1", 1), None))
            .await
            .unwrap();
        while changes.next().await.unwrap().unwrap() != Change::Server(identity.clone()) {}
    });
}

/// What the platform itself makes of a server.
fn made(objects: &[String]) -> Vec<String> {
    let derived = ["Endpoints/", "EndpointSlice/", "ReplicaSet/", "Pod/"];
    let ours = |object: &&String| !derived.iter().any(|kind| object.starts_with(kind));
    objects.iter().filter(ours).cloned().collect()
}

/// One creates a server and fails; another one creates an equal server at the same time. What the
/// first takes back is nothing that the second needs, wherever it failed.
#[test]
fn what_failed_to_be_created_takes_nothing_from_another() {
    within_longer(|place| async move {
        let identity = place.identity("a");
        let action = apply(place.spec("a", "1", 1), None);
        place.backend.perform(&identity, &action).await.unwrap();
        let whole = made(&place.objects("a").await);
        gone(&place).await;
        let (one, two) = (
            Gate::open(place.client.clone()).await,
            Gate::open(place.client.clone()).await,
        );
        let (failing, lasting) = (backend(&one.client().await), backend(&two.client().await));
        for number in 1..=whole.len() {
            // The last but one is the workload, or what comes before it.
            if number == whole.len() {
                one.stop_at_path("/deployments");
            } else {
                one.stop_at(number, Side::Before);
            }
            two.stop_at_path("/deployments");
            let (failed, lasted) = tokio::join!(
                async {
                    let failed = failing.perform(&identity, &action).await;
                    two.stop_nothing();
                    failed
                },
                async {
                    one.reached().await;
                    let refuse = async {
                        two.reached().await;
                        one.refuse();
                    };
                    tokio::join!(lasting.perform(&identity, &action), refuse).0
                }
            );
            assert_eq!(failed.unwrap_err().kind, Kind::Unavailable, "at {number}");
            lasted.unwrap();
            assert_eq!(made(&place.objects("a").await), whole, "at {number}");
            gone(&place).await;
            // Alone, it leaves nothing.
            one.stop_at_path("/deployments");
            let (failed, ()) = tokio::join!(failing.perform(&identity, &action), async {
                one.reached().await;
                one.refuse();
            });
            failed.unwrap_err();
            assert_eq!(made(&place.objects("a").await), Vec::<String>::new());
        }
    });
}

/// The same one step up: a deployment that fails does not undo an equal one that succeeded meanwhile.
#[test]
fn what_failed_to_be_deployed_leaves_the_other_one_alone() {
    within(|place| async move {
        let gate = Gate::open(place.client.clone()).await;
        let failing = Service {
            backend: Arc::new(backend(&gate.client().await)),
            ..place.service.clone()
        };
        let request = place.request("a", "1", 2);
        gate.stop_at_path("/deployments");
        let deploy = |service: Service| {
            let (namespace, request) = (place.namespace.clone(), request.clone());
            async move {
                let waiting = Waiting::Wait;
                service.deploy(&namespace, &request, waiting, &Quiet).await
            }
        };
        let (failed, lasted) = tokio::join!(deploy(failing), async {
            gate.reached().await;
            let lasted = deploy(place.service.clone()).await;
            gate.refuse();
            lasted
        });
        assert_eq!(failed.unwrap_err().kind, Kind::Unavailable);
        let lasted = lasted.unwrap().server.unwrap();
        let present = place.observe("a").await.unwrap();
        assert_eq!(status(&present).state, State::Running);
        assert_eq!(present.token, lasted.observed.token);
    });
}

/// One deletes a server while another one writes it: what is written is whole in the end, or gone.
#[test]
fn what_is_deleted_while_it_is_written_is_whole_or_gone() {
    within(|place| async move {
        let gate = Gate::open(place.client.clone()).await;
        let writing = backend(&gate.client().await);
        let identity = place.identity("a");
        let action = apply(place.spec("a", "1", 1), None);
        place.backend.perform(&identity, &action).await.unwrap();
        let whole = made(&place.objects("a").await);
        gone(&place).await;

        gate.stop_at_path("/deployments");
        let (written, ()) = tokio::join!(writing.perform(&identity, &action), async {
            gate.reached().await;
            place
                .backend
                .perform(&identity, &Action::Remove)
                .await
                .unwrap();
            gate.stop_nothing();
        });
        written.unwrap();
        assert_eq!(made(&place.objects("a").await), whole);

        let token = place.observe("a").await.unwrap().token;
        let change = apply(place.spec("a", "2", 1), token);
        gate.stop_at_path("/deployments/a");
        let (written, ()) = tokio::join!(writing.perform(&identity, &change), async {
            gate.reached().await;
            gone(&place).await;
            gate.stop_nothing();
        });
        assert_eq!(written.unwrap_err().kind, Kind::Conflict);
        place.until_pods(<[Pod]>::is_empty).await;
        assert_eq!(made(&place.objects("a").await), Vec::<String>::new());
    });
}

async fn gone(place: &Place) {
    let identity = place.identity("a");
    place
        .backend
        .perform(&identity, &Action::Remove)
        .await
        .unwrap();
    place.until("a", |one| one.is_none()).await;
    assert_eq!(place.objects("a").await, Vec::<String>::new());
}
