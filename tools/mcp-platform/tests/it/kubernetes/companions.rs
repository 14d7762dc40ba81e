//! Companions follow their server, and keep what they hold.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret};
use kube::api::{Patch, PatchParams};
use mcp_platform::backend::Backend as _;
use mcp_platform::lifecycle::status;
use mcp_platform::model::{Action, Cause, Observed, Remember, State};
use mcp_platform::service::{DeployRequest, Outcome, Quiet, Service, StopMode, Waiting};
use mcp_platform::template::{Request, builtin, parse};
use serde_json::json;

use super::gate::Gate;
use super::place::{Place, backend, image, watching, within};

/// The example with a database.
pub const NOTES: &str = include_str!("../../../examples/templates/notes/template.toml");

/// A service that knows it.
fn service(place: &Place) -> Service {
    let mut catalogue = builtin().unwrap();
    let notes = parse(NOTES, "notes").unwrap();
    catalogue.templates.insert(notes.id.clone(), notes);
    Service {
        catalogue: Arc::new(catalogue),
        ..place.service.clone()
    }
}

async fn deploy(place: &Place, service: &Service, name: &str) -> Outcome {
    let deploy = DeployRequest {
        template: "notes".to_owned(),
        request: Request {
            name: Some(name.to_owned()),
            image: Some(image("1")),
            ..Request::default()
        },
    };
    service
        .deploy(&place.namespace, &deploy, Waiting::Wait, &Quiet)
        .await
        .unwrap()
}

async fn companion(place: &Place) -> i32 {
    let deployment = place.api::<Deployment>().get("a-mongodb").await.unwrap();
    deployment.spec.unwrap().replicas.unwrap()
}

/// What a database must not lose: its claim and its password.
async fn held(place: &Place) -> (Option<String>, Option<String>, String) {
    let claims = place.api::<PersistentVolumeClaim>();
    let claim = claims.get("a-mongodb-data").await.unwrap();
    let secret = place.api::<Secret>().get("a-mongodb").await.unwrap();
    let data = format!("{:?}", secret.data);
    (claim.metadata.uid, secret.metadata.uid, data)
}

fn of_companion(pod: &Pod) -> bool {
    let labels = pod.metadata.labels.as_ref().unwrap();
    labels["app.kubernetes.io/component"] == "mcp-companion"
}

async fn follows(place: Arc<Place>) {
    let (service, identity) = (service(&place), place.identity("a"));
    deploy(&place, &service, "a").await;
    let before = held(&place).await;
    for way in ["stop", "force", "scale"] {
        match way {
            "scale" => service.scale(&identity, 0, Waiting::Wait, &Quiet).await,
            _ => {
                let mode = if way == "force" {
                    StopMode::Force
                } else {
                    StopMode::Graceful
                };
                service.stop(&identity, mode, Waiting::Wait, &Quiet).await
            }
        }
        .unwrap();
        let stopped = place.observe("a").await.unwrap();
        assert_eq!(status(&stopped).state, State::Stopped, "{way}: {stopped:?}");
        assert_eq!(stopped.faults, [], "{way}");
        assert_eq!(companion(&place).await, 0, "{way}");
        assert!(place.pods().await.is_empty(), "{way}");
        let again = service
            .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(again.actions, [], "{way}");
        service
            .start(&identity, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        place
            .until_pods(|pods| pods.iter().filter(|pod| of_companion(pod)).count() == 1)
            .await;
        assert_eq!(companion(&place).await, 1, "{way}");
        assert_eq!(held(&place).await, before, "{way}");
    }
    service
        .delete(&identity, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(place.objects("a").await, Vec::<String>::new());
}

#[test]
fn they_stop_and_start_with_their_server() {
    within(follows);
}

#[test]
fn they_stop_and_start_the_same_when_it_is_watched() {
    watching(follows);
}

/// A database goes on until the last pod that may write to it has ended.
#[test]
fn they_end_after_their_server() {
    within(|place| async move {
        let (service, identity) = (service(&place), place.identity("a"));
        deploy(&place, &service, "a").await;
        let pods = place.pods().await;
        let held = pods.iter().find(|pod| !of_companion(pod)).unwrap();
        let name = held.metadata.name.as_deref().unwrap();
        let hold = async |finalizers: serde_json::Value| {
            let patch = json!({"metadata": {"finalizers": finalizers}});
            place
                .api::<Pod>()
                .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
                .await
                .unwrap();
        };
        hold(json!(["test.example/hold"])).await;
        let stop = service.stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet);
        let look = async {
            place
                .until_pods(|pods| {
                    let servers = pods.iter().filter(|pod| !of_companion(pod)).count();
                    servers == 1 && pods.len() == 2
                })
                .await;
            assert_eq!(companion(&place).await, 1);
            hold(json!(null)).await;
        };
        let (stopped, ()) = tokio::join!(stop, look);
        stopped.unwrap();
        assert_eq!(companion(&place).await, 0);
        assert!(place.pods().await.is_empty());
    });
}

#[test]
fn a_change_of_what_is_stopped_starts_none() {
    within(|place| async move {
        let (service, identity) = (service(&place), place.identity("a"));
        deploy(&place, &service, "a").await;
        service
            .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let update = mcp_platform::service::UpdateRequest {
            image: Some(image("2")),
            ..Default::default()
        };
        let updated = service
            .update(&identity, &update, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let updated = updated.server.unwrap();
        assert_eq!(updated.status.state, State::Stopped);
        assert_eq!(companion(&place).await, 0);
    });
}

/// Names of Services start with a letter on clusters before 1.34, and so does the host name that
/// the server is told.
#[test]
fn a_name_that_starts_with_a_digit_has_companions_too() {
    within(|place| async move {
        let service = service(&place);
        let deployed = deploy(&place, &service, "1-a").await.server.unwrap();
        assert_eq!(deployed.status.state, State::Running);
        let objects = place.objects("1-a").await;
        for object in [
            "Service/mcp-1-a",
            "Service/mcp-1-a-mongodb",
            "Deployment/1-a",
        ] {
            assert!(objects.iter().any(|one| one == object), "{objects:?}");
        }
        let spec = deployed.observed.spec.clone().unwrap();
        let uri = spec.secrets.environment["MONGO_URI"].expose();
        assert!(uri.contains("@mcp-1-a-mongodb:27017/"), "{uri}");
        service
            .delete(&place.identity("1-a"), Waiting::Wait, &Quiet)
            .await
            .unwrap();
        assert_eq!(place.objects("1-a").await, Vec::<String>::new());
    });
}

/// A database that does not come up, or breaks down, is told of at its server.
async fn tells(place: Arc<Place>) {
    let service = service(&place);
    deploy(&place, &service, "a").await;
    let pods = place.pods().await;
    let pod = pods.iter().find(|pod| of_companion(pod)).unwrap();
    let name = pod.metadata.name.as_deref().unwrap();
    let crash = async |value: serde_json::Value| {
        let patch = json!({"metadata": {"annotations": {"test/crash": value}}});
        let parameters = PatchParams::default();
        let pods = place.api::<Pod>();
        pods.patch(name, &parameters, &Patch::Merge(&patch))
            .await
            .unwrap();
    };
    let is = |state: State| {
        move |observed: Option<&Observed>| observed.is_some_and(|one| status(one).state == state)
    };
    crash(json!("true")).await;
    let broken = place.until("a", is(State::Degraded)).await.unwrap();
    let told = status(&broken);
    assert_eq!(told.cause, Cause::CrashLoop, "{told:?}");
    assert!(
        told.message
            .starts_with("2 of 2 ready; the companion mongodb: "),
        "{told:?}"
    );
    crash(json!(null)).await;
    place.until("a", is(State::Running)).await;
    // What ends is not broken.
    crash(json!("true")).await;
    place.until("a", is(State::Degraded)).await;
    let identity = place.identity("a");
    service
        .stop(&identity, StopMode::Graceful, Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let stopped = place.observe("a").await.unwrap();
    assert_eq!(status(&stopped).state, State::Stopped, "{stopped:?}");
}

#[test]
fn what_is_wrong_with_one_is_told() {
    within(tells);
}

#[test]
fn what_is_wrong_with_one_is_told_the_same_when_it_is_watched() {
    watching(tells);
}

/// A stop that was about to end the companions when the server was started again.
#[test]
fn a_start_that_passes_a_stop_by_keeps_them() {
    within(|place| async move {
        let (service, identity) = (service(&place), place.identity("a"));
        deploy(&place, &service, "a").await;
        let gate = Gate::open(place.client.clone()).await;
        let stopping = backend(&gate.client().await);
        gate.stop_at_path("/a-mongodb/scale");
        let stop = Action::Scale {
            from: 2,
            to: 0,
            remember: Remember::Set(2),
        };
        let start = async {
            gate.reached().await;
            service
                .start(&identity, Waiting::Wait, &Quiet)
                .await
                .unwrap();
            gate.stop_nothing();
        };
        let (stopped, ()) = tokio::join!(stopping.perform(&identity, &stop), start);
        stopped.unwrap();
        assert_eq!(companion(&place).await, 1);
        assert_eq!(place.observe("a").await.unwrap().desired, 2);
    });
}

/// A start that found them running when somebody else ended them.
#[test]
fn a_stop_that_passes_a_start_by_does_not_take_them_away() {
    within(|place| async move {
        let (service, identity) = (service(&place), place.identity("a"));
        deploy(&place, &service, "a").await;
        let stop = async || {
            let mode = StopMode::Graceful;
            let stopped = service.stop(&identity, mode, Waiting::Wait, &Quiet).await;
            stopped.unwrap();
        };
        stop().await;
        let gate = Gate::open(place.client.clone()).await;
        let starting = backend(&gate.client().await);
        gate.stop_at_path("/a/scale");
        let start = Action::Scale {
            from: 0,
            to: 2,
            remember: Remember::Forget,
        };
        let stop = async {
            gate.reached().await;
            assert_eq!(companion(&place).await, 1);
            stop().await;
            assert_eq!(companion(&place).await, 0);
            gate.stop_nothing();
        };
        let (started, ()) = tokio::join!(starting.perform(&identity, &start), stop);
        started.unwrap();
        assert_eq!(companion(&place).await, 1);
        assert_eq!(place.observe("a").await.unwrap().desired, 2);
    });
}
