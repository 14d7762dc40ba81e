//! Streams end when those who hold them open may not have them any more: their token was revoked, has
//! expired, or allows something else now. Looked at before each item, and every few seconds when
//! there is none.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, BoxStream, Stream};
use futures::{FutureExt as _, StreamExt as _};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::error::{Error, Result};

use super::Api;
use super::caller::Caller;
use super::input;
use super::problem::Problem;

/// In which session of MCP a request is.
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

struct Watched<T> {
    api: Arc<Api>,
    caller: Caller,
    stream: BoxStream<'static, T>,
    tick: Interval,
    last: Box<dyn FnOnce(Error) -> Option<T> + Send>,
}

impl<T> Watched<T> {
    fn is_allowed(&self) -> Result<()> {
        let now = (self.api.clock)();
        self.api.gate.still(&self.caller, now)
    }

    /// The next item; an error once the caller may not have it.
    async fn next(&mut self) -> Result<Option<T>> {
        loop {
            let item = tokio::select! {
                item = self.stream.next() => Some(item),
                _ = self.tick.tick() => None,
            };
            self.is_allowed()?;
            if let Some(item) = item {
                return Ok(item);
            }
        }
    }
}

/// A stream as long as its caller may have it, then what `last` makes of the reason.
pub fn while_allowed<T: Send + 'static>(
    api: &Arc<Api>,
    caller: Caller,
    stream: impl Stream<Item = T> + Send + 'static,
    last: impl FnOnce(Error) -> Option<T> + Send + 'static,
) -> BoxStream<'static, T> {
    let mut tick = interval(api.limits.token_time);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watched = Watched {
        api: Arc::clone(api),
        caller,
        stream: stream.boxed(),
        tick,
        last: Box::new(last),
    };
    stream::unfold(Some(watched), |watched| {
        async move {
            let mut watched = watched?;
            match watched.next().await {
                Ok(item) => Some((item?, Some(watched))),
                Err(error) => Some(((watched.last)(error)?, None)),
            }
        }
        .boxed()
    })
    .boxed()
}

/// The same for the streams of MCP, whose messages have to come in time. A session is only for the one
/// who began it, and ends with its stream: who comes back needs a token first, and then a session of
/// their own.
pub async fn sessions(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let name = caller.as_ref().map_or("", |caller| caller.name.as_str());
    let asked = session(request.headers());
    if let Some(session) = &asked
        && !api.tools.is_of(session, name)
    {
        let error = Error::not_found("there is no such session of MCP for who asks");
        return Problem::from(error.hint("begin one with `initialize`")).into_response();
    }
    // The endpoint would wait for its message as long as it takes.
    let (parts, body) = request.into_parts();
    let body = match input::whole(body, &api.limits).await {
        Ok(body) => Body::from(body),
        Err(problem) => return problem.into_response(),
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    if let (None, Some(begun)) = (&asked, session(response.headers())) {
        api.tools.begun(&begun, name).await;
    }
    let streams = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let Some(caller) = caller.filter(|_| streams) else {
        return response;
    };
    let session = asked.or_else(|| session(response.headers()));
    let (parts, body) = response.into_parts();
    let ending = Arc::clone(&api);
    let stream = while_allowed(&api, caller, body.into_data_stream(), move |_| {
        if let Some(session) = session {
            ending.tools.close(&session);
        }
        None
    });
    Response::from_parts(parts, Body::from_stream(stream))
}

fn session(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(SESSION)?.to_str().ok()?.to_owned())
}
