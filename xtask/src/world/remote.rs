//! HTTPS to one server elsewhere: blocking, with retries, and with an end to every wait.
//!
//! Proxies and certificates come from the environment as curl has them. Every error names the
//! address without what must stay secret in it. What an answer means is not decided here.

mod address;
pub mod checksum;
mod retry;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::http::HeaderMap;
pub use ureq::http::Method;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

use super::World;
use crate::error::{Context, Error, Result};
pub use address::{is_loopback, place, shown, split};
pub use retry::{Patience, Trouble, after, is_busy, pass_time};

/// Who asks, for those who read the logs of the server.
pub const USER_AGENT: &str = concat!("cargo-xtask/", env!("CARGO_PKG_VERSION"));

/// Redirects beyond this number are a circle.
const REDIRECTS: u32 = 5;

/// How often the watch looks whether the run has been asked to stop.
const WATCH: Duration = Duration::from_millis(100);

/// What is read at once.
const CHUNK: usize = 64 << 10;

/// A client for one server.
#[derive(Debug)]
pub struct Remote<'world> {
    /// The world that is asked through.
    pub world: &'world World,
    agent: ureq::Agent,
    base: String,
    patience: Patience,
    ended: Arc<AtomicBool>,
}

/// What to ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'request> {
    /// The path below the server's address, with its slash.
    pub path: &'request str,
    /// Headers beside those that every request has.
    pub headers: &'request [(&'request str, &'request str)],
    /// What is posted, as JSON; asked with GET when there is nothing.
    pub body: Option<&'request [u8]>,
}

/// The head of an answer, and its body as it comes.
#[derive(Debug)]
pub struct Opened {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    body: ureq::Body,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The whole body.
    pub bytes: Vec<u8>,
}

/// The headers of an answer.
#[derive(Debug, Clone, Default)]
pub struct Headers(HeaderMap);

impl Headers {
    /// A header's value, when it is plain text; several of one name joined with commas.
    pub fn get(&self, name: &str) -> Option<String> {
        let values = self.0.get_all(name).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// How many bytes the body has.
    pub fn length(&self) -> Option<u64> {
        self.get("content-length")?.trim().parse().ok()
    }
}

impl<'world> Remote<'world> {
    /// A client for the server at `base`, an address without a slash at its end.
    ///
    /// # Errors
    /// An address that is none or that is not encrypted on the way to another machine; a proxy
    /// or certificates in the environment that cannot be used. `named` says where the address
    /// comes from.
    pub fn new(
        world: &'world World,
        base: &str,
        named: &str,
        patience: Patience,
    ) -> Result<Remote<'world>> {
        let base = base.trim_end_matches('/');
        let place = place(base).map_err(|what| {
            Error::usage(format!("{named}: {}: {what}", shown(base)))
                .hint(format!("set {named} to an address like https://host/path"))
        })?;
        let tls = TlsConfig::builder()
            .root_certs(certificates(world)?)
            .build();
        let agent = ureq::Agent::config_builder()
            .proxy(proxy(world, &place)?)
            .https_only(place.encrypted)
            .http_status_as_error(false)
            .max_redirects(REDIRECTS)
            .user_agent(USER_AGENT)
            .tls_config(tls)
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence.saturating_mul(2)))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .build()
            .new_agent();
        let ended = Arc::new(AtomicBool::new(false));
        watch(world, &agent, &ended);
        Ok(Remote {
            world,
            agent,
            base: base.to_owned(),
            patience,
            ended,
        })
    }

    /// The address of a path as it may be shown.
    pub fn shown(&self, path: &str) -> String {
        shown(&format!("{}{path}", self.base))
    }

    /// Asks until there is a whole answer, and gives it, whatever its status.
    ///
    /// # Errors
    /// No answer after the last attempt, a server that stays busy, or a body of more than
    /// `limit` bytes.
    pub fn fetch(&self, request: Request<'_>, limit: u64) -> Result<Answer> {
        self.persist(request.path, || {
            let opened = self.open(request)?;
            self.whole(opened, limit)
        })
    }

    /// Does `work` again and again, as long as its trouble is one that passes.
    ///
    /// # Errors
    /// The last trouble, with the address; or the run is interrupted.
    pub fn persist<T>(
        &self,
        path: &str,
        mut work: impl FnMut() -> std::result::Result<T, Trouble>,
    ) -> Result<T> {
        let mut failed = 0;
        loop {
            self.world.check_interrupted()?;
            let trouble = match work() {
                Ok(value) => return Ok(value),
                Err(trouble) => trouble,
            };
            self.world.check_interrupted()?;
            failed += 1;
            match self.patience.wait(failed, &trouble) {
                Some(time) => (self.patience.sleep)(self.world, time)?,
                None => return Err(trouble.into_error(&self.shown(path), failed)),
            }
        }
    }

    /// Asks once. A busy server is trouble; every other status is an answer.
    ///
    /// # Errors
    /// No answer, or one of a server that is busy.
    pub fn open(&self, request: Request<'_>) -> std::result::Result<Opened, Trouble> {
        let url = format!("{}{}", self.base, request.path);
        let response = match request.body {
            None => {
                let asked = self.agent.get(&url);
                with_headers(asked, request.headers).call()
            }
            Some(body) => {
                let asked = self.agent.post(&url);
                let asked = asked.header("content-type", "application/json");
                with_headers(asked, request.headers).send(body)
            }
        };
        let opened = opened(response)?;
        match is_busy(opened.status) {
            true => {
                let asked = opened.headers.get("retry-after");
                let asked = asked.and_then(|text| after(&text, self.world.now()));
                Err(Trouble::busy(opened.status, asked))
            }
            false => Ok(opened),
        }
    }

    /// Sends one request of any method once, and gives the whole answer, whatever its status.
    /// Whether it is sent again is for the caller to say.
    ///
    /// # Errors
    /// No answer, half an answer, or a body of more than `limit` bytes.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        limit: u64,
    ) -> std::result::Result<Answer, Trouble> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let wrong = |_| Trouble::last("no request that can be sent");
        let response = match body {
            Some(body) => self.agent.run(request.body(body).map_err(wrong)?),
            None => self.agent.run(request.body(()).map_err(wrong)?),
        };
        self.whole(opened(response)?, limit)
    }

    /// An answer with its whole body.
    fn whole(&self, opened: Opened, limit: u64) -> std::result::Result<Answer, Trouble> {
        let (status, headers) = (opened.status, opened.headers.clone());
        let mut bytes = Vec::new();
        self.receive(opened, limit, &mut |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(Answer {
            status,
            headers,
            bytes,
        })
    }

    /// Hands a body on as it comes.
    ///
    /// # Errors
    /// The connection breaks, is silent or is too slow; the body is longer than `limit`; or
    /// `take` fails.
    pub fn receive(
        &self,
        opened: Opened,
        limit: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> std::result::Result<(), Trouble> {
        let too_long = || Trouble::last(format!("more than {limit} bytes"));
        if opened.headers.length().is_some_and(|length| length > limit) {
            return Err(too_long());
        }
        let body = opened.body.into_with_config();
        let mut reader = body.limit(u64::MAX).reader();
        let (started, mut received) = (Instant::now(), 0_u64);
        let mut chunk = vec![0; CHUNK];
        loop {
            self.world.check_interrupted().map_err(Trouble::error)?;
            let read = match reader.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(cause) => {
                    return Err(Trouble::passing(format!("after {received} bytes: {cause}")));
                }
            };
            received = received.saturating_add(read as u64);
            if received > limit {
                return Err(too_long());
            }
            take(chunk.get(..read).unwrap_or_default()).map_err(Trouble::error)?;
            if self.patience.is_too_slow(received, started.elapsed()) {
                return Err(Trouble::passing(format!(
                    "too slow: {received} bytes in {} s",
                    started.elapsed().as_secs()
                )));
            }
        }
    }
}

impl Drop for Remote<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Answer {
    /// The answer, if its status is 200.
    ///
    /// # Errors
    /// It is another; `shown` is the address.
    pub fn require_ok(self, shown: &str) -> Result<Answer> {
        match self.status {
            200 => Ok(self),
            status => Err(unexpected(shown, status)),
        }
    }
}

/// An answer that nobody asked for.
pub fn unexpected(shown: &str, status: u16) -> Error {
    let error = Error::failure(format!("{shown}: answers {status}"));
    match status {
        401 | 403 | 407 => error.hint("a proxy or a mirror refuses; look at HTTPS_PROXY"),
        404 | 410 => error.hint("is the address right, and is the mirror whole?"),
        _ => error.hint("run again later"),
    }
}

/// Ends all waits on the network when the run is asked to stop.
fn watch(world: &World, agent: &ureq::Agent, ended: &Arc<AtomicBool>) {
    let (interrupt, agent, ended) = (world.interrupt.clone(), agent.clone(), Arc::clone(ended));
    std::thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            if interrupt.requested() {
                agent.shutdown();
                return;
            }
            std::thread::sleep(WATCH);
        }
    });
}

/// The head of an answer, when there is one.
fn opened(
    response: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> std::result::Result<Opened, Trouble> {
    let (head, body) = response.map_err(Trouble::of_transport)?.into_parts();
    Ok(Opened {
        status: head.status.as_u16(),
        headers: Headers(head.headers),
        body,
    })
}

fn with_headers<Any>(
    mut request: ureq::RequestBuilder<Any>,
    headers: &[(&str, &str)],
) -> ureq::RequestBuilder<Any> {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
}

/// The proxy for a place, if the environment names one.
fn proxy(world: &World, place: &address::Place) -> Result<Option<ureq::Proxy>> {
    let Some((name, value)) = address::proxy(place, |name| world.variable(name)) else {
        return Ok(None);
    };
    let proxy = ureq::Proxy::new(value).ok();
    // The value may hold a password, so it is not shown.
    let supported = |proxy: &ureq::Proxy| {
        matches!(
            proxy.protocol(),
            ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https
        )
    };
    match proxy.filter(supported) {
        Some(proxy) => Ok(Some(proxy)),
        None => Err(
            Error::usage(format!("{name} is not the address of an HTTP proxy")).hint(format!(
                "set {name} to http://host:port, or add {} to NO_PROXY",
                place.host
            )),
        ),
    }
}

/// The certificates to trust: those of a file that the environment names, or those of Mozilla.
fn certificates(world: &World) -> Result<RootCerts> {
    let named = named_certificates(world)?;
    if named.is_empty() {
        return Ok(RootCerts::WebPki);
    }
    let certificates = named
        .iter()
        .map(|der| Certificate::from_der(der).to_owned());
    Ok(RootCerts::new_with_certs(&certificates.collect::<Vec<_>>()))
}

/// The certificates of the file that the environment names, in DER form; none when it names none.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn named_certificates(world: &World) -> Result<Vec<Vec<u8>>> {
    let names = ["CURL_CA_BUNDLE", "SSL_CERT_FILE"];
    let mut named = names
        .iter()
        .filter_map(|name| Some((name, world.variable(name)?)));
    let Some((name, path)) = named.next() else {
        return Ok(Vec::new());
    };
    let bytes = std::fs::read(path).doing(|| format!("read {path}, which {name} names"))?;
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(&bytes).flatten() {
        if let PemItem::Certificate(certificate) = item {
            found.push(certificate.der().to_vec());
        }
    }
    if found.is_empty() {
        return Err(
            Error::usage(format!("{path}, which {name} names, holds no certificates"))
                .hint("name a file of certificates in PEM form"),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
