//! Reads a cluster: one request a kind, all at the same time.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Api, ListParams};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use crate::backend::Scope;
use crate::error::{Kind, Result};
use crate::model::{Identity, label};

use super::answer::{ask, ask_optional};
use super::companions;
use super::observe::Snapshot;
use super::store;
use super::workload::{Workload, written};

/// Objects asked for at a time: a list of any length is read in pages.
const PAGE: u32 = 500;

/// A kind that lives in namespaces.
pub trait Namespaced:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug
{
}

impl<K> Namespaced for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
{
}

/// The objects of a kind, in one namespace or in all.
pub fn api<K: Namespaced>(client: &Client, namespace: Option<&str>) -> Api<K> {
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// All objects that the parameters ask for, page by page.
///
/// # Errors
/// What the API says.
pub async fn list<K: Namespaced>(api: &Api<K>, parameters: &ListParams) -> Result<Vec<Arc<K>>> {
    let what = format!("list {}", K::plural(&()));
    let mut parameters = parameters.clone().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = match ask(&what, api.list(&parameters)).await {
            Ok(page) => page,
            // The pages were of a state that is forgotten by now: from the beginning, in one piece.
            Err(error)
                if parameters.continue_token.is_some() && error.kind == Kind::Unavailable =>
            {
                parameters.continue_token = None;
                parameters.limit = None;
                all.clear();
                continue;
            }
            Err(error) => return Err(error),
        };
        all.extend(page.items.into_iter().map(Arc::new));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(all),
        }
    }
}

async fn list_if_served<K: Namespaced>(api: &Api<K>) -> Result<Vec<Arc<K>>> {
    match list(api, &ListParams::default()).await {
        Err(error) if error.kind == Kind::NotFound => Ok(Vec::new()),
        answer => answer,
    }
}

/// Warnings of a namespace or of all.
///
/// # Errors
/// What the API says.
pub async fn warnings(client: &Client, namespace: Option<&str>) -> Result<Vec<Arc<Event>>> {
    list(
        &api(client, namespace),
        &ListParams::default().fields("type=Warning"),
    )
    .await
}

/// Everything of a scope.
///
/// # Errors
/// What the API says.
pub async fn scope(client: &Client, scope: &Scope) -> Result<Snapshot> {
    let namespace = scope.namespace.as_ref().map(crate::model::Name::as_str);
    let mut servers = format!("{}={}", label::COMPONENT, label::COMPONENT_VALUE);
    let mut stores = store::selector();
    if let Some(template) = &scope.template {
        let more = format!(",{}={template}", label::NAME);
        servers.push_str(&more);
        stores.push_str(&more);
    }
    let servers = ListParams::default().labels(&servers);
    let stores = ListParams::default().labels(&stores);
    let everything = ListParams::default();
    let (deployments, sets, pods, services, stores) = (
        api::<Deployment>(client, namespace),
        api::<StatefulSet>(client, namespace),
        api::<Pod>(client, namespace),
        api::<Service>(client, namespace),
        (api::<Secret>(client, namespace), stores),
    );
    let (ingresses, autoscalers) = (
        api::<Ingress>(client, namespace),
        api::<HorizontalPodAutoscaler>(client, namespace),
    );
    let (deployments, sets, pods, services, ingresses, autoscalers, stores) = tokio::try_join!(
        list(&deployments, &servers),
        list(&sets, &servers),
        list(&pods, &everything),
        list(&services, &everything),
        list_if_served(&ingresses),
        list_if_served(&autoscalers),
        list(&stores.0, &stores.1),
    )?;
    let workloads = deployments
        .into_iter()
        .map(Workload::Deployment)
        .chain(sets.into_iter().map(Workload::StatefulSet))
        .collect();
    let mut snapshot = Snapshot {
        workloads,
        pods,
        services,
        ingresses,
        autoscalers,
        stores,
        warnings: Vec::new(),
        tokens: HashMap::new(),
    };
    if snapshot.unsettled() {
        snapshot.warnings = warnings(client, namespace).await?;
    }
    Ok(snapshot)
}

/// The workload of a server: one of ours, or a foreign one that is marked as a server.
///
/// # Errors
/// What the API says.
pub async fn workload(client: &Client, identity: &Identity) -> Result<Option<Workload>> {
    let namespace = Some(identity.namespace.as_str());
    let name = identity.name.as_str();
    let (deployments, sets) = (
        api::<Deployment>(client, namespace),
        api::<StatefulSet>(client, namespace),
    );
    let (deployment, set) = tokio::try_join!(
        ask_optional("get the deployment", deployments.get(name)),
        ask_optional("get the stateful set", sets.get(name)),
    )?;
    let found: Vec<Workload> = deployment
        .map(|deployment| Workload::Deployment(Arc::new(deployment)))
        .into_iter()
        .chain(set.map(|set| Workload::StatefulSet(Arc::new(set))))
        .filter(|workload| workload.label(label::COMPONENT) == Some(label::COMPONENT_VALUE))
        .collect();
    let ours = found
        .iter()
        .position(|workload| workload.annotation(label::SPEC).is_some());
    Ok(found.into_iter().nth(ours.unwrap_or(0)))
}

/// Everything of one server.
///
/// # Errors
/// What the API says.
pub async fn server(client: &Client, identity: &Identity) -> Result<Snapshot> {
    let namespace = Some(identity.namespace.as_str());
    let (services, ingresses, autoscalers, secrets) = (
        api::<Service>(client, namespace),
        api::<Ingress>(client, namespace),
        api::<HorizontalPodAutoscaler>(client, namespace),
        api::<Secret>(client, namespace),
    );
    let everything = ListParams::default();
    let store = store::name(identity);
    let all_pods = api::<Pod>(client, namespace);
    let of_companions = ListParams::default().labels(&companions::of(identity));
    let (workload, services, ingresses, autoscalers, store, companions) = tokio::try_join!(
        workload(client, identity),
        list(&services, &everything),
        list_if_served(&ingresses),
        list_if_served(&autoscalers),
        ask_optional("get the store of the server", secrets.get(&store)),
        list(&all_pods, &of_companions),
    )?;
    let selector = match workload.as_ref().and_then(Workload::selector) {
        Some(selector) => written(selector),
        None => format!("{}={}", label::INSTANCE, identity.name),
    };
    let mut pods = list(&all_pods, &ListParams::default().labels(&selector)).await?;
    // A foreign selector may match them as well.
    let known: HashSet<_> = pods.iter().map(|pod| pod.metadata.name.clone()).collect();
    let others = companions.into_iter();
    pods.extend(others.filter(|pod| !known.contains(&pod.metadata.name)));
    let mut snapshot = Snapshot {
        workloads: workload.into_iter().collect(),
        pods,
        services,
        ingresses,
        autoscalers,
        stores: store.map(Arc::new).into_iter().collect(),
        warnings: Vec::new(),
        tokens: HashMap::new(),
    };
    if snapshot.unsettled() {
        snapshot.warnings = warnings(client, namespace).await?;
    }
    Ok(snapshot)
}
