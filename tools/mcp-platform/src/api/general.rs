//! Health, readiness, metrics, clusters, and the documents about the API itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use futures::FutureExt as _;
use futures::future::{join_all, select_ok};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::{Kind, Scope};
use crate::error::Error;

use super::Api;
use super::answers::ProblemAnswer;
use super::caller::Caller;
use super::metrics::{Present, Servers};
use super::problem::Problem;
use super::site::Site;

/// That it lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The version of the platform.
    pub version: String,
}

/// Says that the platform lives.
#[utoipa::path(get, path = "/health", tag = "platform", responses((status = 200, body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Says whether a back end can be used now, and the platform is not ending. Of several clusters one
/// is enough: an instance that can still serve some shall not be taken away from all.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "platform",
    responses(
        (status = 200, body = Health),
        (status = 503, body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn ready(State(api): State<Arc<Api>>) -> Result<Json<Health>, Problem> {
    if *api.closing.borrow() {
        return Err(Error::unavailable("this instance is ending").into());
    }
    let asked = api.sites.iter().map(|site| site.reachable().boxed());
    select_ok(asked).await.map_err(|error| not_ready(&error))?;
    Ok(health().await)
}

/// Anyone may ask whether it is ready: the place and its own words stay here.
fn not_ready(error: &Error) -> Error {
    Error {
        message: "no back end can be used now".to_owned(),
        hints: vec!["GET /api/clusters/ says why to those who may know".to_owned()],
        details: Vec::new(),
        kind: match error.kind {
            crate::error::Kind::Timeout => error.kind,
            _ => crate::error::Kind::Unavailable,
        },
    }
}

/// What is counted, in the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "platform",
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn metrics(State(api): State<Arc<Api>>, caller: Caller) -> Response {
    let servers = api.sites.iter().map(|site| async {
        let servers = servers(&api, site, &caller).await;
        (site.name.clone(), servers)
    });
    let clusters = join_all(servers).await;
    let text = api.metrics.text(&Present {
        clusters,
        running: api.running.count(),
        streams: api.open_streams(),
    });
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(CONTENT_TYPE, kind)], text).into_response()
}

/// How many servers of a cluster are in which state and namespace; none when it does not answer.
async fn servers(api: &Api, site: &Site, caller: &Caller) -> Option<Servers> {
    let scope = Scope::default();
    let listed = site.service.list(&scope);
    let listed = tokio::time::timeout(api.limits.probe_time, listed).await;
    let listed = listed.unwrap_or_else(|_| Err(Error::unavailable("it did not answer in time")));
    let mut servers = Servers::new();
    for report in &site.counted(listed).ok()? {
        let namespace = &report.observed.identity.namespace;
        if caller.namespaces.contain(namespace) {
            let key = (report.status.state.word(), namespace.to_string());
            *servers.entry(key).or_default() += 1;
        }
    }
    Some(servers)
}

/// A place where servers run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// `process`, `docker`, `kubernetes` or `mock`.
    #[schema(value_type = String)]
    pub backend: Kind,
    /// Where it is: a context, a socket, a folder.
    pub place: String,
    /// Whether this instance serves it: only then can `?cluster=` name it.
    pub current: bool,
    /// Whether it can be used now; only said of those that this instance serves.
    pub reachable: Option<bool>,
    /// Why not.
    pub message: Option<String>,
    /// The namespace that is meant when none is named.
    pub namespace: Option<String>,
}

/// All places where servers run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Clusters {
    /// Those that this instance serves, the one first that is meant when none is named; then those
    /// that `--cluster` could name.
    pub clusters: Vec<Cluster>,
}

/// Says where servers run, and whether that can be used now.
#[utoipa::path(
    get,
    path = "/api/clusters/",
    operation_id = "list_clusters",
    tag = "platform",
    responses(
        (status = 200, body = Clusters),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn clusters(State(api): State<Arc<Api>>, _: Caller) -> Json<Clusters> {
    let asked = api.sites.iter().map(|site| async {
        let backend = &site.service.backend;
        let message = site.reachable().await.err().map(|error| error.message);
        Cluster {
            name: site.name.clone(),
            backend: backend.kind(),
            place: backend.place(),
            current: true,
            reachable: Some(message.is_none()),
            message,
            namespace: Some(api.namespace.to_string()),
        }
    });
    let mut clusters = join_all(asked).await;
    clusters.extend(api.others.iter().map(|other| Cluster {
        name: other.name.clone(),
        backend: Kind::Kubernetes,
        place: other.place.clone(),
        current: false,
        reachable: None,
        message: other.problem.clone(),
        namespace: None,
    }));
    Json(Clusters { clusters })
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The name of the token; `local` where none is needed.
    pub name: String,
    /// What it allows.
    pub role: super::caller::Role,
    /// Where; none: in all namespaces.
    pub namespaces: Option<Vec<String>>,
    /// The namespace that is meant when none is named.
    pub namespace: String,
}

/// Says who is asking and what that one may do.
#[utoipa::path(
    get,
    path = "/api/me/",
    tag = "platform",
    responses(
        (status = 200, body = Me),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn me(State(api): State<Arc<Api>>, caller: Caller) -> Json<Me> {
    Json(Me {
        namespaces: match &caller.namespaces {
            super::caller::Namespaces::All => None,
            super::caller::Namespaces::Only(names) => {
                Some(names.iter().map(ToString::to_string).collect())
            }
        },
        name: caller.name,
        role: caller.role,
        namespace: api.namespace.to_string(),
    })
}

/// The page about the API.
pub async fn docs() -> Response {
    let mut response = Html(include_str!("docs.html")).into_response();
    response.headers_mut().insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    );
    response
}

/// The script of that page.
pub async fn docs_script() -> Response {
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    ([(CONTENT_TYPE, kind)], include_str!("docs.js")).into_response()
}

/// The style of that page.
pub async fn docs_style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(CONTENT_TYPE, kind)], include_str!("docs.css")).into_response()
}
