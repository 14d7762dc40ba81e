//! The proof over HTTP: the address, the pages for probes, the token, the conversation, the
//! end. The transport itself is in `http/session.rs`.

mod session;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::message::{self, STATELESS};
use super::server::{Filling, PAUSE, Server};
use super::{Checked, Failure, Record, Subject, conversation, sockets};
use crate::config::Http;
use crate::error::Error;
use crate::world::loopback::{self, Client};
use crate::world::process::table;
use session::{Access, Session};

/// How often a port that somebody else took in the meantime is replaced by another.
const PORT_ATTEMPTS: u32 = 3;

/// How long a server that listens elsewhere may take until it also listens where it should.
const SETTLE: Duration = Duration::from_secs(2);

/// Proves the server over HTTP and notes what held.
///
/// # Errors
/// The first check that does not hold.
pub fn prove(subject: &Subject<'_>, http: &Http, record: &mut Record) -> Checked<()> {
    let limit = subject.answer_limit();
    let (mut server, filling, address) = start(subject, http)?;
    let server = &mut server;
    let client = Client::new(address, limit);
    let uses_token = uses_token(http);
    let access = Access {
        client: &client,
        endpoint: &http.endpoint,
        token: uses_token.then_some(filling.token.as_str()),
        limit,
    };
    sockets::only(server, "http", Some(address))?;
    for (check, path) in [("health", &http.health), ("ready", &http.ready)] {
        page(server, &client, check, path, limit)?;
        record.hold(format!("http-{check}"), format!("{path} answers 200"));
    }
    if uses_token {
        record.hold("http-token", refuses_strangers(server, &access)?);
    }
    record.hold("http-origin", foreign_origin(server, &access)?);
    converse(subject, server, address, access, record)?;
    stop(subject, server, access, record)
}

fn converse(
    subject: &Subject<'_>,
    server: &mut Server<'_>,
    address: SocketAddr,
    access: Access<'_>,
    record: &mut Record,
) -> Checked<()> {
    let call = &subject.prove.call;
    let mut session = Session::new(server, access);
    let version = conversation::open(&mut session)?;
    let tools = conversation::tools(&mut session, &call.tool)?;
    record.hold(
        "http-handshake",
        format!("protocol {version}, {}", super::count(tools.len(), "tool")),
    );
    record.tools = tools;
    sockets::only(session.server, "http", Some(address))?;
    let held = sockets::evidence("listens where it was asked to and nowhere else");
    record.hold("http-sockets", held);
    conversation::call(&mut session, call)?;
    record.hold("http-call", format!("{} answered", call.tool));
    sockets::nothing_exposed(session.server, "http")?;
    record.hold("http-session", session.end()?);
    let mut session = Session::new(server, access);
    if conversation::without_handshake(&mut session, call)? {
        record.hold("http-stateless", format!("protocol {STATELESS}"));
    }
    Ok(())
}

/// Ends the server while a client stays connected, which is what a server meets when it is
/// stopped in earnest.
fn stop(
    subject: &Subject<'_>,
    server: &mut Server<'_>,
    access: Access<'_>,
    record: &mut Record,
) -> Checked<()> {
    let mut session = Session::new(server, access);
    conversation::open(&mut session)?;
    let stream = session.listen()?;
    let how = server.stop(subject.stop_limit(), &mut printed)?;
    let connected = match stream {
        Some(_) => "with a client listening",
        None => "no stream for clients to listen to",
    };
    record.hold("http-stdout", "empty");
    record.hold("http-stop", format!("{how}, {connected}"));
    record.hold("http-children", sockets::children());
    Ok(())
}

fn uses_token(http: &Http) -> bool {
    let mut values = http.launch.environment.iter().map(|(_, value)| value);
    values.any(|value| value.contains("{token}"))
}

/// Starts the server on a free port and waits until it listens there.
fn start<'world>(
    subject: &Subject<'world>,
    http: &Http,
) -> Checked<(Server<'world>, Filling, SocketAddr)> {
    let mut attempt = 1;
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, loopback::free_port()?));
        let filling = Filling::new(Some(address));
        let mut server = Server::start(subject, "http", &http.launch, &filling)?;
        match listening(&mut server, address, subject.answer_limit()) {
            Ok(()) => return Ok((server, filling, address)),
            Err(_)
                if attempt < PORT_ATTEMPTS
                    && server.ended()?.is_some()
                    && !loopback::is_free(address.port()) =>
            {
                attempt += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn listening(server: &mut Server<'_>, asked: SocketAddr, limit: Duration) -> Checked<()> {
    let started = Instant::now();
    let mut elsewhere_since = None;
    loop {
        if server.ended()?.is_some() || started.elapsed() >= limit {
            let awaited = format!("listening on {asked}");
            return Err(server.silence("sockets", &awaited, limit)?);
        }
        let found = if table::KNOWN {
            server.listeners()
        } else {
            connectable(asked)
        };
        if found.contains(&asked) {
            return Ok(());
        }
        if !found.is_empty() {
            let since = *elsewhere_since.get_or_insert_with(Instant::now);
            let same_port = found.iter().any(|address| address.port() == asked.port());
            if same_port || since.elapsed() >= SETTLE {
                return Err(sockets::refusal("http", &found, Some(asked)));
            }
        }
        std::thread::sleep(PAUSE);
    }
}

fn connectable(address: SocketAddr) -> Vec<SocketAddr> {
    std::net::TcpStream::connect_timeout(&address, SETTLE)
        .map(|_| vec![address])
        .unwrap_or_default()
}

/// Requires that a page for probes answers 200. A server that says that it is not yet ready
/// (5xx) is asked again until the time is up. Probes carry no token, so none is sent.
fn page(
    server: &mut Server<'_>,
    client: &Client,
    check: &str,
    path: &str,
    limit: Duration,
) -> Checked<()> {
    let deadline = Instant::now() + limit;
    loop {
        let Ok(answer) = client.get(path, &[]) else {
            let awaited = format!("its answer to GET {path}");
            return Err(server.silence(check, &awaited, limit)?);
        };
        let (status, hint) = (answer.status, page_hint(check, answer.status));
        if status == 200 {
            return Ok(());
        }
        if status < 500 || Instant::now() >= deadline {
            let body = String::from_utf8_lossy(&answer.bytes().unwrap_or_default()).into_owned();
            let body = match body.trim() {
                "" => String::new(),
                text => format!(": {}", super::shorten(text)),
            };
            let what = format!("over http: GET {path} answers {status}, not 200{body}");
            let error = Error::refused(what).hint(hint);
            return Err(Failure::new(format!("http-{check}"), error));
        }
        server.ended()?;
        std::thread::sleep(PAUSE);
    }
}

fn page_hint(check: &str, status: u16) -> String {
    match status {
        404 => format!(
            "serve the page, or name the one that exists as `{check}` under [prove.http] in \
             release.toml"
        ),
        401 | 403 => {
            "answer this page without a token: the probes of a supervisor send none".to_owned()
        }
        300..=399 => "answer at this very path; probes do not follow redirects".to_owned(),
        _ => "answer 200 as soon as the server can do its work".to_owned(),
    }
}

/// Requires that requests without the token, and with a wrong one, are refused.
fn refuses_strangers(server: &mut Server<'_>, access: &Access<'_>) -> Checked<String> {
    let hello = message::request(1, "initialize", &message::initialize_params());
    let mut seen = Vec::new();
    for (token, with) in [(None, "no token"), (Some("wrong"), "a wrong token")] {
        let stranger = Access { token, ..*access };
        let Ok(answer) = stranger.post(&hello, &[]) else {
            return Err(server.silence("token", "its answer to initialize", access.limit)?);
        };
        if !matches!(answer.status, 401 | 403) {
            let error = Error::refused(format!(
                "over http: a request with {with} is answered {}, not 401",
                answer.status
            ))
            .hint("check the token of every request to the endpoint before anything else");
            return Err(Failure::new("http-token", error));
        }
        seen.push(format!("{} with {with}", answer.status));
    }
    Ok(seen.join(", "))
}

/// Whether a page of a foreign web site could talk to the server (DNS rebinding). The
/// specification demands that it cannot; here it is evidence and a warning.
fn foreign_origin(server: &mut Server<'_>, access: &Access<'_>) -> Checked<String> {
    let hello = message::request(1, "initialize", &message::initialize_params());
    let Ok(answer) = access.post(&hello, &[("origin", "http://foreign.invalid")]) else {
        return Err(server.silence("origin", "its answer to initialize", access.limit)?);
    };
    Ok(match answer.status {
        200..300 => "warning: a request with a foreign Origin is served".to_owned(),
        status => format!("{status} with a foreign Origin"),
    })
}

fn printed(line: &[u8]) -> Checked<()> {
    let line = super::shorten(&String::from_utf8_lossy(line));
    let error = Error::refused(format!(
        "over http: the server printed to standard output:\n    | {line}"
    ))
    .hint("print and log to standard error");
    Err(Failure::new("http-stdout", error))
}
