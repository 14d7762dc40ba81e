//! Writes one object: server-side apply, creation of what must not exist yet, and the mark by which
//! whoever clears up later knows for which change an object was written last.

use http_body_util::BodyExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use kube::Client;
use kube::api::{
    Api, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions, PropagationPolicy,
    Request, ValidationDirective,
};
use kube::client::Body;
use kube::core::Status;
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::model::Identity;

use super::answer::{ask, ask_optional, refused};
use super::kinds::ObjectKind;
use super::parts::merge;
use super::workload::Workload;
use super::{FIELD_MANAGER, STEERING_MANAGER};

/// For which change of the server an object was written last: a word that no other run has, and
/// the token of what was there before the change. Each change writes another one, so that whoever
/// deletes an object by its version never takes it away from somebody who needs it by now.
pub const WRITTEN_FOR: &str = "mcp-platform/written-for";

/// How often a deletion is tried again that lost to a mere report of status.
const ATTEMPTS: usize = 4;

/// The value of [`WRITTEN_FOR`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// One of this run.
    pub fn new(run: &str, token: Option<&str>) -> Mark {
        Mark(format!("{run} {}", token.unwrap_or_default()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an object was written for a change of what has this token, so by somebody who is
    /// at it now.
    pub fn is_for(text: &str, token: &str) -> bool {
        text.split_once(' ').is_some_and(|(_, its)| its == token)
    }

    /// Writes it on an object.
    pub fn put(&self, object: &mut Value) {
        merge(
            object,
            &json!({"metadata": {"annotations": {WRITTEN_FOR: self.0}}}),
        );
    }

    /// What is written on an object.
    pub fn on(metadata: &ObjectMeta) -> Option<&str> {
        let annotations = metadata.annotations.as_ref()?;
        annotations.get(WRITTEN_FOR).map(String::as_str)
    }
}

/// Whether a write is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earnest {
    /// It is.
    Do,
    /// The API server only says what it would say.
    Rehearse,
}

/// What an apply did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The object was not there.
    Created,
    /// It was there, whether or not it changed.
    Kept,
}

/// An object that was written.
pub struct Written {
    /// What it was written as.
    pub object: DynamicObject,
    /// Whether it was there before.
    pub made: Made,
}

fn name_of(object: &Value) -> &str {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default()
}

/// Server-side apply of one object; ours wins over whoever else wrote the same fields.
///
/// # Errors
/// `Conflict` when the object is being deleted: what is written to it goes with it. Else what the
/// API says.
pub async fn apply_one(
    client: &Client,
    kind: &ObjectKind,
    object: &Value,
    identity: &Identity,
    earnest: Earnest,
) -> Result<Written> {
    let name = name_of(object);
    let parameters = PatchParams {
        force: true,
        dry_run: earnest == Earnest::Rehearse,
        field_manager: Some(FIELD_MANAGER.to_owned()),
        field_validation: Some(ValidationDirective::Strict),
    };
    let what = format!("apply {} {name}", kind.kind);
    let request = Request::new(kind.path(identity.namespace.as_str()))
        .patch(name, &parameters, &Patch::Apply(object))
        .map_err(|error| Error::internal(format!("{what}: {error}")))?;
    let written = send(client, &what, request)
        .await
        .map_err(|error| missing_namespace(error, identity))?;
    if written.object.metadata.deletion_timestamp.is_some() {
        let kind = kind.kind;
        return Err(
            Error::conflict(format!("{kind} {name} of {identity} is being deleted"))
                .hint("try again when it is gone"),
        );
    }
    Ok(written)
}

/// Sends a request for one object, and says whether the answer was that it was created.
async fn send(client: &Client, what: &str, request: http::Request<Vec<u8>>) -> Result<Written> {
    let exchange = async {
        let answer = client.send(request.map(Body::from)).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, body))
    };
    let (status, body) = ask(what, exchange).await?;
    if !status.is_success() {
        let said = serde_json::from_slice::<Status>(&body)
            .unwrap_or_else(|_| Status::failure(&String::from_utf8_lossy(&body), status.as_str()));
        let said = Status {
            code: status.as_u16(),
            ..said
        };
        return Err(refused(what, &said));
    }
    let object = serde_json::from_slice(&body).map_err(|error| {
        Error::internal(format!(
            "{what}: the cluster's API gave an answer that cannot be read: {error}"
        ))
    })?;
    let made = if status == http::StatusCode::CREATED {
        Made::Created
    } else {
        Made::Kept
    };
    Ok(Written { object, made })
}

/// Says how to make the namespace, when that is what is missing.
pub fn missing_namespace(error: Error, identity: &Identity) -> Error {
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

/// Creates an object that must not exist yet.
///
/// # Errors
/// `Conflict` when it does, else what the API says.
pub async fn create(
    client: &Client,
    kind: &ObjectKind,
    identity: &Identity,
    object: &Value,
) -> Result<DynamicObject> {
    let what = format!("create {} {}", kind.kind, name_of(object));
    let path = format!(
        "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict",
        kind.path(identity.namespace.as_str())
    );
    let body = serde_json::to_vec(object).map_err(|error| {
        Error::internal(format!("{what}: it cannot be written as JSON: {error}"))
    })?;
    let request = http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|error| Error::internal(format!("{what}: {error}")))?;
    ask(&what, client.request::<DynamicObject>(request))
        .await
        .map_err(|error| missing_namespace(error, identity))
}

/// Fields written by our creation count as those of another manager than our apply, which then could
/// never take them out again; so they are made over to it. The version to compare with afterwards.
///
/// # Errors
/// What the API says.
pub async fn take_over(
    client: &Client,
    kind: &ObjectKind,
    live: &Workload,
) -> Result<Option<String>> {
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
        // It changed since, or is gone. The write that follows says the same.
        Err(error) if matches!(error.kind, Kind::Invalid | Kind::NotFound) => Ok(version),
        Err(error) => Err(error),
    }
}

/// Deletes an object unless somebody wrote it for another change since it was read; waits for
/// nothing.
///
/// # Errors
/// What the API says.
pub async fn delete_unchanged(
    client: &Client,
    kind: &ObjectKind,
    object: &ObjectMeta,
) -> Result<()> {
    let Some(name) = &object.name else {
        return Ok(());
    };
    let namespace = object.namespace.as_deref().unwrap_or_default();
    let api = dynamic(client, kind, namespace);
    let what = format!("delete {} {name}", kind.kind);
    let mut version = object.resource_version.clone();
    for _ in 0..ATTEMPTS {
        let parameters = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            preconditions: Some(Preconditions {
                uid: object.uid.clone(),
                resource_version: version.clone(),
            }),
            ..DeleteParams::default()
        };
        match ask_optional(&what, api.delete(name, &parameters)).await {
            Err(error) if error.kind == Kind::Conflict => {}
            answer => return answer.map(drop),
        }
        let present = ask_optional(&what, api.get_metadata(name)).await?;
        let Some(present) = present.map(|present| present.metadata) else {
            return Ok(());
        };
        if present.uid != object.uid || Mark::on(&present) != Mark::on(object) {
            return Ok(());
        }
        version = present.resource_version;
    }
    Ok(())
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
