//! Looks at one page of an instance, over a connection of its own.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How much of a page is read.
const LIMIT: usize = 64 << 10;

/// A page as it answered.
pub struct Page {
    /// Its status.
    pub status: StatusCode,
    /// Its beginning.
    pub body: Bytes,
}

/// Looks at a page of a port of this machine.
///
/// # Errors
/// Why there was no answer, as a sentence without secrets.
pub async fn look(port: u16, path: &str) -> Result<Page, String> {
    match tokio::time::timeout(PATIENCE, get(port, path)).await {
        Ok(page) => page,
        Err(_) => Err(format!(
            "{path} did not answer within {} s",
            PATIENCE.as_secs()
        )),
    }
}

async fn get(port: u16, path: &str) -> Result<Page, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{path} did not answer: {error}");
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", format!("127.0.0.1:{port}"))
        .header("user-agent", "mcp-platform")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| failed(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LIMIT).collect().await;
    driver.abort();
    Ok(Page {
        status,
        body: body.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes),
    })
}

/// Whether a page answers 200.
///
/// # Errors
/// Why it does not, as a sentence.
pub async fn well(port: u16, path: &str) -> Result<(), String> {
    let page = look(port, path).await?;
    if page.status.is_success() {
        Ok(())
    } else {
        Err(format!("{path} answers {}", page.status.as_u16()))
    }
}

/// Whether anything listens at the port.
///
/// # Errors
/// It does not.
pub async fn listens(port: u16) -> Result<(), String> {
    match TcpStream::connect(("127.0.0.1", port)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("nothing listens at port {port}: {error}")),
    }
}
