//! The HTTP side of every stand-in: a threaded server that logs each request, plays the faults that
//! a test asks for, and can hold an answer back until the test says so.
//!
//! A connection carries one request. The service answers one request at a time, so that what it
//! has stored is never half of something.

mod faults;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::message::{Asked, Reply, read_request};
use faults::Desk;
pub use faults::Fault;

/// What answers behind a front.
pub trait Service: Send + 'static {
    /// Answers one request; what the request changes is changed when this returns.
    fn answer(&mut self, asked: &Asked) -> Reply;

    /// Everything that was stored so far, in order, and twice when it was stored twice.
    fn stored(&self) -> Vec<String>;
}

/// A running server; it ends with the value.
pub struct Front<S> {
    address: SocketAddr,
    service: Arc<Mutex<S>>,
    desk: Arc<Desk>,
    accepting: Option<JoinHandle<()>>,
}

impl<S: Service> Front<S> {
    pub fn start(service: S) -> Front<S> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (service, desk) = (Arc::new(Mutex::new(service)), Arc::new(Desk::default()));
        let accepting = std::thread::spawn({
            let (service, desk) = (Arc::clone(&service), Arc::clone(&desk));
            move || {
                for stream in listener.incoming() {
                    if desk.ended() {
                        break;
                    }
                    let (service, desk) = (Arc::clone(&service), Arc::clone(&desk));
                    // A client that goes away in the middle is no fault of the server.
                    std::thread::spawn(move || stream.map(|stream| serve(stream, &service, &desk)));
                }
            }
        });
        Front {
            address,
            service,
            desk,
            accepting: Some(accepting),
        }
    }

    /// Where it is, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The service itself; requests wait as long as this is held.
    pub fn service(&self) -> MutexGuard<'_, S> {
        lock(&self.service)
    }

    /// The service, to be kept beside the front.
    pub fn shared(&self) -> Arc<Mutex<S>> {
        Arc::clone(&self.service)
    }

    /// Everything that the service has stored.
    pub fn stored(&self) -> Vec<String> {
        self.service().stored()
    }

    /// Every request so far: method, path and query.
    pub fn log(&self) -> Vec<String> {
        let desk = self.desk.state();
        let line = |asked: &Asked| format!("{} {}", asked.method, asked.target);
        desk.asked.iter().map(line).collect()
    }

    /// Every request so far, whole.
    pub fn asked(&self) -> Vec<Asked> {
        self.desk.state().asked.clone()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.desk.state().asked.len()
    }

    /// How many bytes were in the bodies of all requests.
    pub fn received(&self) -> usize {
        let desk = self.desk.state();
        desk.asked.iter().map(|asked| asked.body.len()).sum()
    }

    /// How many requests had this method and this in their target.
    pub fn count(&self, method: &str, part: &str) -> usize {
        let desk = self.desk.state();
        let matches = |asked: &&Asked| asked.method == method && asked.target.contains(part);
        desk.asked.iter().filter(matches).count()
    }

    /// Forgets what was asked for.
    pub fn forget(&self) {
        self.desk.state().asked.clear();
    }

    /// Every value of every header that was sent here.
    pub fn header_values(&self) -> BTreeSet<String> {
        let desk = self.desk.state();
        let headers = desk.asked.iter().flat_map(|asked| &asked.headers);
        headers.map(|(_, value)| value.clone()).collect()
    }

    /// Whether a text was in any request: its target, its headers or its body.
    pub fn has_seen(&self, text: &str) -> bool {
        let desk = self.desk.state();
        desk.asked.iter().any(|asked| {
            let headers = || asked.headers.iter();
            asked.target.contains(text)
                || headers().any(|(_, value)| value.contains(text))
                || memchr::memmem::find(&asked.body, text.as_bytes()).is_some()
        })
    }

    /// Makes so many requests fail: those of the method, if there is one, whose path and query have
    /// this part in them. Of several faults for one request, the first that is left is taken.
    pub fn fail(&self, method: Option<&str>, path_part: &str, fault: Fault, times: usize) {
        self.desk.plan(method, path_part, fault, times);
    }

    /// Takes back every fault that was not played yet.
    pub fn heal(&self) {
        self.desk.state().planned.clear();
    }

    /// The n-th request from now on, the first being 0, is done and then not answered.
    pub fn hold_at(&self, n: usize) {
        self.desk.hold_at(n);
    }

    /// Waits until a request is held; says whether there is one in time.
    pub fn held(&self, timeout: Duration) -> bool {
        self.desk.held(timeout)
    }

    /// Waits until a request is held, or until nobody is left who could send one.
    pub fn held_unless(&self, mut ended: impl FnMut() -> bool) -> bool {
        loop {
            // Asked first: what has ended has sent everything that it will ever send.
            let last = ended();
            if self.held(Duration::from_millis(20)) {
                return true;
            }
            if last {
                return false;
            }
        }
    }

    /// Closes the held connections without an answer, and holds no other.
    pub fn release(&self) {
        self.desk.release();
    }
}

impl<S> Drop for Front<S> {
    fn drop(&mut self) {
        self.desk.end();
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            // A panic there has shown itself already.
            drop(accepting.join());
        }
    }
}

fn lock<S>(service: &Mutex<S>) -> MutexGuard<'_, S> {
    // A service that panicked has shown so; the others of a test need not fail for it.
    service.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve<S: Service>(stream: TcpStream, service: &Mutex<S>, desk: &Desk) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let asked = read_request(&mut reader, &mut &stream)?;
    let (fault, held) = desk.take(&asked);
    if let Some(Fault::Latency(time)) = fault {
        desk.pass(time);
    }
    let mut reply = match &fault {
        Some(Fault::CutBefore) => return Ok(()),
        Some(Fault::Status(status, after)) => {
            let reply = Reply::new(*status, "the stand-in was told to fail\n");
            match after {
                Some(after) => reply.with("retry-after", after.as_str()),
                None => reply,
            }
        }
        _ => lock(service).answer(&asked),
    };
    if held || matches!(fault, Some(Fault::Hold)) {
        desk.keep();
        return Ok(());
    }
    let mut cut = None;
    match fault {
        Some(Fault::CutAfter) => return Ok(()),
        Some(Fault::StatusAfter(status)) => {
            reply = Reply::new(status, "<html><title>Bad gateway</title></html>\n")
                .with("content-type", "text/html");
        }
        Some(Fault::WrongBytes) => {
            let middle = reply.body.len() / 2;
            if let Some(byte) = reply.body.get_mut(middle) {
                *byte ^= 1;
            }
        }
        Some(Fault::CutBody(length)) => cut = Some(length),
        _ => {}
    }
    send(stream, &asked, &reply, cut)
}

fn send(
    mut stream: TcpStream,
    asked: &Asked,
    reply: &Reply,
    cut: Option<usize>,
) -> std::io::Result<()> {
    stream.write_all(reply.head().as_bytes())?;
    if asked.method == "HEAD" {
        return Ok(());
    }
    let length = cut.unwrap_or(reply.body.len()).min(reply.body.len());
    stream.write_all(&reply.body[..length])
}
