//! The one port of a server at which clients reach it, whatever instances there are: an HTTP/1.1
//! proxy that keeps a session with the instance it began on (`Mcp-Session-Id`), hands WebSocket
//! through, and keeps new sessions away while the server drains.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, RETRY_AFTER, UPGRADE};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;

/// Connections at a time.
const CONNECTIONS: usize = 2048;
/// A client that has not sent its headers by then is turned away.
const HEADERS: Duration = Duration::from_secs(15);
/// After so long without a request an instance no longer counts as the one of a session: as long as
/// the affinity of a Kubernetes Service.
const FORGOTTEN: Duration = Duration::from_secs(86_400);
/// A session that nobody used for so long does not count as open.
const IDLE: Duration = Duration::from_secs(300);
const SESSION: &str = "mcp-session-id";

/// Headers that speak of one connection only (RFC 9110, 7.6.1).
const OF_ONE_CONNECTION: [&str; 6] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
];

struct Session {
    instance: String,
    used: Instant,
}

#[derive(Default)]
struct Table {
    /// Instances that take sessions: name, port.
    ready: Vec<(String, u16)>,
    /// Those that are still there, the ending ones too.
    ports: HashMap<String, u16>,
    sessions: HashMap<String, Session>,
    /// Open WebSocket connections by instance.
    sockets: HashMap<String, usize>,
    cordoned: bool,
}

/// The proxy.
#[derive(Clone, Default)]
pub struct Front {
    table: Arc<Mutex<Table>>,
    turn: Arc<AtomicUsize>,
}

impl Front {
    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it is held; and if it did, the table would still be whole.
        self.table
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Which instances there are now, with their ports, and which of them take sessions.
    pub fn set(&self, ports: HashMap<String, u16>, ready: Vec<(String, u16)>, cordoned: bool) {
        let mut table = self.table();
        table
            .sessions
            .retain(|_, session| ports.contains_key(&session.instance));
        table.ports = ports;
        table.ready = ready;
        table.cordoned = cordoned;
    }

    /// Open sessions, of one instance or of all.
    pub fn sessions(&self, instance: Option<&str>) -> usize {
        let table = self.table();
        let fits = |name: &str| instance.is_none_or(|instance| instance == name);
        let sessions = table.sessions.values();
        sessions
            .filter(|session| fits(&session.instance) && session.used.elapsed() < IDLE)
            .count()
            + table
                .sockets
                .iter()
                .filter(|(name, _)| fits(name))
                .map(|(_, count)| count)
                .sum::<usize>()
    }

    /// Takes connections until it is dropped.
    pub async fn serve(self, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else {
                return;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // Out of file descriptors; they come back as connections end.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let front = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let front = front.clone();
                    async move { Ok::<_, Infallible>(front.answer(request).await) }
                });
                let _ = server::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADERS)
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades()
                    .await;
                drop(permit);
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let upgrade = request.headers().contains_key(UPGRADE);
        let session = request
            .headers()
            .get(SESSION)
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        let begins = upgrade || (request.method() == Method::POST && session.is_none());
        let (instance, port) = match self.choose(session.as_deref(), begins) {
            Ok(chosen) => chosen,
            Err(why) => return refusal(why),
        };
        let ends = request.method() == Method::DELETE;
        let forwarded = if upgrade {
            self.hand_through(request, &instance, port).await
        } else {
            forward(request, port).await
        };
        let response = match forwarded {
            Ok(response) => response,
            Err(why) => return gateway(&instance, &why),
        };
        self.learn(&instance, session, ends, &response);
        response
    }

    /// The instance for a request: that of its session, else the next one in turn.
    fn choose(&self, session: Option<&str>, begins: bool) -> Result<(String, u16), &'static str> {
        let mut table = self.table();
        if let Some(found) = session.and_then(|id| table.sessions.get_mut(id)) {
            found.used = Instant::now();
            let instance = found.instance.clone();
            if let Some(port) = table.ports.get(&instance) {
                return Ok((instance, *port));
            }
        }
        if begins && table.cordoned {
            return Err("the server takes no new sessions");
        }
        if table.ready.is_empty() {
            return Err("no instance of the server is ready");
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % table.ready.len();
        Ok(table.ready[turn].clone())
    }

    fn learn(&self, instance: &str, asked: Option<String>, ends: bool, response: &Response<Body>) {
        let given = response
            .headers()
            .get(SESSION)
            .and_then(|id| id.to_str().ok());
        let over =
            response.status() == StatusCode::NOT_FOUND || (ends && response.status().is_success());
        let mut table = self.table();
        match (asked, given) {
            (Some(id), _) if over => {
                table.sessions.remove(&id);
            }
            (asked, given) => {
                // Only what an instance named is a session; a client cannot invent one.
                let known = asked.filter(|id| table.sessions.contains_key(id));
                if let Some(id) = given.map(str::to_owned).or(known)
                    && response.status().is_success()
                {
                    table
                        .sessions
                        .retain(|_, session| session.used.elapsed() < FORGOTTEN);
                    let session = Session {
                        instance: instance.to_owned(),
                        used: Instant::now(),
                    };
                    table.sessions.insert(id, session);
                }
            }
        }
    }

    /// WebSocket: the handshake goes to the instance, then bytes go both ways until one side ends.
    async fn hand_through(
        &self,
        mut request: Request<Incoming>,
        instance: &str,
        port: u16,
    ) -> Result<Response<Body>, String> {
        let ours = hyper::upgrade::on(&mut request);
        let mut response = send(request, port).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let theirs = hyper::upgrade::on(&mut response);
            let counted = Counted::new(self.clone(), instance);
            tokio::spawn(async move {
                if let (Ok(ours), Ok(theirs)) = tokio::join!(ours, theirs) {
                    let (mut ours, mut theirs) = (TokioIo::new(ours), TokioIo::new(theirs));
                    let _ = tokio::io::copy_bidirectional(&mut ours, &mut theirs).await;
                }
                drop(counted);
            });
        }
        Ok(response.map(Body::new))
    }
}

struct Counted {
    front: Front,
    instance: String,
}

impl Counted {
    fn new(front: Front, instance: &str) -> Counted {
        *front
            .table()
            .sockets
            .entry(instance.to_owned())
            .or_default() += 1;
        Counted {
            front,
            instance: instance.to_owned(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut table = self.front.table();
        if let Some(count) = table.sockets.get_mut(&self.instance) {
            *count = count.saturating_sub(1);
        }
    }
}

async fn forward(mut request: Request<Incoming>, port: u16) -> Result<Response<Body>, String> {
    strip(request.headers_mut());
    let mut response = send(request, port).await?;
    strip(response.headers_mut());
    Ok(response.map(Body::new))
}

async fn send(mut request: Request<Incoming>, port: u16) -> Result<Response<Incoming>, String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = client::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection.with_upgrades());
    // A proxy is asked with whole addresses, a server with paths.
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    *request.uri_mut() = path.parse().map_err(|_| "the path is no path".to_owned())?;
    sender
        .send_request(request)
        .await
        .map_err(|error| error.to_string())
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in OF_ONE_CONNECTION {
        headers.remove(name);
    }
}

fn refusal(why: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{why}\n")));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
        .headers_mut()
        .insert(RETRY_AFTER, hyper::header::HeaderValue::from_static("1"));
    response
}

fn gateway(instance: &str, why: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{instance}: {why}\n")));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

/// A listener at a port of this machine; 0: one that the system chooses.
///
/// # Errors
/// The port is taken.
pub fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A port that was ours a moment ago still has connections that are closing.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(1024)
}
