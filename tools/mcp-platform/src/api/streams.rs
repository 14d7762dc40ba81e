//! Answers that go on: what servers write, what happens to one, what all are doing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, BoxStream, Stream};
use futures::{StreamExt as _, future};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

use crate::backend::{LogOptions, Scope};
use crate::error::{Error, Result};
use crate::model::{Change, Event, Identity, LogLine};
use crate::service::Access;
use crate::service::Service;

use super::Api;
use super::allowed::while_allowed;
use super::answers::{Deployment, ProblemAnswer, gone};
use super::caller::Caller;
use super::deployments::{Filter, Place, Sieve};
use super::input::{Asked, Named};
use super::live::{Ear, News, Next};
use super::problem::Problem;
use super::site::{At, Site};

/// How often a silent stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// How often a stream of events looks again when nothing was reported.
const NET: Duration = Duration::from_secs(10);

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Lines {
    /// The cluster; without it, the first that the platform was started on.
    #[expect(dead_code, reason = "`Named` reads it; here it is only let through")]
    pub cluster: Option<String>,
    /// The namespace; without it, the one that the platform was started with.
    #[expect(dead_code, reason = "`Named` reads it; here it is only let through")]
    pub namespace: Option<String>,
    /// Go on with new lines as they come.
    pub follow: Option<bool>,
    /// Only the last so many lines of each instance.
    pub tail: Option<u32>,
    /// Only this instance.
    pub instance: Option<String>,
    /// What the instance wrote before its last restart.
    pub previous: Option<bool>,
}

/// What happened to a server.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// Oldest first.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<Event>,
}

/// Streams what a server writes, of all its instances: JSON lines, or plain text for
/// `Accept: text/plain`.
#[utoipa::path(
    get,
    path = "/api/templates/deployments/{name}/logs/",
    operation_id = "server_logs",
    tag = "servers",
    params(("name" = String, Path, description = "The server"), Lines),
    responses(
        (status = 200, body = String, content_type = "application/x-ndjson",
         description = "One line a line: instance, at, text"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn logs(
    State(api): State<Arc<Api>>,
    Asked(asked): Asked<Lines>,
    named: Named,
    headers: HeaderMap,
) -> std::result::Result<Response, Problem> {
    let identity = named.allowed(Access::View)?;
    let held = api.stream()?;
    let options = LogOptions {
        follow: asked.follow.unwrap_or(false),
        tail: asked.tail,
        instance: asked.instance,
        previous: asked.previous.unwrap_or(false),
    };
    let site = &named.site;
    let lines = site.counted(site.service.logs(identity, &options).await)?;
    let plain = accepts(&headers, "text/plain");
    let text = move |line: Result<LogLine>| {
        let _held = &held;
        Ok::<Bytes, Infallible>(written(line, plain))
    };
    let last = move |error| Some(Ok(written(Err(error), plain)));
    let lines = while_allowed(&api, named.caller.clone(), lines.map(text), last);
    let body = until_closing(&api, lines);
    let mut response = Response::new(Body::from_stream(body));
    let kind = if plain {
        "text/plain; charset=utf-8"
    } else {
        "application/x-ndjson"
    };
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

/// A line as it is sent. The server's own secrets are masked: whoever may read its lines need not be
/// whoever may know its passwords.
fn written(line: Result<LogLine>, plain: bool) -> Bytes {
    let line = line.unwrap_or_else(|error| LogLine {
        instance: "mcp-platform".to_owned(),
        at: None,
        text: format!("the lines end here: {}", error.message),
    });
    let mut text = if plain {
        format!("{}  {}", line.instance, line.text)
    } else {
        serde_json::to_string(&line).unwrap_or_default()
    };
    text.push('\n');
    Bytes::from(text)
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.split(';').next().map(str::trim) == Some(kind))
}

/// Ends a stream when the program ends.
fn until_closing<T: Send + 'static>(
    api: &Api,
    stream: impl Stream<Item = T> + Send + 'static,
) -> BoxStream<'static, T> {
    let mut closing = api.closing.clone();
    let closed = async move {
        if closing.wait_for(|closing| *closing).await.is_err() {
            future::pending::<()>().await;
        }
    };
    stream.take_until(Box::pin(closed)).boxed()
}

/// Events until the program ends, or a last one once the caller may not hear them any more.
fn sse(
    api: &Arc<Api>,
    caller: Caller,
    events: impl Stream<Item = Sent> + Send + 'static,
) -> Response {
    let events = while_allowed(api, caller, events, |error| Some(problem(error)));
    let events = until_closing(api, events).map(Ok::<Sent, Infallible>);
    let alive = KeepAlive::new().interval(ALIVE).text("alive");
    Sse::new(events).keep_alive(alive).into_response()
}

fn sent(name: &str, value: &impl Serialize) -> Sent {
    let text = serde_json::to_string(value).unwrap_or_default();
    Sent::default().event(name).data(text)
}

/// What happened to a server: a list, or a stream that goes on for `Accept: text/event-stream`.
#[utoipa::path(
    get,
    path = "/api/templates/deployments/{name}/events/",
    operation_id = "server_events",
    tag = "servers",
    params(("name" = String, Path, description = "The server"), Place),
    responses(
        (status = 200, content(
            (Events = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn events(
    State(api): State<Arc<Api>>,
    Asked(_): Asked<Place>,
    named: Named,
    headers: HeaderMap,
) -> std::result::Result<Response, Problem> {
    let identity = named.allowed(Access::View)?.clone();
    let site = &named.site;
    let events = site.counted(site.service.events(&identity).await)?;
    if events.is_empty() {
        // Also says whether there is such a server.
        site.counted(site.service.status(&identity).await)?;
    }
    if !accepts(&headers, "text/event-stream") {
        return Ok(Json(Events { events }).into_response());
    }
    let scope = Scope {
        namespace: Some(identity.namespace.clone()),
        template: None,
    };
    let ear = EventEar {
        _held: api.stream()?,
        changes: site.service.changes(&scope),
        service: site.service.clone(),
        identity,
        said: Vec::new(),
        first: Some(events),
    };
    let stream = stream::unfold(ear, |mut ear| async move {
        let sent = ear.next().await?;
        Some((stream::iter(sent), ear))
    });
    Ok(sse(&api, named.caller.clone(), stream.flatten()))
}

struct EventEar {
    _held: OwnedSemaphorePermit,
    changes: BoxStream<'static, Result<Change>>,
    service: Service,
    identity: Identity,
    said: Vec<Event>,
    first: Option<Vec<Event>>,
}

impl EventEar {
    /// The events that were not said yet; waits for one. None when the server is gone.
    async fn next(&mut self) -> Option<Vec<Sent>> {
        loop {
            let events = match self.first.take() {
                Some(events) => events,
                None => {
                    self.wait().await;
                    match self.service.events(&self.identity).await {
                        Ok(events) => events,
                        Err(error) => return Some(vec![problem(error)]),
                    }
                }
            };
            let fresh: Vec<Sent> = events
                .iter()
                .filter(|event| !self.said.contains(event))
                .map(|event| sent("event", event))
                .collect();
            if !events.is_empty() {
                self.said = events;
            }
            if !fresh.is_empty() {
                return Some(fresh);
            }
            if let Ok(None) = self.service.observe(&self.identity).await {
                return None;
            }
        }
    }

    async fn wait(&mut self) {
        let end = tokio::time::Instant::now() + NET;
        while let Ok(change) = tokio::time::timeout_at(end, self.changes.next()).await {
            match change {
                Some(Ok(Change::Server(identity))) if identity != self.identity => {}
                Some(_) => return,
                None => tokio::time::sleep_until(end).await,
            }
        }
    }
}

fn problem(error: Error) -> Sent {
    sent("problem", &Problem::from(error).json(None))
}

/// What all servers are doing, as it changes: a `snapshot` first, then `deployment` and `gone`;
/// `problem` when the back end cannot say.
#[utoipa::path(
    get,
    path = "/api/templates/deployments/events/",
    operation_id = "all_events",
    tag = "servers",
    params(
        Filter,
        ("Last-Event-ID" = Option<String>, Header, description = "Go on after this event"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn all(
    State(api): State<Arc<Api>>,
    At(site): At,
    caller: Caller,
    Asked(filter): Asked<Filter>,
    headers: HeaderMap,
) -> std::result::Result<Response, Problem> {
    let who = caller.clone();
    let sieve = Sieve::of(&filter, caller)?;
    let held = api.stream()?;
    let after = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let mut ear = site.live.listen(&site.service, after);
    let ready = tokio::time::timeout(api.limits.look_time, ear.ready()).await;
    site.counted(ready.unwrap_or_else(|_| {
        Err(Error::unavailable(
            "the back end did not say in time which servers there are",
        ))
    }))?;
    let stream = stream::unfold(
        (ear, site, sieve, held),
        |(mut ear, site, sieve, held): (Ear, Arc<Site>, Sieve, OwnedSemaphorePermit)| async move {
            let next = ear.next().await?;
            let sent = tell(&site, &sieve, next);
            Some((stream::iter(sent), (ear, site, sieve, held)))
        },
    );
    Ok(sse(&api, who, stream.flatten()))
}

#[derive(Serialize)]
struct Snapshot<'a> {
    cluster: &'a str,
    deployments: Vec<Deployment>,
}

fn tell(site: &Site, sieve: &Sieve, next: Next) -> Vec<Sent> {
    let live = &site.live;
    match next {
        Next::Snapshot(number, reports) => {
            let deployments = reports
                .iter()
                .filter(|report| sieve.lets(&report.observed))
                .map(|report| Deployment::of(report))
                .collect();
            let snapshot = Snapshot {
                cluster: &site.name,
                deployments,
            };
            vec![sent("snapshot", &snapshot).id(live.id(number))]
        }
        Next::Changes(changes) => changes
            .into_iter()
            .filter_map(|(number, news)| Some(one(sieve, news)?.id(live.id(number))))
            .collect(),
    }
}

/// One change as a listener hears it. What a filter does not let through any more is gone for it.
fn one(sieve: &Sieve, news: News) -> Option<Sent> {
    match news {
        News::Server(report) if sieve.lets(&report.observed) => {
            Some(sent("deployment", &Deployment::of(&report)))
        }
        News::Server(report) => left(sieve, &report.observed.identity),
        News::Gone(identity) => left(sieve, &identity),
        News::Problem(error) => Some(problem(error)),
    }
}

fn left(sieve: &Sieve, identity: &Identity) -> Option<Sent> {
    sieve.sees(identity).then(|| sent("gone", &gone(identity)))
}
