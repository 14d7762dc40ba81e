//! Creates a server or changes it: server-side apply of every object, in the order in which they
//! depend on each other, the workload by compare-and-swap, and then away with what is not wanted
//! any more.

use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, ValidationDirective};
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::model::{Identity, Remember, Spec, label};

use super::answer::{ask, ask_optional};
use super::fetch;
use super::kinds::{ObjectKind, Served};
use super::parts::{Parts, completed, divide, merge};
use super::prune::prune;
use super::remove::remove;
use super::store;
use super::workload::Workload;
use super::{FIELD_MANAGER, Options, STEERING_MANAGER};

/// How often a write that lost to a mere report of status is tried again.
const ATTEMPTS: usize = 8;

/// What `Apply` asks for.
pub struct Wanted<'a> {
    /// The server.
    pub spec: &'a Spec,
    /// How many instances.
    pub replicas: u32,
    /// What `start` shall find.
    pub remember: Remember,
    /// What to go back to.
    pub previous: Option<&'a Spec>,
    /// The token of what was observed.
    pub expected: Option<&'a str>,
}

/// Performs it.
///
/// # Errors
/// `Conflict` when the server changed since it was observed, else what the API says.
pub async fn apply(
    client: &Client,
    served: &Served,
    options: &Options,
    wanted: &Wanted<'_>,
) -> Result<()> {
    let identity = &wanted.spec.identity;
    let live = fetch::workload(client, identity).await?;
    unchanged(identity, live.as_ref(), wanted.expected)?;
    let parts = divide(wanted.spec, served, options)?;
    rehearse(client, &parts, identity).await?;
    let created = live.is_none();
    let before = live.as_ref().map(revisions).unwrap_or_default();
    match perform(client, wanted, live, &parts).await {
        Ok(()) => prune(client, served, wanted, &parts.others, &before).await,
        Err(error) if created && error.kind != Kind::Conflict => {
            // Another instance of the platform may have made it meanwhile: then it is not ours.
            if fetch::workload(client, identity).await?.is_some() {
                return Err(error);
            }
            // Nothing may be left of what could not be created.
            match remove(client, served, identity).await {
                Ok(()) => Err(error),
                Err(second) => Err(error.hint(format!(
                    "and not all of it could be removed: {}",
                    second.message
                ))),
            }
        }
        Err(error) => Err(error),
    }
}

async fn perform(
    client: &Client,
    wanted: &Wanted<'_>,
    live: Option<Workload>,
    parts: &Parts,
) -> Result<()> {
    let identity = &wanted.spec.identity;
    keep(client, wanted).await?;
    for (kind, object) in parts.others.iter().filter(|(kind, _)| !after(kind)) {
        apply_one(client, kind, object, identity, Earnest::Do).await?;
    }
    write(client, wanted, live, parts).await?;
    for (kind, object) in parts.others.iter().filter(|(kind, _)| after(kind)) {
        apply_one(client, kind, object, identity, Earnest::Do).await?;
    }
    Ok(())
}

/// The revisions that a workload speaks of.
fn revisions(workload: &Workload) -> Vec<String> {
    let previous = workload
        .annotation(label::PREVIOUS)
        .and_then(|text| serde_json::from_str::<Spec>(text).ok());
    let present = workload.label(label::REVISION).map(str::to_owned);
    present
        .into_iter()
        .chain(previous.map(|spec| spec.revision()))
        .collect()
}

/// Whether a write is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Earnest {
    /// It is.
    Do,
    /// The API server only says what it would say.
    Rehearse,
}

/// Asks the API server whether it would take every object, before the first is written: so that a
/// refusal of one does not leave the others changed.
async fn rehearse(client: &Client, parts: &Parts, identity: &Identity) -> Result<()> {
    let all = parts.others.iter().chain([&parts.workload]);
    let rehearsals =
        all.map(|(kind, object)| apply_one(client, kind, object, identity, Earnest::Rehearse));
    for answer in futures::future::join_all(rehearsals).await {
        match answer {
            // A webhook that cannot rehearse has its say when it is meant.
            Err(error) if error.message.contains("dry run") => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Kinds that speak of the workload and so come after it.
fn after(kind: &ObjectKind) -> bool {
    matches!(
        kind.kind,
        "PodDisruptionBudget" | "HorizontalPodAutoscaler" | "Ingress"
    )
}

fn unchanged(identity: &Identity, live: Option<&Workload>, expected: Option<&str>) -> Result<()> {
    match (live, expected) {
        (Some(live), _) if live.deleting() => {
            Err(Error::conflict(format!("{identity} is being deleted"))
                .hint("try again when it is gone"))
        }
        (None, None) => Ok(()),
        (Some(_), None) => Err(Error::conflict(format!("{identity} was created meanwhile"))),
        (None, Some(_)) => Err(Error::conflict(format!("{identity} was deleted meanwhile"))),
        (Some(live), Some(expected)) if live.token() == expected => Ok(()),
        (Some(_), Some(_)) => Err(Error::conflict(format!("{identity} was changed meanwhile"))),
    }
}

/// Puts what we keep of the server where it is kept, without taking anything away.
async fn keep(client: &Client, wanted: &Wanted<'_>) -> Result<()> {
    let identity = &wanted.spec.identity;
    let object = store::object(wanted.spec, wanted.previous)?;
    let kind = ObjectKind::of("v1", "Secret").expect("Secret is in the list of kinds");
    let (api, name) = (
        dynamic(client, kind, identity.namespace.as_str()),
        store::name(identity),
    );
    let what = format!("write Secret {name}");
    for _ in 0..2 {
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(&object);
        let present = ask_optional(&what, api.patch(&name, &parameters, &patch)).await?;
        if let Some(present) = present {
            if present.metadata.deletion_timestamp.is_some() {
                return Err(Error::conflict(format!("{identity} is being deleted"))
                    .hint("try again when it is gone"));
            }
            return Ok(());
        }
        match create(client, kind, identity.namespace.as_str(), &object).await {
            // Somebody else was faster: add ours to it.
            Err(error) if error.kind == Kind::Conflict => {}
            answer => {
                return answer
                    .map(drop)
                    .map_err(|error| missing_namespace(error, identity));
            }
        }
    }
    Err(Error::conflict(format!(
        "{identity} is being created and deleted at the same time"
    )))
}

/// Server-side apply of one object; ours wins over whoever else wrote the same fields.
async fn apply_one(
    client: &Client,
    kind: &ObjectKind,
    object: &Value,
    identity: &Identity,
    earnest: Earnest,
) -> Result<DynamicObject> {
    let name = object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let api = dynamic(client, kind, identity.namespace.as_str());
    let parameters = PatchParams {
        force: true,
        dry_run: earnest == Earnest::Rehearse,
        field_manager: Some(FIELD_MANAGER.to_owned()),
        field_validation: Some(ValidationDirective::Strict),
    };
    let what = format!("apply {} {name}", kind.kind);
    ask(&what, api.patch(name, &parameters, &Patch::Apply(object)))
        .await
        .map_err(|error| missing_namespace(error, identity))
}

fn missing_namespace(error: Error, identity: &Identity) -> Error {
    if error.kind == Kind::NotFound && error.message.contains("namespaces ") {
        let namespace = &identity.namespace;
        return Error {
            kind: Kind::Precondition,
            ..error
        }
        .hint(format!(
            "mcp-platform setup --backend kubernetes --namespace {namespace} --apply"
        ));
    }
    error
}

/// Writes the workload, so that it fails when somebody else changed what is wanted.
async fn write(
    client: &Client,
    wanted: &Wanted<'_>,
    live: Option<Workload>,
    parts: &Parts,
) -> Result<()> {
    let identity = &wanted.spec.identity;
    let (kind, object) = &parts.workload;
    let mut live = live;
    for _ in 0..ATTEMPTS {
        unchanged(identity, live.as_ref(), wanted.expected)?;
        let replicas = match &live {
            Some(live)
                if wanted.replicas > 0
                    && live.desired() > 0
                    && autoscaled(client, live).await? =>
            {
                live.desired()
            }
            _ => wanted.replicas,
        };
        let object = completed(
            object.clone(),
            wanted,
            replicas,
            live.as_ref(),
            &parts.left_out,
        )?;
        let written = match &live {
            None => create(client, kind, identity.namespace.as_str(), &object)
                .await
                .map_err(|error| missing_namespace(error, identity))
                .map(drop),
            Some(live) => {
                let version = take_over(client, kind, live).await?;
                let mut object = object;
                merge(
                    &mut object,
                    &json!({"metadata": {"resourceVersion": version}}),
                );
                apply_one(client, kind, &object, identity, Earnest::Do)
                    .await
                    .map(drop)
            }
        };
        match written {
            Err(error) if error.kind == Kind::Conflict => {
                live = fetch::workload(client, identity).await?;
                if live.is_none() && wanted.expected.is_none() {
                    return Err(error);
                }
            }
            answer => return answer,
        }
    }
    Err(Error::unavailable(format!(
        "{identity} changes faster than it can be written; try again"
    )))
}

/// Whether an autoscaler sets the number of instances.
async fn autoscaled(client: &Client, workload: &Workload) -> Result<bool> {
    let api: Api<HorizontalPodAutoscaler> = Api::namespaced(client.clone(), workload.namespace());
    let found = ask_optional("list autoscalers", api.list(&ListParams::default())).await?;
    Ok(found.into_iter().flatten().any(|one| {
        let target = one.spec.scale_target_ref;
        target.kind == workload.kind().word() && target.name == workload.name()
    }))
}

/// Creates an object that must not exist yet.
async fn create(
    client: &Client,
    kind: &ObjectKind,
    namespace: &str,
    object: &Value,
) -> Result<DynamicObject> {
    let name = object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let what = format!("create {} {name}", kind.kind);
    let path = format!(
        "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict",
        kind.path(namespace)
    );
    let body = serde_json::to_vec(object).map_err(|error| {
        Error::internal(format!("{what}: it cannot be written as JSON: {error}"))
    })?;
    let request = http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|error| Error::internal(format!("{what}: {error}")))?;
    ask(&what, client.request::<DynamicObject>(request)).await
}

/// Fields written by our creation count as those of another manager than our apply, which then could
/// never take them out again; so they are made over to it. The version to compare with afterwards.
async fn take_over(client: &Client, kind: &ObjectKind, live: &Workload) -> Result<Option<String>> {
    let metadata = live.metadata();
    let version = metadata.resource_version.clone();
    let entries = metadata.managed_fields.clone().unwrap_or_default();
    let created = |entry: &ManagedFieldsEntry| {
        entry.manager.as_deref() == Some(FIELD_MANAGER)
            && entry.operation.as_deref() == Some("Update")
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
    };
    let applied = |entry: &ManagedFieldsEntry| {
        entry.manager.as_deref() == Some(FIELD_MANAGER)
            && entry.operation.as_deref() == Some("Apply")
    };
    if entries.iter().any(applied) || !entries.iter().any(created) {
        return Ok(version);
    }
    let entries: Vec<ManagedFieldsEntry> = entries
        .into_iter()
        .map(|mut entry| {
            if created(&entry) {
                entry.operation = Some("Apply".to_owned());
            }
            entry
        })
        .collect();
    let patch = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
    ]);
    let patch = serde_json::to_vec(&patch).unwrap_or_default();
    let path = format!("{}/{}", kind.path(live.namespace()), live.name());
    let request = http::Request::patch(path)
        .header(http::header::CONTENT_TYPE, "application/json-patch+json")
        .body(patch)
        .map_err(|error| Error::internal(error.to_string()))?;
    let what = format!("take over the fields of {} {}", kind.kind, live.name());
    match ask(&what, client.request::<DynamicObject>(request)).await {
        Ok(object) => Ok(object.metadata.resource_version),
        // The test failed: it changed since. The write that follows says the same.
        Err(error) if error.kind == Kind::Invalid => Ok(version),
        Err(error) => Err(error),
    }
}

/// The objects of a kind in a namespace.
pub fn dynamic(client: &Client, kind: &ObjectKind, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &kind.resource())
}

/// Parameters of a change by the one who steers, apart from the one who applies.
pub fn steering() -> PatchParams {
    PatchParams {
        field_manager: Some(STEERING_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}
