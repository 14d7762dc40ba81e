//! Listens: on which addresses that is allowed, with TLS or without, and how it ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::sync::watch;

use crate::error::{Error, Result};

use super::connections::Counted;
use super::gate::Tokens;
use super::tokens::Token;
use super::{Api, Limits, router};

/// The most bytes of headers.
const HEADER_BYTES: usize = 64 * 1024;

/// The same, as HTTP/2 counts.
const HEADER_BYTES_HTTP2: u32 = 64 * 1024;

/// The most headers.
const HEADER_COUNT: usize = 64;

/// Whether tokens are needed on an address.
///
/// # Errors
/// Others can reach the address, and there is no token: it would be open to everyone.
pub fn may_listen(address: SocketAddr, tokens: Option<&[Token]>) -> Result<Tokens> {
    if address.ip().is_loopback() {
        return Ok(Tokens::NeededOnceThereAreAny);
    }
    if tokens.is_none_or(<[Token]>::is_empty) {
        return Err(Error::invalid(format!(
            "{address} can be reached by others, and there is no token: everyone could deploy"
        ))
        .hint("mcp-platform token create NAME --role admin")
        .hint("or listen on 127.0.0.1"));
    }
    Ok(Tokens::Needed)
}

/// A listener that has its port.
pub struct Listening {
    listener: std::net::TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Takes the port.
///
/// # Errors
/// It is taken, or the address is not this machine's.
pub fn listen(address: SocketAddr) -> Result<Listening> {
    let failed = |error: std::io::Error| {
        Error::precondition(format!("cannot listen on {address}: {error}"))
            .hint("choose another with --listen, for example --listen 127.0.0.1:0")
    };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { listener, address })
}

/// Serves until `stop` says so; then streams end, requests and operations have `grace` to come to
/// their end. Says how many operations were left.
///
/// # Errors
/// The listener broke.
pub async fn serve(
    api: Arc<Api>,
    listening: Listening,
    tls: Option<RustlsConfig>,
    stop: impl Future<Output = ()> + Send + 'static,
    closing: watch::Sender<bool>,
    grace: Duration,
) -> Result<usize> {
    let handle = Handle::new();
    let ender = handle.clone();
    let ending = Arc::clone(&api);
    let end = tokio::spawn(async move {
        stop.await;
        closing.send_replace(true);
        (ending.end_sessions)();
        ender.graceful_shutdown(Some(grace));
        let begun = tokio::time::Instant::now();
        ending
            .running
            .end(grace.saturating_sub(begun.elapsed()))
            .await
    });
    let limits = api.limits;
    let app = router(api).into_make_service_with_connect_info::<SocketAddr>();
    let counted = Counted::new(limits.connections);
    let mut server = axum_server::from_tcp(listening.listener).map_err(|error| broken(&error))?;
    limit(server.http_builder(), &limits);
    let server = server
        .handle(handle)
        .first_request_timeout(limits.header_time)
        .acceptor(counted.clone());
    let served = match tls {
        None => server.serve(app).await,
        Some(config) => {
            let tls = RustlsAcceptor::new(config)
                .handshake_timeout(limits.header_time)
                .acceptor(counted);
            server.acceptor(tls).serve(app).await
        }
    };
    served.map_err(|error| broken(&error))?;
    end.await
        .map_err(|error| Error::internal(format!("the end of the server: {error}")))
}

fn broken(error: &std::io::Error) -> Error {
    Error::precondition(format!("the listener broke: {error}"))
}

/// Limits of what a client may send before its request is known.
fn limit(builder: &mut Builder<TokioExecutor>, limits: &Limits) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(HEADER_COUNT)
        .max_buf_size(HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(20)))
        .max_header_list_size(HEADER_BYTES_HTTP2)
        .max_concurrent_streams(100);
}
