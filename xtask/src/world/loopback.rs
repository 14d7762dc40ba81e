//! HTTP to servers on this machine: plain, blocking, without proxies, redirects or time-less
//! waits. It never leaves the loopback interface.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use crate::error::{Context, Result};

/// More than any answer of a sound server; an endless one must end somewhere.
const BODY_LIMIT: u64 = 64 << 20;

/// A client for one address.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

/// An answer, whatever its status. The body has not been read yet.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The media type without its parameters, in lower case; empty when there is none.
    pub media_type: String,
    response: ureq::http::Response<ureq::Body>,
}

impl Client {
    /// A client whose every call ends, one way or the other, within `limit`.
    ///
    /// # Panics
    /// The address is not on the loopback interface.
    pub fn new(address: SocketAddr, limit: Duration) -> Client {
        assert!(address.ip().is_loopback(), "only for servers started here");
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(limit))
            .build()
            .new_agent();
        Client {
            agent,
            base: format!("http://{address}"),
        }
    }

    /// The full URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Asks for a path.
    ///
    /// # Errors
    /// No HTTP answer in time; the message names the URL.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        self.call(self.agent.get(self.url(path)), headers, path)
    }

    /// Deletes what a path names.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn delete(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        self.call(self.agent.delete(self.url(path)), headers, path)
    }

    /// Posts bytes to a path.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut request = self.agent.post(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body), &self.url(path))
    }

    fn call(
        &self,
        mut request: ureq::RequestBuilder<ureq::typestate::WithoutBody>,
        headers: &[(&str, &str)],
        path: &str,
    ) -> Result<Answer> {
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call(), &self.url(path))
    }
}

fn answer(
    result: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    url: &str,
) -> Result<Answer> {
    let response = result
        .map_err(ureq::Error::into_io)
        .doing(|| format!("ask {url}"))?;
    Ok(Answer {
        status: response.status().as_u16(),
        media_type: response
            .body()
            .mime_type()
            .unwrap_or_default()
            .to_ascii_lowercase(),
        response,
    })
}

impl Answer {
    /// A header's value, when it is plain text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The whole body.
    ///
    /// # Errors
    /// The connection breaks or the body takes too long or is too long.
    pub fn bytes(self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The body as it comes.
    pub fn reader(self) -> impl Read {
        let body = self.response.into_body().into_with_config();
        body.limit(BODY_LIMIT).reader()
    }
}

/// A TCP port on 127.0.0.1 that was free a moment ago. Another process may take it before it
/// is used.
///
/// # Errors
/// No port is free.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener
        .and_then(|listener| Ok(listener.local_addr()?.port()))
        .doing(|| "find a free port on 127.0.0.1".to_owned())
}

/// Whether nobody listens on a port of 127.0.0.1.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), port)).is_ok()
}
