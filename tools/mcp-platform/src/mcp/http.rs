//! MCP over streamable HTTP at `/mcp`. It stands behind the same layers as the REST API: token,
//! `Host` and `Origin`, limits. Who asks is in the extensions of each request, never in the session,
//! so that a session id that got about gives nobody more rights than their own token.

use std::sync::Arc;

use axum::Router;
use rmcp::transport::streamable_http_server::session::SessionManager as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use super::Face;

/// Where the endpoint is.
pub const PATH: &str = "/mcp";

/// The endpoint, and the way to end it.
pub struct Endpoint {
    service: StreamableHttpService<Face, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
    end: Arc<dyn Fn() + Send + Sync>,
}

impl Endpoint {
    /// An endpoint for a face.
    ///
    /// `largest` is the most bytes of one message. `Host` and `Origin` are not checked here: the
    /// layer in front knows which ones are ours.
    pub fn new(face: Face, largest: usize) -> Endpoint {
        let mut config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .disable_allowed_origins();
        config.max_request_body_bytes = largest;
        let token = config.cancellation_token.clone();
        let sessions = Arc::new(LocalSessionManager::default());
        Endpoint {
            service: StreamableHttpService::new(
                move || Ok(face.clone()),
                Arc::clone(&sessions),
                config,
            ),
            sessions,
            end: Arc::new(move || token.cancel()),
        }
    }

    /// Its route.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new().route_service(PATH, self.service.clone())
    }

    /// Ends one session, in the background; none of that id is none to end.
    pub fn close(&self, session: &str) {
        let (sessions, session) = (Arc::clone(&self.sessions), session.into());
        tokio::spawn(async move {
            // It may have ended by itself meanwhile.
            let _ = sessions.close_session(&session).await;
        });
    }

    /// What ends every session and stream; to be called when the server shuts down, which would
    /// else wait for streams that have no end.
    pub fn end(&self) -> Arc<dyn Fn() + Send + Sync> {
        Arc::clone(&self.end)
    }
}
