//! Changes a server that is there: its number of instances, whether it takes sessions, new
//! instances for old ones, and their end without grace. Nothing here touches the pod template but
//! the restart, which does it as `kubectl rollout restart` does.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PostParams, Preconditions};
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::model::{Identity, Remember, label};

use super::answer::{ask, ask_optional};
use super::companions;
use super::endpoints::{SERVING, Ways, cordoned};
use super::fetch;
use super::workload::{RESTARTED, RESTARTED_AT, Workload, WorkloadKind, written};
use super::write::steering;
use super::{Options, STEERING_MANAGER};

/// How often a write that lost to a mere report of status is tried again.
const ATTEMPTS: usize = 8;

/// The server that is there.
async fn present(client: &Client, identity: &Identity) -> Result<Workload> {
    let workload = fetch::workload(client, identity).await?.ok_or_else(|| {
        Error::not_found(format!("there is no server {identity}")).hint("mcp-platform list")
    })?;
    if workload.deleting() {
        return Err(Error::conflict(format!("{identity} is being deleted")));
    }
    Ok(workload)
}

/// Sets the number of instances from one to another through the scale subresource. What `start`
/// shall find is written before the instances go, and forgotten after they are back.
///
/// # Errors
/// `Conflict` when another number is wanted by now, else what the API says.
pub async fn scale(
    client: &Client,
    identity: &Identity,
    from: u32,
    to: u32,
    remember: Remember,
) -> Result<()> {
    let workload = present(client, identity).await?;
    if let Remember::Set(replicas) = remember
        && workload.desired() != to
    {
        remember_replicas(client, &workload, Some(replicas)).await?;
    }
    // Companions come before the server, and go after it.
    if to > 0 {
        companions::scale(client, identity, 1).await?;
    }
    match workload.kind() {
        WorkloadKind::Deployment => {
            let api = fetch::api::<Deployment>(client, Some(workload.namespace()));
            set_replicas(&api, identity.name.as_str(), from, to).await?;
        }
        WorkloadKind::StatefulSet => {
            let api = fetch::api::<StatefulSet>(client, Some(workload.namespace()));
            set_replicas(&api, identity.name.as_str(), from, to).await?;
        }
    }
    if to == 0 {
        companions::stop(client, &workload, identity).await?;
    } else {
        companions::agree(client, identity).await?;
    }
    if remember == Remember::Forget {
        remember_replicas(client, &workload, None).await?;
    }
    Ok(())
}

/// Sets the number of instances of a workload from one to another.
///
/// # Errors
/// `Conflict` when another number is wanted by now, else what the API says.
pub async fn set_replicas<K: fetch::Namespaced>(
    api: &Api<K>,
    name: &str,
    from: u32,
    to: u32,
) -> Result<()> {
    let what = format!("scale {name}");
    let parameters = PostParams {
        field_manager: Some(STEERING_MANAGER.to_owned()),
        ..PostParams::default()
    };
    for _ in 0..ATTEMPTS {
        let mut scale: Scale = ask(&what, api.get_scale(name)).await?;
        let spec = scale.spec.get_or_insert_default();
        let present = u32::try_from(spec.replicas.unwrap_or(0)).unwrap_or(0);
        if present == to {
            return Ok(());
        }
        if present != from {
            return Err(Error::conflict(format!(
                "{name} was scaled to {present} instances meanwhile, not {from}"
            )));
        }
        spec.replicas = Some(i32::try_from(to).map_err(|_| {
            Error::invalid(format!("{to} instances are more than a cluster can count"))
        })?);
        match ask(&what, api.replace_scale(name, &parameters, &scale)).await {
            Err(error) if error.kind == Kind::Conflict => {}
            answer => return answer.map(drop),
        }
    }
    Err(Error::unavailable(format!(
        "{name} changes faster than it can be scaled; try again"
    )))
}

async fn remember_replicas(
    client: &Client,
    workload: &Workload,
    replicas: Option<u32>,
) -> Result<()> {
    let known = workload.annotation(label::REMEMBERED);
    let text = replicas.map(|replicas| replicas.to_string());
    if known == text.as_deref() {
        return Ok(());
    }
    let patch = json!({"metadata": {"annotations": {label::REMEMBERED: text}}});
    change(client, workload, &patch).await
}

/// A merge patch of the workload.
async fn change(client: &Client, workload: &Workload, patch: &Value) -> Result<()> {
    let (namespace, name) = (Some(workload.namespace()), workload.name());
    let what = format!("change {} {name}", workload.kind().word());
    let (patch, parameters) = (Patch::Merge(patch), steering());
    match workload.kind() {
        WorkloadKind::Deployment => {
            let api = fetch::api::<Deployment>(client, namespace);
            ask(&what, api.patch(name, &parameters, &patch))
                .await
                .map(drop)
        }
        WorkloadKind::StatefulSet => {
            let api = fetch::api::<StatefulSet>(client, namespace);
            ask(&what, api.patch(name, &parameters, &patch))
                .await
                .map(drop)
        }
    }
}

/// Whether new sessions are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// They are.
    Taken,
    /// They are kept away.
    KeptAway,
}

/// Keeps new sessions away from a server, or lets them come again: its Services lead to no pod
/// while their selector has a label that no pod carries. Connections that there are stay.
///
/// # Errors
/// What the API says.
pub async fn serve(client: &Client, identity: &Identity, serving: Serving) -> Result<()> {
    let workload = present(client, identity).await?;
    let api = fetch::api::<Service>(client, Some(workload.namespace()));
    let services = fetch::list(&api, &ListParams::default()).await?;
    let nothing = BTreeMap::new();
    let labels = workload.pod_labels().unwrap_or(&nothing);
    let mine = workload
        .selector()
        .and_then(|selector| selector.match_labels.as_ref())
        .unwrap_or(&nothing);
    let mark = match serving {
        Serving::Taken => Value::Null,
        Serving::KeptAway => json!("true"),
    };
    for service in Ways::new(services, []).services(workload.namespace(), labels) {
        let selector = service
            .spec
            .as_ref()
            .and_then(|spec| spec.selector.as_ref());
        // A Service that leads to other servers too is not ours to close.
        let only_here = selector.is_some_and(|selector| {
            mine.iter()
                .all(|(key, value)| selector.get(key) == Some(value))
        });
        if !only_here || cordoned(&service) == (serving == Serving::KeptAway) {
            continue;
        }
        let name = service.metadata.name.as_deref().unwrap_or_default();
        let patch = json!({"spec": {"selector": {SERVING: mark}}});
        let what = format!("change Service {name}");
        ask_optional(&what, api.patch(name, &steering(), &Patch::Merge(&patch))).await?;
    }
    Ok(())
}

/// Replaces every instance by a new one, as `kubectl rollout restart` does. While a restart of ours
/// is not rolled out, there is nothing to do.
///
/// # Errors
/// What the API says.
pub async fn restart(client: &Client, identity: &Identity, options: &Options) -> Result<()> {
    for _ in 0..ATTEMPTS {
        let workload = present(client, identity).await?;
        let numbers = workload.numbers();
        let rolling = numbers.observed_generation < workload.generation()
            || numbers.updated < workload.desired()
            || numbers.replicas > workload.desired()
            || numbers.available < workload.desired();
        if rolling && workload.annotation(RESTARTED) == Some(workload.template_word().as_str()) {
            return Ok(());
        }
        let now = (options.clock)().to_string();
        let patch = json!({
            "metadata": {
                "resourceVersion": workload.metadata().resource_version,
                "annotations": {RESTARTED: workload.restarted_word(&now)},
            },
            "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}},
        });
        match change(client, &workload, &patch).await {
            Err(error) if error.kind == Kind::Conflict => {}
            answer => return answer,
        }
    }
    Err(Error::unavailable(format!(
        "{identity} changes faster than it can be restarted; try again"
    )))
}

/// The pods of a workload: those that its selector matches and that it, or one of its ReplicaSets,
/// owns.
///
/// # Errors
/// What the API says.
pub async fn pods(client: &Client, workload: &Workload) -> Result<Vec<Pod>> {
    let Some(selector) = workload.selector() else {
        return Ok(Vec::new());
    };
    let parameters = ListParams::default().labels(&written(selector));
    let namespace = Some(workload.namespace());
    let uid = workload.metadata().uid.clone().unwrap_or_default();
    let mut owners = BTreeSet::from([uid.clone()]);
    if workload.kind() == WorkloadKind::Deployment {
        let sets = fetch::list(&fetch::api::<ReplicaSet>(client, namespace), &parameters).await?;
        owners.extend(
            sets.iter()
                .filter(|set| {
                    set.metadata
                        .owner_references
                        .iter()
                        .flatten()
                        .any(|owner| owner.uid == uid)
                })
                .filter_map(|set| set.metadata.uid.clone()),
        );
    }
    let pods = fetch::list(&fetch::api::<Pod>(client, namespace), &parameters).await?;
    Ok(pods
        .iter()
        .filter(|pod| {
            pod.metadata
                .owner_references
                .iter()
                .flatten()
                .any(|owner| owner.controller == Some(true) && owners.contains(&owner.uid))
        })
        .map(|pod| Pod::clone(pod))
        .collect())
}

/// Ends the present pods of this server, and only these, without grace; those of its companions,
/// when it is stopped.
///
/// # Errors
/// What the API says.
pub async fn kill(client: &Client, identity: &Identity) -> Result<()> {
    let workload = present(client, identity).await?;
    let api = fetch::api::<Pod>(client, Some(workload.namespace()));
    let mut ending = pods(client, &workload).await?;
    if workload.desired() == 0 {
        companions::agree(client, identity).await?;
        ending.extend(companions::pods(client, identity).await?);
    }
    for pod in ending {
        let Some(name) = &pod.metadata.name else {
            continue;
        };
        let parameters = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: pod.metadata.uid.clone().map(|uid| Preconditions {
                uid: Some(uid),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match ask_optional(&format!("delete Pod {name}"), api.delete(name, &parameters)).await {
            // A StatefulSet gave its name to another pod already.
            Err(error) if error.kind == Kind::Conflict => {}
            answer => answer.map(drop)?,
        }
    }
    Ok(())
}
