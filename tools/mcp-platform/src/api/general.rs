//! Health, readiness, metrics, clusters, and the documents about the API itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::{Kind, Scope};
use crate::error::Error;

use super::Api;
use super::answers::ProblemAnswer;
use super::caller::Caller;
use super::metrics::Present;
use super::problem::Problem;

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

/// Says whether the back end can be used now, and the platform is not ending.
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
    api.reachable().await.map_err(|error| {
        // Anyone may ask: the place and its own words stay here.
        let kind = api.service.backend.kind().word();
        Error {
            message: format!("the back end {kind} cannot be used now"),
            hints: vec!["GET /api/clusters/ says why to those who may know".to_owned()],
            details: Vec::new(),
            kind: match error.kind {
                crate::error::Kind::Timeout => error.kind,
                _ => crate::error::Kind::Unavailable,
            },
        }
    })?;
    Ok(health().await)
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
    let scope = Scope::default();
    let listed = api.service.list(&scope);
    let listed = tokio::time::timeout(api.limits.probe_time, listed).await;
    let listed = listed.unwrap_or_else(|_| Err(Error::unavailable("it did not answer in time")));
    let servers = api.counted(listed).ok().map(|reports| {
        let mut servers = BTreeMap::new();
        for report in &reports {
            let namespace = &report.observed.identity.namespace;
            if caller.namespaces.contain(namespace) {
                let key = (report.status.state.word(), namespace.to_string());
                *servers.entry(key).or_default() += 1;
            }
        }
        servers
    });
    let text = api.metrics.text(&Present {
        servers,
        running: api.running.count(),
        streams: api.open_streams(),
    });
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(CONTENT_TYPE, kind)], text).into_response()
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
    /// Whether this instance works on it.
    pub current: bool,
    /// Whether it can be used now; only said of the one that this instance works on.
    pub reachable: Option<bool>,
    /// Why not.
    pub message: Option<String>,
    /// The namespace that is meant when none is named.
    pub namespace: Option<String>,
}

/// All places where servers run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Clusters {
    /// The one that this instance works on, then those that `--cluster` can name.
    pub clusters: Vec<Cluster>,
}

/// Says where servers run, and whether that can be used now.
#[utoipa::path(
    get,
    path = "/api/clusters/",
    tag = "platform",
    responses(
        (status = 200, body = Clusters),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn clusters(State(api): State<Arc<Api>>, _: Caller) -> Json<Clusters> {
    let backend = &api.service.backend;
    let message = api.reachable().await.err().map(|error| error.message);
    let mut clusters = vec![Cluster {
        name: api.cluster.clone(),
        backend: backend.kind(),
        place: backend.place(),
        current: true,
        reachable: Some(message.is_none()),
        message,
        namespace: Some(api.namespace.to_string()),
    }];
    let others = api.others.iter().filter(|other| other.name != api.cluster);
    clusters.extend(others.map(|other| Cluster {
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
