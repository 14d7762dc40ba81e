//! Its HTTP side: `/health`, `/ready`, and MCP at `/mcp`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::net::TcpListener;

use crate::bearer::bears;
use crate::error::{Error, Result};
use crate::model::Secret;

use super::fault::ended;
use super::{Arguments, Echo, Fault, say, websocket};

/// How often it looks whether its sessions have ended once it was told to end.
const LOOK: Duration = Duration::from_millis(50);

/// What the pages know.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) echo: Echo,
    /// Open WebSocket sessions.
    pub(super) sockets: Arc<AtomicUsize>,
    sessions: Arc<LocalSessionManager>,
    draining: Arc<AtomicBool>,
    token: Option<Secret>,
    fault: Option<Fault>,
}

impl Shared {
    async fn sessions(&self) -> usize {
        self.sessions.sessions.read().await.len() + self.sockets.load(Ordering::SeqCst)
    }
}

/// Serves until a signal comes, then until the sessions have ended or the time for it is over.
pub(super) async fn serve(arguments: &Arguments, port: u16, echo: Echo) -> Result<()> {
    let address = SocketAddr::new(arguments.host, port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Error::unavailable(format!("cannot listen on {address}: {error}")))?;
    let address = listener.local_addr().unwrap_or(address);
    let shared = Shared {
        echo,
        sockets: Arc::default(),
        sessions: Arc::default(),
        draining: Arc::default(),
        token: arguments.token.clone(),
        fault: arguments.fail,
    };
    let config = StreamableHttpServerConfig::default();
    let stop = config.cancellation_token.clone();
    let router = router(arguments, &shared, config);
    say(&format!("listens at http://{address}/mcp"));
    let ending = {
        let (shared, stop, fault) = (shared.clone(), stop.clone(), arguments.fail);
        let patience = Duration::from_secs(arguments.drain);
        async move {
            ended(fault).await;
            shared.draining.store(true, Ordering::SeqCst);
            say("takes no new sessions");
            let empty = async {
                while shared.sessions().await > 0 {
                    tokio::time::sleep(LOOK).await;
                }
            };
            let _ = tokio::time::timeout(patience, empty).await;
            say(&format!(
                "ends with {} sessions open",
                shared.sessions().await
            ));
            stop.cancel();
        }
    };
    // Connections that stay open although nothing happens on them do not keep it alive.
    let closing = stop.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(ending);
    tokio::select! {
        served = server => served.map_err(|error| Error::internal(format!("{address}: {error}")))?,
        () = async { closing.cancelled().await; tokio::time::sleep(LOOK * 10).await } => {}
    }
    Ok(())
}

fn router(arguments: &Arguments, shared: &Shared, config: StreamableHttpServerConfig) -> Router {
    let pages = Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready));
    let mcp = if arguments.websocket {
        Router::new().route("/mcp", any(websocket::upgrade))
    } else {
        // Whoever listens to the network is reached by names that are not known here.
        let config = if arguments.host.is_loopback() {
            config
        } else {
            config.disable_allowed_hosts()
        };
        let echo = shared.echo.clone();
        Router::new().route_service(
            "/mcp",
            StreamableHttpService::new(move || Ok(echo.clone()), shared.sessions.clone(), config),
        )
    };
    let mcp = mcp.layer(middleware::from_fn_with_state(shared.clone(), guard));
    pages.merge(mcp).with_state(shared.clone())
}

async fn health(State(shared): State<Shared>) -> Response {
    let well = shared.fault != Some(Fault::Sick);
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let sessions = shared.sessions().await;
    (
        status,
        Json(json!({ "status": if well { "ok" } else { "sick" }, "sessions": sessions })),
    )
        .into_response()
}

async fn ready(State(shared): State<Shared>) -> Response {
    if shared.draining.load(Ordering::SeqCst) || shared.fault == Some(Fault::Unready) {
        return (StatusCode::SERVICE_UNAVAILABLE, "takes no sessions").into_response();
    }
    (StatusCode::OK, "ready").into_response()
}

/// The bearer token, and no new session while it ends.
async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if let Some(token) = &shared.token
        && !bears(request.headers(), token)
    {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (
            StatusCode::UNAUTHORIZED,
            challenge,
            "a bearer token is required",
        )
            .into_response();
    }
    let begins = request.method() == Method::GET && request.headers().contains_key(header::UPGRADE)
        || request.method() == Method::POST && !request.headers().contains_key("mcp-session-id");
    if begins && shared.draining.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, "takes no new sessions").into_response();
    }
    next.run(request).await
}
