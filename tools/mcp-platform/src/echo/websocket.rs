//! MCP over WebSocket: subprotocol `mcp`, one JSON-RPC message a text frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures::{SinkExt as _, StreamExt as _, future};
use rmcp::service::{RoleServer, RxJsonRpcMessage, ServiceExt as _, TxJsonRpcMessage};

use super::http::Shared;
use super::{Echo, say};

/// Larger messages end the session.
const MESSAGE_LIMIT: usize = 4 << 20;

/// Takes a session.
pub(super) async fn upgrade(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["mcp"])
        .max_message_size(MESSAGE_LIMIT)
        .on_upgrade(move |socket| session(socket, shared.echo, shared.sockets))
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn session(socket: WebSocket, echo: Echo, sockets: Arc<AtomicUsize>) {
    sockets.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(sockets);
    let (sink, stream) = socket.split();
    let sink = Box::pin(sink.with(|message: TxJsonRpcMessage<RoleServer>| {
        future::ready(
            serde_json::to_string(&message)
                .map(|text| Message::Text(text.into()))
                .map_err(axum::Error::new),
        )
    }));
    let stream = Box::pin(
        stream
            .take_while(|frame| {
                future::ready(matches!(frame, Ok(message) if !matches!(message, Message::Close(_))))
            })
            .filter_map(|frame| future::ready(frame.ok().and_then(|frame| read(&frame)))),
    );
    match echo.serve((sink, stream)).await {
        Ok(running) => {
            let _ = running.waiting().await;
        }
        Err(error) => say(&format!("a session did not begin: {error}")),
    }
}

fn read(frame: &Message) -> Option<RxJsonRpcMessage<RoleServer>> {
    let Message::Text(text) = frame else {
        return None;
    };
    serde_json::from_str(text)
        .inspect_err(|error| say(&format!("passed over a frame that is no message: {error}")))
        .ok()
}
