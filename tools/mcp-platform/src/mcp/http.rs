//! MCP over streamable HTTP at `/mcp`. It stands behind the same layers as the REST API: token,
//! `Host` and `Origin`, limits. Who asks is in the extensions of each request, never in the session,
//! and a session is only for the one who began it: its streams carry what others may not see.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use rmcp::transport::streamable_http_server::session::SessionManager as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use super::Face;

/// Above so many known sessions it is looked which of them have ended.
const FEW: usize = 64;

/// Where the endpoint is.
pub const PATH: &str = "/mcp";

/// The endpoint, and the way to end it.
pub struct Endpoint {
    service: StreamableHttpService<Face, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
    /// Who began each session, by the session's id.
    owners: Mutex<HashMap<String, String>>,
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
            owners: Mutex::default(),
            end: Arc::new(move || token.cancel()),
        }
    }

    /// Its route.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new().route_service(PATH, self.service.clone())
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session was begun by whoever is called so.
    pub async fn begun(&self, session: &str, owner: &str) {
        let known: Vec<String> = self.owners().keys().cloned().collect();
        // It doubles before it is looked again, so that a look costs each session little.
        if known.len() >= FEW && known.len().is_power_of_two() {
            for session in known {
                let is_there = self.sessions.has_session(&session.as_str().into()).await;
                if !is_there.unwrap_or(false) {
                    self.owners().remove(&session);
                }
            }
        }
        self.owners().insert(session.to_owned(), owner.to_owned());
    }

    /// Whether a session is one that this caller has begun.
    pub fn is_of(&self, session: &str, caller: &str) -> bool {
        self.owners()
            .get(session)
            .is_some_and(|owner| owner == caller)
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
