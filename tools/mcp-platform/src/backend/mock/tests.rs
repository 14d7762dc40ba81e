//! The mock through the service: every run is the same, and none waits.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::error::Kind as ErrorKind;
use crate::lifecycle::{Limits, Patience, status};
use crate::model::{Name, State};
use crate::service::{DeployRequest, Quiet, Service, Waiting};
use crate::template::{Request, builtin};

fn start() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

fn service(backend: &MockBackend) -> Service {
    Service {
        backend: Arc::new(backend.clone()),
        catalogue: Arc::new(builtin().unwrap()),
        limits: Limits::default(),
        patience: Patience::default(),
        clock: backend.clock(),
        random: Arc::new(|| "0".repeat(32)),
    }
}

fn echo(replicas: u32) -> DeployRequest {
    DeployRequest {
        template: "echo".to_owned(),
        request: Request {
            name: Some("demo".to_owned()),
            configuration: json!({"token": "a-secret-token"})
                .as_object()
                .unwrap()
                .clone(),
            replicas: Some(replicas),
            ..Request::default()
        },
    }
}

fn identity() -> Identity {
    Identity {
        namespace: Name::label("mcp-servers").unwrap(),
        name: Name::label("demo").unwrap(),
    }
}

async fn fails(faults: &str) -> (MockBackend, Error) {
    let backend = MockBackend::new(MockClock::stepping(start()));
    backend.set_faults(Faults::parse(faults).unwrap()).unwrap();
    let error = service(&backend)
        .deploy(&identity().namespace, &echo(2), Waiting::Wait, &Quiet)
        .await
        .unwrap_err();
    (backend, error)
}

#[tokio::test]
async fn each_fault_is_named_and_leaves_nothing() {
    for (fault, kind, word) in [
        ("pull", ErrorKind::Failed, "image-pull"),
        ("crash:7", ErrorKind::Failed, "crash-loop"),
        ("memory", ErrorKind::Failed, "out-of-memory"),
        ("quota", ErrorKind::Failed, "quota"),
        ("configuration", ErrorKind::Failed, "configuration"),
        ("probe", ErrorKind::Timeout, "probe"),
        ("unschedulable", ErrorKind::Timeout, "unschedulable"),
        ("volume", ErrorKind::Timeout, "volume"),
        ("slow:900", ErrorKind::Timeout, "starting"),
    ] {
        let (backend, error) = fails(fault).await;
        assert_eq!(error.kind, kind, "{fault}: {error}");
        assert!(error.message.contains(word), "{fault}: {error}");
        assert!(
            error.message.contains("removed what was created"),
            "{error}"
        );
        assert!(backend.objects(&identity()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn lost_races_are_run_again_and_an_end_is_said() {
    let backend = MockBackend::new(MockClock::stepping(start()));
    backend
        .set_faults(Faults::parse("conflict:3").unwrap())
        .unwrap();
    let namespace = identity().namespace;
    let done = service(&backend)
        .deploy(&namespace, &echo(1), Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert_eq!(done.actions.len(), 1);
    let (_, error) = fails("conflict").await;
    assert_eq!(error.kind, ErrorKind::Conflict);
    let (_, error) = fails("api-down").await;
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_update_never_has_fewer_ready_than_wanted() {
    let backend = MockBackend::new(MockClock::manual(start()));
    let service = service(&backend);
    let namespace = identity().namespace;
    service
        .deploy(&namespace, &echo(3), Waiting::Return, &Quiet)
        .await
        .unwrap();
    backend.advance(Duration::from_secs(2)).unwrap();
    let mut other = echo(3);
    other
        .request
        .configuration
        .insert("greeting".to_owned(), json!("ahoy"));
    service
        .deploy(&namespace, &other, Waiting::Return, &Quiet)
        .await
        .unwrap();
    let mut states = Vec::new();
    loop {
        let observed = backend.observe(&identity()).await.unwrap().unwrap();
        assert!(observed.ready >= 3, "{observed:?}");
        assert!(observed.replicas <= 4, "{observed:?}");
        let state = status(&observed).state;
        states.push(state);
        if state == State::Running {
            break;
        }
        assert_eq!(state, State::Scaling);
        backend.advance(Duration::from_millis(10)).unwrap();
    }
    // Three instances, one at a time.
    assert!(states.len() > 60, "{}", states.len());
}

#[tokio::test]
async fn a_file_is_shared_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state").join("mock.json");
    let clock = MockClock::stepping(start());
    let one = MockBackend::in_file(clock.clone(), file.clone());
    let other = MockBackend::in_file(clock, file.clone());
    let namespace = identity().namespace;
    service(&one)
        .deploy(&namespace, &echo(2), Waiting::Wait, &Quiet)
        .await
        .unwrap();
    let observed = other.observe(&identity()).await.unwrap().unwrap();
    assert_eq!(status(&observed).state, State::Running);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    service(&other)
        .delete(&identity(), Waiting::Wait, &Quiet)
        .await
        .unwrap();
    assert!(one.objects(&identity()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_healed_fault_heals_the_server_and_a_new_one_breaks_it() {
    let backend = MockBackend::new(MockClock::manual(start()));
    let service = service(&backend);
    let namespace = identity().namespace;
    service
        .deploy(&namespace, &echo(1), Waiting::Return, &Quiet)
        .await
        .unwrap();
    let state = async || status(&backend.observe(&identity()).await.unwrap().unwrap()).state;
    backend.advance(Duration::from_secs(2)).unwrap();
    assert_eq!(state().await, State::Running);
    backend
        .set_faults(Faults::parse("demo=crash").unwrap())
        .unwrap();
    assert_eq!(state().await, State::Failed);
    backend.set_faults(Faults::default()).unwrap();
    backend.advance(Duration::from_secs(1)).unwrap();
    assert_eq!(state().await, State::Running);
}

#[tokio::test]
async fn what_was_just_stopped_is_not_called_stopped() {
    let backend = MockBackend::new(MockClock::manual(start()));
    let service = service(&backend);
    let namespace = identity().namespace;
    service
        .deploy(&namespace, &echo(1), Waiting::Return, &Quiet)
        .await
        .unwrap();
    backend.advance(Duration::from_secs(2)).unwrap();
    let scale = |from, to| Action::Scale {
        from,
        to,
        remember: crate::model::Remember::Keep,
    };
    backend.perform(&identity(), &scale(1, 0)).await.unwrap();
    let state = async || status(&backend.observe(&identity()).await.unwrap().unwrap()).state;
    assert_eq!(state().await, State::Scaling);
    backend.advance(Duration::from_secs(2)).unwrap();
    assert_eq!(state().await, State::Stopped);
    // Started and stopped before anybody took up either: nothing is there, and that is not known yet.
    backend.perform(&identity(), &scale(0, 1)).await.unwrap();
    backend.perform(&identity(), &scale(1, 0)).await.unwrap();
    assert_eq!(state().await, State::Scaling);
    backend.advance(Duration::from_secs(2)).unwrap();
    assert_eq!(state().await, State::Stopped);
}

#[tokio::test]
async fn a_companion_that_fails_is_told_only_while_the_server_is_to_run() {
    let backend = MockBackend::new(MockClock::manual(start()));
    let text =
        include_str!("../../../templates/echo/template.toml").replace("\"echo\"", "\"kept\"");
    let companion =
        "\n[[companion]]\nname = \"store\"\nimage = \"registry.example/store:1\"\nport = 1\n";
    let template = crate::template::parse(&format!("{text}{companion}"), "kept").unwrap();
    let id = template.id.clone();
    let mut service = service(&backend);
    Arc::make_mut(&mut service.catalogue)
        .templates
        .insert(id.clone(), template);
    let mut request = echo(1);
    request.template = id;
    let namespace = identity().namespace;
    service
        .deploy(&namespace, &request, Waiting::Return, &Quiet)
        .await
        .unwrap();
    backend.advance(Duration::from_secs(2)).unwrap();
    backend
        .set_faults(Faults::parse("demo=companion:3").unwrap())
        .unwrap();
    let report = service.status(&identity()).await.unwrap();
    assert_eq!(report.status.state, State::Degraded);
    assert_eq!(
        report.status.message,
        "1 of 1 ready; the companion store: ended with code 3, and is started again"
    );
    let stop = Action::Scale {
        from: 1,
        to: 0,
        remember: crate::model::Remember::Set(1),
    };
    backend.perform(&identity(), &stop).await.unwrap();
    let report = service.status(&identity()).await.unwrap();
    assert_eq!(
        (report.status.state, report.observed.faults.clone()),
        (State::Scaling, vec![])
    );
    backend.advance(Duration::from_secs(5)).unwrap();
    let report = service.status(&identity()).await.unwrap();
    assert_eq!(report.status.state, State::Stopped);
}
