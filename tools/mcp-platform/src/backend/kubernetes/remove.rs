//! Removes everything of a server, and lists everything of it. The store goes last: it is made the
//! owner of all the rest first, so that the cluster keeps it until nothing else is left, whether or
//! not we live to see it.

use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Client;
use kube::api::{DeleteParams, ListParams, Patch, Preconditions, PropagationPolicy};
use serde_json::json;

use crate::error::{Kind, Result};
use crate::model::{Identity, label};

use super::answer::{ask, ask_optional};
use super::fetch;
use super::kinds::{ObjectKind, Role, Served};
use super::store;
use super::write::{dynamic, steering};

/// The selector of everything of a server of ours.
pub fn of_server(identity: &Identity) -> String {
    format!(
        "{}={},{}={}",
        label::INSTANCE,
        identity.name,
        label::MANAGED_BY,
        label::MANAGED_BY_VALUE
    )
}

/// An object that was found.
pub type Found = (&'static ObjectKind, ObjectMeta);

/// Everything that carries the server's labels, in the order of the kinds.
///
/// # Errors
/// What the API says.
pub async fn find(client: &Client, served: &Served, identity: &Identity) -> Result<Vec<Found>> {
    let parameters = ListParams::default().labels(&of_server(identity));
    let lists = served.kinds().map(|kind| {
        let parameters = parameters.clone();
        async move {
            let api = dynamic(client, kind, identity.namespace.as_str());
            let found = ask(
                &format!("list {}", kind.plural),
                api.list_metadata(&parameters),
            )
            .await?;
            Ok(found
                .items
                .into_iter()
                .map(|object| (kind, object.metadata))
                .collect::<Vec<Found>>())
        }
    });
    let mut all = Vec::new();
    for answer in join_all(lists).await {
        all.extend(answer?);
    }
    Ok(all)
}

/// Every object that carries the server's labels, `kind/name`, sorted.
///
/// # Errors
/// What the API says.
pub async fn objects(client: &Client, served: &Served, identity: &Identity) -> Result<Vec<String>> {
    let mut all: Vec<String> = find(client, served, identity)
        .await?
        .into_iter()
        .map(|(kind, metadata)| format!("{}/{}", kind.kind, metadata.name.unwrap_or_default()))
        .collect();
    all.sort();
    all.dedup();
    Ok(all)
}

/// Removes all of a server of ours, or the workload of a foreign one.
///
/// # Errors
/// What the API says; done again, it goes on where it ended.
pub async fn remove(client: &Client, served: &Served, identity: &Identity) -> Result<()> {
    let found: Vec<Found> = find(client, served, identity)
        .await?
        .into_iter()
        .filter(|(kind, _)| kind.role != Role::Derived)
        .collect();
    if found.is_empty() {
        return remove_foreign(client, identity).await;
    }
    let name = store::name(identity);
    let is_store = |(kind, metadata): &Found| {
        kind.kind == "Secret" && metadata.name.as_deref() == Some(name.as_str())
    };
    let store = found.iter().find(|found| is_store(found)).cloned();
    let others: Vec<Found> = found.into_iter().filter(|found| !is_store(found)).collect();
    if let Some((_, owner)) = &store {
        let adoptions = others
            .iter()
            .map(|(kind, metadata)| adopt(client, kind, metadata, owner));
        for answer in join_all(adoptions).await {
            answer?;
        }
    }
    // The server first: so one that is there is whole, however far a deletion came. Then what leads
    // to it, then what it hangs on.
    let (server, others): (Vec<Found>, Vec<Found>) = others.into_iter().partition(is_server);
    for (kind, metadata) in server.iter().chain(others.iter().rev()) {
        delete(client, kind, metadata).await?;
    }
    match &store {
        Some((kind, metadata)) => delete(client, kind, metadata).await,
        None => Ok(()),
    }
}

/// Whether it is the workload of the server itself.
fn is_server((kind, metadata): &Found) -> bool {
    let component = metadata
        .labels
        .as_ref()
        .and_then(|all| all.get(label::COMPONENT));
    matches!(kind.kind, "Deployment" | "StatefulSet")
        && component.map(String::as_str) == Some(label::COMPONENT_VALUE)
}

async fn remove_foreign(client: &Client, identity: &Identity) -> Result<()> {
    let Some(workload) = fetch::workload(client, identity).await? else {
        return Ok(());
    };
    delete(client, workload.kind().object_kind(), workload.metadata()).await
}

/// Makes the store an owner that waits for the object to be gone.
async fn adopt(
    client: &Client,
    kind: &ObjectKind,
    object: &ObjectMeta,
    store: &ObjectMeta,
) -> Result<()> {
    let (Some(name), Some(uid)) = (&object.name, &store.uid) else {
        return Ok(());
    };
    let mut owners = object.owner_references.clone().unwrap_or_default();
    if owners.iter().any(|owner| owner.uid == *uid) {
        return Ok(());
    }
    owners.push(OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        name: store.name.clone().unwrap_or_default(),
        uid: uid.clone(),
        controller: None,
        block_owner_deletion: Some(true),
    });
    let patch = json!({"metadata": {"uid": object.uid, "ownerReferences": owners}});
    let api = dynamic(
        client,
        kind,
        object.namespace.as_deref().unwrap_or_default(),
    );
    let what = format!("adopt {} {name}", kind.kind);
    match ask_optional(&what, api.patch(name, &steering(), &Patch::Merge(&patch))).await {
        // Another one of that name by now, or gone: then it is not for us to keep.
        Err(error) if error.kind == Kind::Conflict => Ok(()),
        answer => answer.map(drop),
    }
}

/// Deletes exactly this object, and waits for nothing; that it is gone already is fine.
///
/// # Errors
/// What the API says.
pub async fn delete(client: &Client, kind: &ObjectKind, object: &ObjectMeta) -> Result<()> {
    let Some(name) = &object.name else {
        return Ok(());
    };
    let parameters = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Foreground),
        preconditions: object.uid.as_ref().map(|uid| Preconditions {
            uid: Some(uid.clone()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    let api = dynamic(
        client,
        kind,
        object.namespace.as_deref().unwrap_or_default(),
    );
    let what = format!("delete {} {name}", kind.kind);
    match ask_optional(&what, api.delete(name, &parameters)).await {
        // The one that was meant is gone, and there is another one of its name.
        Err(error) if error.kind == Kind::Conflict => Ok(()),
        answer => answer.map(drop),
    }
}
