//! One session: its child process, and which answer belongs to which request.

use std::collections::{HashMap, VecDeque};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// The longest message that a server may send.
const MESSAGE_LIMIT: u64 = 16 << 20;
/// Messages that wait for a client who has no stream open.
const WAITING: usize = 256;
/// After its input is closed, and again after SIGTERM, a child has so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where messages for one request go. The last one is its answer.
type Stream = mpsc::UnboundedSender<Value>;

#[derive(Default)]
struct Routes {
    /// By the request's id.
    asked: HashMap<String, Stream>,
    /// Requests by their progress token.
    progress: HashMap<String, String>,
    /// What is not the answer to anything.
    listener: Option<Stream>,
    waiting: VecDeque<Value>,
    over: bool,
}

/// A session.
pub struct Session {
    routes: Mutex<Routes>,
    input: tokio::sync::Mutex<Option<ChildStdin>>,
    used: Mutex<Instant>,
    ending: Notify,
    /// Rung when the child is gone.
    pub ended: Notify,
}

impl Session {
    /// Starts the child.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &[String]) -> std::io::Result<Arc<Session>> {
        let (program, arguments) = command
            .split_first()
            .ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let session = Arc::new(Session {
            routes: Mutex::default(),
            input: tokio::sync::Mutex::new(child.stdin.take()),
            used: Mutex::new(Instant::now()),
            ending: Notify::new(),
            ended: Notify::new(),
        });
        if let Some(output) = child.stdout.take() {
            tokio::spawn(session.clone().live(child, output));
        }
        Ok(session)
    }

    fn routes(&self) -> MutexGuard<'_, Routes> {
        // Nothing panics while it is held; and if it did, the routes would still be whole.
        self.routes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Since when nobody used it; nothing while a stream is open.
    pub fn idle(&self) -> Duration {
        let open = {
            let routes = self.routes();
            !routes.asked.is_empty()
                || routes
                    .listener
                    .as_ref()
                    .is_some_and(|stream| !stream.is_closed())
        };
        match self.used.lock() {
            Ok(used) if !open => used.elapsed(),
            _ => Duration::ZERO,
        }
    }

    fn touch(&self) {
        if let Ok(mut used) = self.used.lock() {
            *used = Instant::now();
        }
    }

    /// Sends a message; for a request, gives what comes for it, its answer last.
    ///
    /// # Errors
    /// The child is gone.
    pub async fn send(
        &self,
        message: &Value,
    ) -> Result<Option<mpsc::UnboundedReceiver<Value>>, &'static str> {
        self.touch();
        let answers = self.expect(message)?;
        let mut line = serde_json::to_vec(message).unwrap_or_default();
        line.push(b'\n');
        let mut input = self.input.lock().await;
        let written = match input.as_mut() {
            Some(input) => input.write_all(&line).await.is_ok(),
            None => false,
        };
        if written { Ok(answers) } else { Err(GONE) }
    }

    fn expect(
        &self,
        message: &Value,
    ) -> Result<Option<mpsc::UnboundedReceiver<Value>>, &'static str> {
        let (Some(id), true) = (message.get("id"), message.get("method").is_some()) else {
            return Ok(None);
        };
        let mut routes = self.routes();
        if routes.over {
            return Err(GONE);
        }
        let id = id.to_string();
        if routes.asked.contains_key(&id) {
            return Err("a request of that id is still open");
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        if let Some(token) = message.pointer("/params/_meta/progressToken") {
            routes.progress.insert(token.to_string(), id.clone());
        }
        routes.asked.insert(id, sender);
        Ok(Some(receiver))
    }

    /// What is not the answer to anything, from now on; none when somebody listens already.
    pub fn listen(&self) -> Option<mpsc::UnboundedReceiver<Value>> {
        self.touch();
        let mut routes = self.routes();
        if routes
            .listener
            .as_ref()
            .is_some_and(|stream| !stream.is_closed())
        {
            return None;
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        for message in routes.waiting.drain(..) {
            let _ = sender.send(message);
        }
        routes.listener = Some(sender);
        Some(receiver)
    }

    /// Ends the child.
    pub fn end(&self) {
        self.ending.notify_one();
    }

    async fn live(self: Arc<Session>, mut child: Child, output: ChildStdout) {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = (&mut lines).take(MESSAGE_LIMIT);
            let read = tokio::select! {
                read = limited.read_until(b'\n', &mut line) => read,
                () = self.ending.notified() => break,
            };
            let whole = read.is_ok_and(|length| length > 0)
                && (line.ends_with(b"\n") || (line.len() as u64) < MESSAGE_LIMIT);
            if !whole {
                break;
            }
            // Servers that print to their output what is no message are passed over.
            if let Ok(message) = serde_json::from_slice(&line) {
                self.route(message);
            }
        }
        self.close();
        self.input.lock().await.take();
        finish(&mut child).await;
        self.ended.notify_one();
    }

    fn route(&self, message: Value) {
        let mut routes = self.routes();
        let id = message.get("id").map(ToString::to_string);
        if let (Some(id), None) = (&id, message.get("method")) {
            if let Some(stream) = routes.asked.remove(id) {
                let _ = stream.send(message);
            }
            let id = id.clone();
            routes.progress.retain(|_, request| *request != id);
            return;
        }
        let token = message
            .pointer("/params/progressToken")
            .map(ToString::to_string);
        let request = token.and_then(|token| routes.progress.get(&token).cloned());
        let stream = match request.and_then(|request| routes.asked.get(&request)) {
            Some(stream) => Some(stream),
            None => routes
                .listener
                .as_ref()
                .filter(|stream| !stream.is_closed())
                .or_else(|| routes.asked.values().find(|stream| !stream.is_closed())),
        };
        let unsent = match stream {
            Some(stream) => stream.send(message).err().map(|error| error.0),
            None => Some(message),
        };
        if let Some(message) = unsent
            && routes.waiting.len() < WAITING
        {
            routes.waiting.push_back(message);
        }
    }

    /// Whoever still waits hears that there will be no answer.
    fn close(&self) {
        let mut routes = self.routes();
        routes.over = true;
        for (id, stream) in routes.asked.drain() {
            let id: Value = serde_json::from_str(&id).unwrap_or_default();
            let _ = stream.send(json!({
                "jsonrpc": "2.0", "id": id, "error": { "code": -32000, "message": GONE },
            }));
        }
        routes.listener = None;
    }
}

const GONE: &str = "the server's process ended";

/// Its input is closed; it ends by itself, or by a signal to its group, or for good.
async fn finish(child: &mut Child) {
    let group = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .map(Pid::from_raw);
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        if tokio::time::timeout(PATIENCE, child.wait()).await.is_ok() {
            break;
        }
        // It was not waited for yet, so its number is still its own.
        if let Some(group) = group {
            let _ = killpg(group, signal);
        }
    }
    let _ = child.wait().await;
}
