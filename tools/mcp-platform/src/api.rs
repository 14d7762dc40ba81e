//! The REST face: routes over the service, and everything that stands in front of them. Each route
//! says what it needs, and calls the service and nothing below it.
//!
//! A request passes, from the outside in: counting, a net for defects, headers of safety, the gate
//! (Host, Origin, token, rate), then its route.

mod allowed;
mod answers;
pub mod audit;
#[expect(unused_qualifications, reason = "utoipa writes paths in full")]
mod backup;
pub mod caller;
pub mod certificate;
mod changes;
mod connections;
#[expect(unused_qualifications, reason = "utoipa writes paths in full")]
mod deployments;
pub mod gate;
mod general;
mod input;
mod live;
mod metrics;
mod openapi;
#[expect(unused_qualifications, reason = "utoipa writes paths in full")]
mod operations;
mod probe;
pub mod problem;
mod rate;
pub mod serve;
mod shown;
mod site;
#[expect(unused_qualifications, reason = "utoipa writes paths in full")]
mod streams;
mod templates;
pub mod tokens;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{Error, Kind, Result};
use crate::mcp::{Face, http::Endpoint};
use crate::model::{Identity, Name};
use crate::service::{Clock, Clusters, Random};
use crate::template::Catalogue;

use audit::{Audit, Entry};
use caller::Caller;
use changes::Running;
use gate::Gate;
use metrics::Metrics;
use problem::Problem;
use site::Site;

pub use rate::Rate;

/// How long and how large things may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes of a body.
    pub body: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// The most bytes of a backup that is to be restored.
    pub backup: usize,
    /// How long that may take to arrive.
    pub backup_time: Duration,
    /// How long a look may take.
    pub look_time: Duration,
    /// How long a probe asks the back end.
    pub probe_time: Duration,
    /// How long the answer to a probe holds.
    pub probe_holds: Duration,
    /// Between two looks whether those who hold a stream open may still have it.
    pub token_time: Duration,
    /// How long an answer waits for an operation, which goes on after that.
    pub operation_time: Duration,
    /// How many streams may be open.
    pub streams: usize,
    /// How long a client may take to send its headers, and for the handshake of TLS.
    pub header_time: Duration,
    /// How many connections may be open.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body: 1024 * 1024,
            body_time: Duration::from_secs(15),
            backup: 64 * 1024 * 1024,
            backup_time: Duration::from_secs(300),
            look_time: Duration::from_secs(30),
            probe_time: Duration::from_secs(5),
            probe_holds: Duration::from_secs(2),
            token_time: Duration::from_secs(3),
            operation_time: Duration::from_secs(900),
            streams: 256,
            header_time: Duration::from_secs(10),
            connections: 1024,
        }
    }
}

/// A cluster that this instance was not started on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherCluster {
    /// The name for `--cluster`.
    pub name: String,
    /// Its server.
    pub place: String,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// What an API is made of.
pub struct Parts {
    /// The clusters that it serves.
    pub clusters: Clusters,
    /// The namespace that is meant when none is named.
    pub namespace: Name,
    /// The clusters that `--cluster` could name besides.
    pub others: Vec<OtherCluster>,
    /// Who gets in.
    pub gate: Gate,
    /// Where changes are recorded.
    pub audit: Audit,
    /// How long and how large things may be.
    pub limits: Limits,
    /// Says when the program is ending.
    pub closing: watch::Receiver<bool>,
}

/// Everything that the routes work with.
pub struct Api {
    clusters: Clusters,
    sites: Vec<Arc<Site>>,
    clock: Clock,
    random: Random,
    catalogue: Arc<Catalogue>,
    namespace: Name,
    others: Vec<OtherCluster>,
    gate: Gate,
    audit: Audit,
    limits: Limits,
    closing: watch::Receiver<bool>,
    running: Running,
    metrics: Arc<Metrics>,
    streams: Arc<Semaphore>,
    /// The turn of the one backup that is being read.
    reading: Semaphore,
    tools: Endpoint,
    end_sessions: Arc<dyn Fn() + Send + Sync>,
}

impl Api {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Api> {
        Arc::new_cyclic(|api| {
            let face = Face::new(
                parts.clusters.clone(),
                parts.namespace.clone(),
                Arc::new(tools::Gate::new(api.clone())),
            );
            let tools = Endpoint::new(face, parts.limits.body);
            let metrics = Arc::default();
            let site = |cluster| Arc::new(Site::new(cluster, &parts.limits, &metrics));
            let first = parts.clusters.first().service.clone();
            Api {
                streams: Arc::new(Semaphore::new(parts.limits.streams)),
                reading: Semaphore::new(1),
                sites: parts.clusters.all().iter().map(site).collect(),
                clock: first.clock,
                random: first.random,
                catalogue: first.catalogue,
                clusters: parts.clusters,
                namespace: parts.namespace,
                others: parts.others,
                gate: parts.gate,
                audit: parts.audit,
                limits: parts.limits,
                closing: parts.closing,
                running: Running::default(),
                metrics,
                end_sessions: tools.end(),
                tools,
            }
        })
    }

    /// The namespace that a caller names, else the one that is meant.
    fn place(&self, namespace: Option<&str>) -> Result<Name> {
        let Some(namespace) = namespace else {
            return Ok(self.namespace.clone());
        };
        Name::label(namespace).map_err(|error| {
            let message = error.message.clone();
            error.detail("namespace", message)
        })
    }

    /// The cluster of a name; without a name, the first.
    fn site(&self, name: Option<&str>) -> Result<&Arc<Site>> {
        Ok(&self.sites[self.clusters.place(name)?])
    }

    /// What a caller is about to do with a server.
    fn entry(
        &self,
        caller: &Caller,
        operation: &'static str,
        site: &Site,
        identity: &Identity,
    ) -> Entry {
        let id = (self.random)();
        Entry::new(id, caller, operation, identity.namespace.as_str())
            .cluster(&site.name)
            .server(identity.name.as_str())
    }

    /// The right to one more stream.
    fn stream(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| {
            Error::unavailable(format!("{} streams are open already", self.limits.streams))
        })
    }

    fn open_streams(&self) -> usize {
        self.limits
            .streams
            .saturating_sub(self.streams.available_permits())
    }
}

/// All routes, with everything that stands in front of them.
pub fn router(api: Arc<Api>) -> Router {
    let looks = OpenApiRouter::with_openapi(openapi::About::openapi())
        .routes(routes!(templates::all))
        .routes(routes!(templates::one))
        .routes(routes!(deployments::list))
        .routes(routes!(deployments::one))
        .routes(routes!(general::clusters))
        .routes(routes!(general::me))
        .routes(routes!(general::metrics))
        .routes(routes!(general::health))
        .routes(routes!(general::ready))
        .layer(from_fn_with_state(Arc::clone(&api), in_time));
    let changes = OpenApiRouter::new()
        .routes(routes!(operations::deploy))
        .routes(routes!(operations::update))
        .routes(routes!(operations::start))
        .routes(routes!(operations::stop))
        .routes(routes!(operations::scale))
        .routes(routes!(operations::restart))
        .routes(routes!(operations::delete))
        .routes(routes!(operations::check))
        .routes(routes!(backup::backup, backup::make_backup))
        .routes(routes!(backup::restore));
    let streams = OpenApiRouter::new()
        .routes(routes!(streams::logs))
        .routes(routes!(streams::events))
        .routes(routes!(streams::all));
    let (routes, document) = looks.merge(changes).merge(streams).split_for_parts();
    let document = serde_json::to_string(&document).unwrap_or_default();
    routes
        .route("/openapi.json", get(move || openapi_document(document)))
        .route("/docs", get(general::docs))
        .route("/assets/docs.js", get(general::docs_script))
        .route("/assets/docs.css", get(general::docs_style))
        .merge(crate::dashboard::routes())
        .merge(
            api.tools
                .routes()
                .layer(from_fn_with_state(Arc::clone(&api), allowed::sessions)),
        )
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn_with_state(Arc::clone(&api), gate::admit))
        .layer(from_fn(safe))
        .layer(from_fn(problem::name_the_instance))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn_with_state(Arc::clone(&api), count))
        .with_state(api)
}

async fn openapi_document(document: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], document).into_response()
}

/// A look that takes too long is given up.
async fn in_time(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let site = api.site_of(request.uri()).cloned();
    match tokio::time::timeout(api.limits.look_time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            if let Ok(site) = site {
                site.failed(Kind::Timeout);
            }
            Problem::from(Error::new(
                Kind::Timeout,
                "the back end did not answer in time",
            ))
            .into_response()
        }
    }
}

/// Headers that keep browsers from doing more with an answer than it is for.
async fn safe(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn count(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let method = known(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    api.metrics.request(method, &route, status, begun.elapsed());
    response
}

/// Anyone may invent methods; there shall not be a line for each.
fn known(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
