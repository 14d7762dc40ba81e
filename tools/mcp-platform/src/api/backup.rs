//! All specifications as one document, and back. Secrets do not cross HTTP: the command line writes
//! them, into a file that only its owner reads.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Buf as _;
use futures::future::BoxFuture;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::backend::Scope;
use crate::error::{Error, Result};
use crate::model::{Identity, Name};
use crate::service::Access;
use crate::service::{Backup, Outcome, Restored, Restoring, Saved, WithSecrets};

use super::Api;
use super::answers::ProblemAnswer;
use super::caller::{Caller, Namespaces};
use super::changes::{Answer, Work, change};
use super::input::{self, Asked, Input};
use super::operations::NoBody;
use super::problem::Problem;
use super::site::{At, Site};

type Answered<T> = std::result::Result<T, Problem>;

/// Which servers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The cluster; without it, the first that the platform was started on.
    #[expect(dead_code, reason = "`At` reads it; here it is only let through")]
    pub cluster: Option<String>,
    /// Only those of this namespace; without it, of all that the caller may see.
    pub namespace: Option<String>,
}

/// Whether to act.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Plan {
    /// The cluster; without it, the first that the platform was started on.
    #[expect(dead_code, reason = "`At` reads it; here it is only let through")]
    pub cluster: Option<String>,
    /// Only say what would be done.
    pub dry_run: Option<bool>,
}

/// What came of a restoration.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestoreAnswer {
    /// Whether every server is as it was, or would be.
    pub complete: bool,
    /// Whether it only says what it would do.
    pub dry_run: bool,
    /// Each server: identity, actions, error.
    #[schema(value_type = Vec<Object>)]
    pub servers: Vec<Restored>,
}

/// All specifications as one document, without secrets.
#[utoipa::path(
    get,
    path = "/api/backup/",
    operation_id = "get_backup",
    tag = "platform",
    params(Which),
    responses(
        (status = 200, description = "The document, schema 1", body = Object),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn backup(
    State(api): State<Arc<Api>>,
    At(site): At,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Answered<Json<Backup>> {
    let namespace = which
        .namespace
        .as_deref()
        .map(|text| api.place(Some(text)))
        .transpose()?;
    if let Some(namespace) = &namespace {
        caller.allow(Access::View, namespace)?;
    }
    let places: Vec<Option<Name>> = match (&caller.namespaces, namespace) {
        (Namespaces::Only(names), None) => names.iter().cloned().map(Some).collect(),
        (_, namespace) => vec![namespace],
    };
    let mut whole: Option<Backup> = None;
    for namespace in places {
        let scope = Scope {
            namespace,
            template: None,
        };
        let part = site.counted(site.service.backup(&scope, WithSecrets::No).await)?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                whole.servers.extend(part.servers);
                whole.foreign.extend(part.foreign);
            }
        }
    }
    let whole = whole.ok_or_else(|| Error::internal("a token for no namespace"))?;
    Ok(Json(whole))
}

/// The same, for clients that make one by POST.
#[utoipa::path(
    post,
    path = "/api/backup/",
    tag = "platform",
    params(Which),
    request_body = NoBody,
    responses(
        (status = 200, description = "The document, schema 1", body = Object),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn make_backup(
    State(api): State<Arc<Api>>,
    at: At,
    caller: Caller,
    Asked(which): Asked<Which>,
    Input(NoBody {}): Input<NoBody>,
) -> Answered<Json<Backup>> {
    backup(State(api), at, caller, Asked(which)).await
}

/// Makes the servers of a document run, or stand still, as they did. Again, it changes nothing.
#[utoipa::path(
    post,
    path = "/api/restore/",
    tag = "platform",
    params(Plan),
    request_body(content = Object, description = "The document of a backup"),
    responses(
        (status = 200, body = RestoreAnswer, description = "Every server is as it was"),
        (status = 207, body = RestoreAnswer, description = "Some are not, each says why"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn restore(
    State(api): State<Arc<Api>>,
    At(site): At,
    caller: Caller,
    Asked(plan): Asked<Plan>,
    request: Request,
) -> Answered<Response> {
    // Before the body is read: whoever may not restore shall not make us hold one.
    caller.may(Access::Administer)?;
    let backup = document(&api, request).await?;
    // All or nothing: a document with one foreign namespace changes nothing.
    for saved in &backup.servers {
        caller.allow(Access::Administer, &saved.spec.identity.namespace)?;
    }
    let dry_run = plan.dry_run.unwrap_or(false);
    let servers = if dry_run {
        site.service
            .restore(&backup, Restoring::Plan, &crate::service::Quiet)
            .await
    } else {
        // It goes on when the one who asked goes away.
        let all = tokio::spawn(async move {
            let mut servers = Vec::new();
            for saved in backup.servers {
                servers.push(one(&api, &site, &caller, saved).await);
            }
            servers
        });
        all.await
            .map_err(|error| Error::internal(format!("the restoration broke off: {error}")))?
    };
    let complete = crate::service::complete(&servers);
    let status = if complete {
        StatusCode::OK
    } else {
        StatusCode::MULTI_STATUS
    };
    let answer = RestoreAnswer {
        complete,
        dry_run,
        servers,
    };
    Ok((status, Json(answer)).into_response())
}

/// The document in a body: longer than other bodies may be, so that only one is read at a time.
async fn document(api: &Arc<Api>, request: Request) -> Answered<Backup> {
    let _turn = api
        .reading
        .try_acquire()
        .map_err(|_| Error::unavailable("another backup is being read"))?;
    let limits = &api.limits;
    let pieces = input::pieces(request, limits.backup, limits.backup_time).await?;
    let parsed = tokio::task::spawn_blocking(move || Backup::parse(pieces.reader())).await;
    let parsed = parsed.map_err(|_| Error::internal("reading the backup broke off"))?;
    parsed.map_err(|error| {
        let json = error.inner();
        if json.is_data() {
            return Problem::from(Backup::refusal(&error));
        }
        let (line, column) = (json.line(), json.column());
        input::unreadable(format!(
            "the body is not JSON: line {line}, column {column}"
        ))
    })
}

/// Restores one server in its queue, recorded like any other change.
async fn one(api: &Arc<Api>, site: &Arc<Site>, caller: &Caller, saved: Saved) -> Restored {
    let identity: Identity = saved.spec.identity.clone();
    let entry = api
        .entry(caller, "restore", site, &identity)
        .with("template", saved.spec.template.as_str())
        .with("replicas", saved.desired);
    let target = identity.clone();
    let (sender, actions) = tokio::sync::oneshot::channel();
    let work: Work = Box::new(move |service, listener| {
        let work: BoxFuture<'_, Result<Outcome>> = Box::pin(async move {
            let actions = service
                .restore_one(&saved, Restoring::Act, listener)
                .await?;
            // The one who asked may have gone.
            let _ = sender.send(actions);
            Ok(Outcome {
                identity: target,
                actions: Vec::new(),
                server: None,
            })
        });
        work
    });
    let done = change(api, site, &identity, entry, Answer::WhenDone, work).await;
    let done = site.counted(done).map(|_| ());
    Restored::of(
        identity,
        match done {
            Ok(()) => Ok(actions.await.unwrap_or_default()),
            Err(error) => Err(error),
        },
    )
}
