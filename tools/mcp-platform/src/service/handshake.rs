//! A real MCP client, for as long as it takes to say hello: over streamable HTTP (which is what
//! a bridged server speaks too) or WebSocket.

use std::future::Future;

use futures::{SinkExt as _, StreamExt as _, future};
use rmcp::model::{ClientRequest, PingRequest};
use rmcp::service::{
    RoleClient, RunningService, RxJsonRpcMessage, ServiceExt as _, TxJsonRpcMessage,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use url::Url;

use crate::model::{Secret, Transport};

use super::check::{STEP, Steps, said};

type Client = RunningService<RoleClient, ()>;
type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Connects, greets, lists the tools, pings, and takes its leave.
pub(super) async fn handshake(
    steps: &mut Steps,
    transport: &Transport,
    base: &Url,
    token: Option<&Secret>,
) {
    let client = match transport {
        Transport::Stdio | Transport::StreamableHttp { .. } => {
            over_http(steps, base, transport.path(), token).await
        }
        Transport::Websocket { path } => over_websocket(steps, base, path, token).await,
    };
    let Some(client) = client else {
        steps.skip("tools/list", "there is no session");
        steps.skip("ping", "there is no session");
        return;
    };
    let tools = client
        .peer_info()
        .is_some_and(|info| info.capabilities.tools.is_some());
    if tools {
        let begun = Instant::now();
        let listed = limited(client.list_all_tools()).await;
        let listed = listed.map(|tools| {
            let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
            ((), format!("{} tools: {}", names.len(), names.join(", ")))
        });
        steps.note("tools/list", begun, listed);
    } else {
        steps.skip("tools/list", "the server offers no tools");
    }
    let begun = Instant::now();
    let ping = client.send_request(ClientRequest::PingRequest(PingRequest::default()));
    let answered = limited(ping).await.map(|_| ((), "answered".to_owned()));
    steps.note("ping", begun, answered);
    let _ = tokio::time::timeout(STEP, client.cancel()).await;
}

async fn limited<T, E: std::error::Error>(
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match tokio::time::timeout(STEP, step).await {
        Ok(done) => done.map_err(|error| said(&error)),
        Err(_) => Err(format!("no answer within {} s", STEP.as_secs())),
    }
}

async fn over_http(
    steps: &mut Steps,
    base: &Url,
    path: &str,
    token: Option<&Secret>,
) -> Option<Client> {
    let begun = Instant::now();
    let url = base.join(path).map_err(|error| format!("{path}: {error}"));
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| said(&error));
    let ready = url.and_then(|url| Ok((url, client?)));
    let ready = ready.map(|ready| {
        let said = format!("streamable HTTP at {}", ready.0);
        (ready, said)
    });
    let (url, client) = steps.note("connect", begun, ready)?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
    if let Some(token) = token {
        config = config.auth_header(token.expose());
    }
    let transport = StreamableHttpClientTransport::with_client(client, config);
    let begun = Instant::now();
    let client = limited(().serve(transport)).await;
    steps.note("initialize", begun, client.map(introduced))
}

async fn over_websocket(
    steps: &mut Steps,
    base: &Url,
    path: &str,
    token: Option<&Secret>,
) -> Option<Client> {
    let begun = Instant::now();
    let socket = connect(base, path, token).await;
    let socket = steps.note(
        "connect",
        begun,
        socket.map(|socket| (socket, format!("WebSocket at {path}, subprotocol mcp"))),
    );
    let Some(socket) = socket else {
        steps.skip("initialize", "there is no connection");
        return None;
    };
    let (sink, stream) = socket.split();
    let sink = Box::pin(sink.with(|message: TxJsonRpcMessage<RoleClient>| {
        future::ready(match serde_json::to_string(&message) {
            Ok(text) => Ok(Message::text(text)),
            Err(error) => Err(tungstenite::Error::Io(error.into())),
        })
    }));
    let stream = Box::pin(
        stream
            .take_while(|frame| future::ready(frame.is_ok()))
            .filter_map(|frame| future::ready(frame.ok().and_then(|frame| read(&frame)))),
    );
    let begun = Instant::now();
    let client = limited(().serve((sink, stream))).await;
    steps.note("initialize", begun, client.map(introduced))
}

fn read(frame: &Message) -> Option<RxJsonRpcMessage<RoleClient>> {
    serde_json::from_str(frame.to_text().ok()?).ok()
}

async fn connect(base: &Url, path: &str, token: Option<&Secret>) -> Result<Socket, String> {
    let mut url = base
        .join(path)
        .map_err(|error| format!("{path}: {error}"))?;
    let scheme = if base.scheme() == "https" {
        "wss"
    } else {
        "ws"
    };
    let _ = url.set_scheme(scheme);
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(|error| said(&error))?;
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("mcp"));
    if let Some(token) = token {
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value =
            value.map_err(|_| "the token has characters that no header may have".to_owned())?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let (socket, response) = limited(connect_async(request)).await?;
    match response.headers().get(SEC_WEBSOCKET_PROTOCOL) {
        Some(protocol) if protocol.as_bytes() == b"mcp" => Ok(socket),
        _ => Err("the server does not speak the subprotocol mcp".to_owned()),
    }
}

fn introduced(client: Client) -> (Client, String) {
    let said = client.peer_info().map_or_else(String::new, |info| {
        let name = info.server_info.as_ref().map_or_else(
            || "a server without a name".to_owned(),
            |server| format!("{} {}", server.name, server.version),
        );
        format!("{name}, protocol {}", info.protocol_version)
    });
    (client, said)
}
