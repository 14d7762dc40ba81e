//! The HTTP side: MCP specification, "Streamable HTTP".

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use url::Url;

use crate::bearer::bears;
use crate::error::{Error, Result};
use crate::model::Secret;
use crate::world::random;

use super::Arguments;
use super::session::Session;

/// The longest message that a client may send.
const BODY_LIMIT: usize = 4 << 20;
const SESSION: &str = "mcp-session-id";
/// Between two looks at idle sessions, and at the last ones while it ends.
const SWEEP: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);
/// How long children may take to end, all at once.
const LAST: Duration = Duration::from_secs(6);

struct Bridge {
    arguments: Arguments,
    token: Option<Secret>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    draining: AtomicBool,
}

impl Bridge {
    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        // Nothing panics while it is held; and if it did, the map would still be whole.
        self.sessions
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Serves until a signal comes, then until the sessions have ended or the time for it is over.
pub(super) async fn serve(arguments: Arguments, token: Option<Secret>) -> Result<()> {
    let address = SocketAddr::new(arguments.host, arguments.port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Error::unavailable(format!("cannot listen on {address}: {error}")))?;
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| Error::internal(format!("cannot listen to signals: {error}")))?;
    let bridge = Arc::new(Bridge {
        arguments,
        token,
        sessions: Mutex::default(),
        draining: AtomicBool::new(false),
    });
    tokio::spawn(sweep(bridge.clone()));
    let server = axum::serve(listener, router(bridge.clone()));
    tokio::select! {
        served = server => served.map_err(|error| Error::internal(format!("{address}: {error}"))),
        () = async { terminate.recv().await; end(&bridge).await } => Ok(()),
    }
}

fn router(bridge: Arc<Bridge>) -> Router {
    let mcp = Router::new()
        .route("/mcp", post(receive).get(listen).delete(close))
        .layer(middleware::from_fn_with_state(bridge.clone(), guard));
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .merge(mcp)
        .with_state(bridge)
}

/// Ends sessions that nobody uses.
async fn sweep(bridge: Arc<Bridge>) {
    let limit = Duration::from_secs(bridge.arguments.idle);
    loop {
        tokio::time::sleep(SWEEP).await;
        bridge
            .sessions()
            .values()
            .filter(|session| session.idle() >= limit)
            .for_each(|session| session.end());
    }
}

async fn end(bridge: &Bridge) {
    bridge.draining.store(true, Ordering::SeqCst);
    let empty = || async {
        while !bridge.sessions().is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(bridge.arguments.drain), empty()).await;
    bridge.sessions().values().for_each(|session| session.end());
    let _ = tokio::time::timeout(LAST, empty()).await;
}

async fn health(State(bridge): State<Arc<Bridge>>) -> Json<Value> {
    Json(json!({ "status": "ok", "sessions": bridge.sessions().len() }))
}

async fn ready(State(bridge): State<Arc<Bridge>>) -> Response {
    if bridge.draining.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, "takes no new sessions\n").into_response();
    }
    (StatusCode::OK, "ready\n").into_response()
}

/// Who may talk to it: the right token, a name that is ours (DNS rebinding), no foreign page.
async fn guard(State(bridge): State<Arc<Bridge>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| Url::parse(&format!("http://{host}")).ok());
    let allowed = |url: Option<&Url>| {
        url.and_then(Url::host_str)
            .is_some_and(|name| known(&bridge.arguments, name))
    };
    if !allowed(host.as_ref()) {
        return refuse(StatusCode::FORBIDDEN, "this is not a name of this server");
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin
            .to_str()
            .ok()
            .and_then(|origin| Url::parse(origin).ok());
        let same = origin.as_ref().and_then(Url::host_str) == host.as_ref().and_then(Url::host_str);
        if !same {
            return refuse(
                StatusCode::FORBIDDEN,
                "pages of another origin may not call this server",
            );
        }
    }
    if let Some(token) = &bridge.token
        && !bears(headers, token)
    {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (
            StatusCode::UNAUTHORIZED,
            challenge,
            "a bearer token is required\n",
        )
            .into_response();
    }
    next.run(request).await
}

fn known(arguments: &Arguments, name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let loopback = name == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    // Whoever listens to the network is reached by names that are not known here.
    let open = !arguments.host.is_loopback() && arguments.allowed_hosts.is_empty();
    loopback
        || open
        || arguments
            .allowed_hosts
            .iter()
            .any(|allowed| allowed == "*" || allowed == name)
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}

/// A refusal that a client of MCP understands.
fn wrong(status: StatusCode, id: Option<&Value>, code: i32, why: &str) -> Response {
    let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } });
    (status, Json(error)).into_response()
}

fn session(
    bridge: &Bridge,
    headers: &HeaderMap,
) -> std::result::Result<Option<(String, Arc<Session>)>, Box<Response>> {
    let Some(id) = headers.get(SESSION) else {
        return Ok(None);
    };
    let id = id.to_str().unwrap_or_default();
    match bridge.sessions().get(id) {
        Some(session) => Ok(Some((id.to_owned(), session.clone()))),
        None => Err(Box::new(wrong(
            StatusCode::NOT_FOUND,
            None,
            -32001,
            "there is no such session",
        ))),
    }
}

/// The body; none when it is too long. What is too long is read to its end all the same, as far as
/// that goes: who is cut off while sending does not hear the answer.
async fn read(body: Body) -> Option<Vec<u8>> {
    let mut stream = body.into_data_stream();
    let mut text = Vec::new();
    let mut length = 0;
    while let Some(part) = stream.next().await {
        let part = part.ok()?;
        length += part.len();
        if length > BODY_LIMIT * 8 {
            return None;
        }
        if length <= BODY_LIMIT {
            text.extend_from_slice(&part);
        }
    }
    (length <= BODY_LIMIT).then_some(text)
}

async fn receive(State(bridge): State<Arc<Bridge>>, headers: HeaderMap, body: Body) -> Response {
    let Some(body) = read(body).await else {
        return wrong(
            StatusCode::PAYLOAD_TOO_LARGE,
            None,
            -32600,
            "the message is too long",
        );
    };
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return wrong(StatusCode::BAD_REQUEST, None, -32700, "the body is no JSON");
    };
    let id = message.get("id").cloned();
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return wrong(
            StatusCode::BAD_REQUEST,
            id.as_ref(),
            -32600,
            "the body is no single JSON-RPC message",
        );
    }
    match session(&bridge, &headers) {
        Err(response) => *response,
        Ok(Some((_, session))) => match session.send(&message).await {
            Ok(None) => StatusCode::ACCEPTED.into_response(),
            Ok(Some(answers)) => streamed(answers),
            Err(why) => wrong(StatusCode::BAD_GATEWAY, id.as_ref(), -32000, why),
        },
        Ok(None) if message.get("method").and_then(Value::as_str) == Some("initialize") => {
            begin(&bridge, &message).await
        }
        Ok(None) => wrong(
            StatusCode::BAD_REQUEST,
            id.as_ref(),
            -32600,
            "a session begins with initialize",
        ),
    }
}

/// A new session, with its child.
async fn begin(bridge: &Arc<Bridge>, message: &Value) -> Response {
    let asked = message.get("id");
    if bridge.draining.load(Ordering::SeqCst)
        || bridge.sessions().len() >= bridge.arguments.max_sessions
    {
        let mut response = wrong(
            StatusCode::SERVICE_UNAVAILABLE,
            asked,
            -32000,
            "no more sessions are taken at the moment",
        );
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        return response;
    }
    let session = match Session::start(&bridge.arguments.command) {
        Ok(session) => session,
        Err(error) => {
            let program = bridge.arguments.command.first().map_or("", String::as_str);
            let why = format!("cannot start {program}: {error}");
            return wrong(StatusCode::BAD_GATEWAY, asked, -32000, &why);
        }
    };
    let id = random();
    bridge.sessions().insert(id.clone(), session.clone());
    tokio::spawn(forget(bridge.clone(), id.clone(), session.clone()));
    let answer = match session.send(message).await {
        Ok(Some(mut answers)) => loop {
            // What comes before the answer has nowhere to go yet.
            match answers.recv().await {
                Some(answer) if answer.get("method").is_none() => break Some(answer),
                Some(_) => {}
                None => break None,
            }
        },
        Ok(None) | Err(_) => None,
    };
    match answer {
        Some(answer) if answer.get("error").is_none() => {
            ([(SESSION, id)], Json(answer)).into_response()
        }
        other => {
            session.end();
            let failed = || {
                wrong(
                    StatusCode::BAD_GATEWAY,
                    asked,
                    -32000,
                    "the server's process ended before it answered",
                )
            };
            other
                .filter(|answer| answer.pointer("/error/code") != Some(&json!(-32000)))
                .map_or_else(failed, |answer| Json(answer).into_response())
        }
    }
}

/// Takes a session out once its child is gone.
async fn forget(bridge: Arc<Bridge>, id: String, session: Arc<Session>) {
    session.ended.notified().await;
    bridge.sessions().remove(&id);
}

/// The messages up to the answer, as events.
fn streamed(answers: mpsc::UnboundedReceiver<Value>) -> Response {
    let messages = stream::unfold(Some(answers), |answers| async {
        let mut answers = answers?;
        let message = answers.recv().await?;
        let more = message.get("method").is_some();
        Some((message, more.then_some(answers)))
    });
    events(messages)
}

fn events(messages: impl stream::Stream<Item = Value> + Send + 'static) -> Response {
    let events = messages.map(|message| {
        Ok::<_, Infallible>(Event::default().event("message").data(message.to_string()))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

async fn listen(State(bridge): State<Arc<Bridge>>, headers: HeaderMap) -> Response {
    match session(&bridge, &headers) {
        Err(response) => *response,
        Ok(None) => wrong(
            StatusCode::BAD_REQUEST,
            None,
            -32600,
            "a session begins with initialize",
        ),
        Ok(Some((_, session))) => match session.listen() {
            Some(messages) => events(UnboundedReceiverStream::new(messages)),
            None => wrong(
                StatusCode::CONFLICT,
                None,
                -32600,
                "somebody listens to this session already",
            ),
        },
    }
}

async fn close(State(bridge): State<Arc<Bridge>>, headers: HeaderMap) -> Response {
    match session(&bridge, &headers) {
        Err(response) => *response,
        Ok(None) => wrong(
            StatusCode::BAD_REQUEST,
            None,
            -32600,
            "name the session that shall end",
        ),
        Ok(Some((id, session))) => {
            bridge.sessions().remove(&id);
            session.end();
            StatusCode::NO_CONTENT.into_response()
        }
    }
}
