//! The companions of a server follow it: they come before it and go after it. Their volumes and
//! secrets stay until the server is deleted. What runs shows in their pods, so nothing is kept of
//! them besides.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::backend::Scope;
use crate::error::{Error, Kind, Result};
use crate::manifest::{COMPANION, WHICH};
use crate::model::{Condition, Fault, Identity, Instance, Observed, Phase, Spec, label};

use super::changes::changes;
use super::endpoints::{Ways, cordoned};
use super::fetch;
use super::parts::merge;
use super::pods::{Warnings, instance, ready};
use super::steer;
use super::workload::Workload;

/// What a server's own grace period is taken for when its pods name none.
const GRACE: i64 = 30;

/// How often companions are brought in line with a server that others steer at the same time.
const ATTEMPTS: usize = 10;

/// What pods may need to be gone beyond their grace period.
const MORE: Duration = Duration::from_secs(5);

/// The selector of the companions of a server.
pub fn of(identity: &Identity) -> String {
    format!(
        "{}={},{}={},{}={COMPANION}",
        label::INSTANCE,
        identity.name,
        label::MANAGED_BY,
        label::MANAGED_BY_VALUE,
        label::COMPONENT,
    )
}

/// The server of which a pod is a companion: namespace and name.
pub fn server(pod: &ObjectMeta) -> Option<(&str, &str)> {
    let labels = pod.labels.as_ref()?;
    let is = |key: &str, value: &str| labels.get(key).map(String::as_str) == Some(value);
    if !is(label::COMPONENT, COMPANION) || !is(label::MANAGED_BY, label::MANAGED_BY_VALUE) {
        return None;
    }
    let name = labels.get(label::INSTANCE)?;
    Some((pod.namespace.as_deref()?, name))
}

/// The pods of the companions of a server that is stopped: all of them are on their way out, and
/// what is wrong with them says nothing.
pub fn ending(pods: &[&Pod], warnings: &Warnings<'_>) -> Vec<Instance> {
    let instances = pods.iter().map(|pod| instance(pod, warnings));
    instances
        .filter(|instance| instance.phase != Phase::Ended)
        .map(|instance| Instance {
            phase: Phase::Ending,
            ready: false,
            fault: None,
            ..instance
        })
        .collect()
}

/// Whether a pod is one of a companion that does not answer yet, or any more.
pub fn unsettled(pod: &Pod) -> bool {
    server(&pod.metadata).is_some() && pod.metadata.deletion_timestamp.is_none() && !ready(pod)
}

/// What is wrong with the companions of a server that is to run. One that the server has no more
/// says nothing of it.
pub fn faults(spec: &Spec, pods: &[&Pod], warnings: &Warnings<'_>) -> Vec<Fault> {
    let enabled = spec.companions.iter().filter(|one| one.enabled);
    enabled
        .filter_map(|companion| {
            let its = |pod: &&&Pod| {
                let labels = pod.metadata.labels.as_ref();
                labels.and_then(|labels| labels.get(WHICH)) == Some(&companion.name)
            };
            let instances: Vec<Instance> = pods
                .iter()
                .filter(its)
                .map(|pod| instance(pod, warnings))
                .collect();
            // One that ended and was replaced is history.
            if instances.iter().any(|instance| instance.ready) {
                return None;
            }
            let faults = instances.into_iter().filter_map(|instance| instance.fault);
            let fault = faults.min_by_key(|fault| fault.cause)?;
            Some(Fault {
                message: format!("the companion {}: {}", companion.name, fault.message),
                ..fault
            })
        })
        .collect()
}

/// Says so when companions of a server that is stopped were not told to end.
pub fn going_on(pods: &[&Pod]) -> Option<Condition> {
    let alive = |pod: &&&Pod| pod.metadata.deletion_timestamp.is_none();
    let one = pods.iter().find(alive)?;
    Some(Condition {
        kind: Observed::COMPANIONS_STOPPED.to_owned(),
        status: "False".to_owned(),
        reason: "GoingOn".to_owned(),
        message: format!(
            "{} goes on though its server is stopped: stop it again",
            one.metadata.name.as_deref().unwrap_or_default()
        ),
        last_update: None,
    })
}

/// Lets a companion that is written follow its server: none while that is stopped.
pub fn follow(deployment: &mut Value, replicas: u32) {
    merge(deployment, &json!({"spec": {"replicas": replicas.min(1)}}));
}

/// Sets the number of each companion. Returns how many companions there are.
///
/// # Errors
/// What the API says.
pub async fn scale(client: &Client, identity: &Identity, to: u32) -> Result<usize> {
    let api = fetch::api::<Deployment>(client, Some(identity.namespace.as_str()));
    let all = fetch::list(&api, &ListParams::default().labels(&of(identity))).await?;
    for companion in &all {
        let spec = companion.spec.as_ref();
        let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
        let from = u32::try_from(replicas).unwrap_or(0);
        let Some(name) = companion.metadata.name.as_deref().filter(|_| from != to) else {
            continue;
        };
        match steer::set_replicas(&api, name, from, to).await {
            // Gone with a change that does not want it any more.
            Err(error) if error.kind == Kind::NotFound => {}
            answer => answer?,
        }
    }
    Ok(all.len())
}

/// Stops the companions of a server that was just stopped: when it was drained, after its pods have
/// ended, which they do within their grace period; else at once. When the server was started again
/// meanwhile, they stay.
///
/// # Errors
/// What the API says.
pub async fn stop(client: &Client, workload: &Workload, identity: &Identity) -> Result<()> {
    let api = fetch::api::<Deployment>(client, Some(identity.namespace.as_str()));
    let parameters = ListParams::default().labels(&of(identity));
    if fetch::list(&api, &parameters).await?.is_empty() {
        return Ok(());
    }
    if drained(client, workload).await? {
        let grace = workload
            .template()
            .and_then(|template| template.spec.as_ref()?.termination_grace_period_seconds)
            .unwrap_or(GRACE);
        let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(0)) + MORE;
        // If they hang, whoever waits for the server is told so.
        if let Ok(ended) = tokio::time::timeout(grace, ended(client, workload, identity)).await {
            ended?;
        }
    }
    if wanted(client, identity).await? != Some(false) {
        return Ok(());
    }
    agree(client, identity).await
}

/// Gives the companions the number that goes with what their server is wanted to do, until both say
/// the same: a start and a stop that pass each other both come here after their own change, and
/// whoever is last sees it.
///
/// # Errors
/// What the API says.
pub async fn agree(client: &Client, identity: &Identity) -> Result<()> {
    for _ in 0..ATTEMPTS {
        let Some(runs) = wanted(client, identity).await? else {
            return Ok(());
        };
        match scale(client, identity, u32::from(runs)).await {
            // Somebody else does the same, or the opposite.
            Err(error) if error.kind == Kind::Conflict => continue,
            Ok(0) => return Ok(()),
            answer => drop(answer?),
        }
        if wanted(client, identity).await? == Some(runs) {
            return Ok(());
        }
    }
    Err(Error::unavailable(format!(
        "{identity} is started and stopped faster than its companions can follow; try again"
    )))
}

/// Whether the server is to run; none when it is gone.
async fn wanted(client: &Client, identity: &Identity) -> Result<Option<bool>> {
    let present = fetch::workload(client, identity).await?;
    Ok(present.map(|present| present.desired() > 0))
}

/// Whether new sessions are kept away from the server.
async fn drained(client: &Client, workload: &Workload) -> Result<bool> {
    let api = fetch::api(client, Some(workload.namespace()));
    let services = fetch::list(&api, &ListParams::default()).await?;
    let labels = workload.pod_labels().cloned().unwrap_or_default();
    let mine = Ways::new(services, []).services(workload.namespace(), &labels);
    Ok(mine.iter().any(|service| cordoned(service)))
}

/// Comes back when the server has no pod any more, or is wanted again.
async fn ended(client: &Client, workload: &Workload, identity: &Identity) -> Result<()> {
    let scope = Scope {
        namespace: Some(identity.namespace.clone()),
        template: None,
    };
    let mut changes = changes(client, &scope);
    loop {
        if steer::pods(client, workload).await?.is_empty() {
            return Ok(());
        }
        if wanted(client, identity).await? != Some(false) {
            return Ok(());
        }
        if let Some(Err(error)) = changes.next().await
            && error.kind != Kind::Unavailable
        {
            return Err(error);
        }
    }
}

/// The pods of the companions of a server.
///
/// # Errors
/// What the API says.
pub async fn pods(client: &Client, identity: &Identity) -> Result<Vec<Pod>> {
    let api = fetch::api::<Pod>(client, Some(identity.namespace.as_str()));
    let all = fetch::list(&api, &ListParams::default().labels(&of(identity))).await?;
    Ok(all.iter().map(|pod| Pod::clone(pod)).collect())
}
