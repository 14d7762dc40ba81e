//! Each fault with its cause, and what is left after it.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::PostParams;
use mcp_platform::error::Kind;
use mcp_platform::lifecycle::status;
use mcp_platform::model::{Cause, State};
use mcp_platform::service::{Quiet, UpdateRequest, Waiting};
use serde_json::{Value, json};

use super::place::{Place, image, watching, within};

async fn fails(place: &Place, tag: &str, cause: Cause) {
    let error = place
        .service
        .deploy(
            &place.namespace,
            &place.request("a", tag, 1),
            Waiting::Wait,
            &Quiet,
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Failed, "{error}");
    assert!(error.message.contains(cause.word()), "{error}");
    assert!(
        error.message.contains("removed what was created"),
        "{error}"
    );
    assert_eq!(place.objects("a").await, Vec::<String>::new());
}

#[test]
fn an_image_that_cannot_be_had() {
    within(|place| async move { fails(&place, "pull", Cause::ImagePull).await });
}

#[test]
fn a_server_that_ends_again_and_again() {
    within(|place| async move { fails(&place, "crash", Cause::CrashLoop).await });
}

#[test]
fn a_failed_update_goes_back() {
    watching(|place| async move {
        let deploy = place.request("a", "1", 2);
        place
            .service
            .deploy(&place.namespace, &deploy, Waiting::Wait, &Quiet)
            .await
            .unwrap();
        let before = place.observe("a").await.unwrap();
        for tag in ["pull", "crash"] {
            let update = UpdateRequest {
                image: Some(image(tag)),
                ..UpdateRequest::default()
            };
            let error = place
                .service
                .update(&place.identity("a"), &update, Waiting::Wait, &Quiet)
                .await
                .unwrap_err();
            assert!(error.message.contains("rolled back to revision"), "{error}");
            let after = place.observe("a").await.unwrap();
            assert_eq!(status(&after).state, State::Running);
            assert_eq!((after.image, after.desired), (before.image.clone(), 2));
            assert_eq!(after.revision, before.revision);
            let configured = place.objects("a").await;
            let count = configured
                .iter()
                .filter(|one| one.starts_with("ConfigMap/"))
                .count();
            assert_eq!(count, 1, "{configured:?}");
        }
    });
}

#[test]
fn a_quota_that_is_used_up() {
    watching(|place| async move {
        let quota: ResourceQuota = serde_json::from_value(
            json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}),
        )
        .unwrap();
        place
            .api::<ResourceQuota>()
            .create(&PostParams::default(), &quota)
            .await
            .unwrap();
        let deploy = place.request("a", "1", 2);
        place
            .service
            .deploy(&place.namespace, &deploy, Waiting::Return, &Quiet)
            .await
            .unwrap();
        let observed = place
            .until("a", |one| {
                one.is_some_and(|one| one.ready == 1 && !one.faults.is_empty())
            })
            .await
            .unwrap();
        let status = status(&observed);
        assert_eq!(
            (status.state, status.cause),
            (State::Degraded, Cause::Quota),
            "{status:?}"
        );
        assert!(status.message.contains("exceeded quota"), "{status:?}");
    });
}

/// Deploys a server whose pod the stand-in leaves alone, and plays a status of it.
async fn played(
    place: &Place,
    status: Value,
    warning: Option<(&str, &str)>,
    cause: Cause,
    part: &str,
) {
    let deploy = place.request("a", "never", 1);
    place
        .service
        .deploy(&place.namespace, &deploy, Waiting::Return, &Quiet)
        .await
        .unwrap();
    place
        .until("a", |one| one.is_some_and(|one| one.instances.len() == 1))
        .await;
    let pod = place.pods().await.remove(0);
    if let Some((reason, message)) = warning {
        place
            .warn(&pod, reason, message, "2026-01-01T00:10:00Z")
            .await;
    }
    place
        .play(pod.metadata.name.as_deref().unwrap(), status)
        .await;
    let observed = place
        .until("a", |one| {
            one.is_some_and(|one| self::status(one).cause == cause)
        })
        .await
        .unwrap();
    let status = self::status(&observed);
    assert_eq!(status.state, State::Failed, "{status:?}");
    assert!(status.message.contains(part), "{status:?}");
}

fn container(state: &Value, last: &Value) -> Value {
    json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "containerStatuses": [{
            "name": "main", "image": "x", "imageID": "", "ready": false, "restartCount": 4,
            "state": state, "lastState": last,
        }],
    })
}

#[test]
fn no_node_takes_it() {
    within(|place| async move {
        let status = json!({"conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient memory."}]});
        played(
            &place,
            status,
            None,
            Cause::Unschedulable,
            "3 Insufficient memory",
        )
        .await;
    });
}

#[test]
fn its_claim_is_not_bound() {
    within(|place| async move {
        let status = json!({"conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "pod has unbound immediate PersistentVolumeClaims"}]});
        played(&place, status, None, Cause::Volume, "unbound").await;
    });
}

#[test]
fn its_volume_cannot_be_mounted() {
    within(|place| async move {
        let status = container(
            &json!({"waiting": {"reason": "ContainerCreating"}}),
            &json!({}),
        );
        let warning = (
            "FailedMount",
            "MountVolume.SetUp failed for volume \"data\"",
        );
        played(
            &place,
            status,
            Some(warning),
            Cause::Volume,
            "MountVolume.SetUp",
        )
        .await;
    });
}

#[test]
fn its_memory_is_not_enough() {
    within(|place| async move {
        let last = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        let status = container(&json!({"waiting": {"reason": "CrashLoopBackOff"}}), &last);
        played(&place, status, None, Cause::OutOfMemory, "137 (OOMKilled)").await;
    });
}

#[test]
fn a_crash_is_said_with_its_exit_code() {
    within(|place| async move {
        let last =
            json!({"terminated": {"exitCode": 3, "reason": "Error", "message": "no such file"}});
        let status = container(&json!({"waiting": {"reason": "CrashLoopBackOff"}}), &last);
        played(
            &place,
            status,
            None,
            Cause::CrashLoop,
            "exit code 3 (Error), started again 4 times: no such file",
        )
        .await;
    });
}

#[test]
fn its_secret_is_missing() {
    within(|place| async move {
        let waiting =
            json!({"reason": "CreateContainerConfigError", "message": "secret \"x\" not found"});
        let status = container(&json!({"waiting": waiting}), &json!({}));
        played(
            &place,
            status,
            None,
            Cause::Configuration,
            "secret \"x\" not found",
        )
        .await;
    });
}

#[test]
fn its_probe_fails() {
    watching(|place| async move {
        let status = container(
            &json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
            &json!({}),
        );
        let warning = (
            "Unhealthy",
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
        );
        played(
            &place,
            status,
            Some(warning),
            Cause::Probe,
            "statuscode: 503",
        )
        .await;
    });
}
