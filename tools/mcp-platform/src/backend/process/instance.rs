//! The life of one instance: started, watched, started again when it ends, ended when it is told.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::error::Result;
use crate::model::{Cause, Fault, Phase, Spec};
use crate::world::now;

use super::command::{Launch, Place, launch};
use super::environment;
use super::folder::{failed, make_folder};
use super::journal::Log;
use super::keeper::Keeper;
use super::look::look;
use super::members::{self, Member};
use super::probing::{self, STABLE};
use super::record::Wheel;

/// How long the last output of a process is waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Between two looks at its memory, and at its sessions while it drains.
const MEMORY_PERIOD: Duration = Duration::from_secs(1);
const MEMORY_FIRST: Duration = Duration::from_millis(50);
const DRAIN_PERIOD: Duration = Duration::from_millis(200);
/// What children have that outlive their parent.
const LEFT_OVER: Duration = Duration::from_secs(2);
/// The longest part of a line that is held.
const LINE_LIMIT: u64 = 64 << 10;
/// Milliseconds before the next try, by how often it failed in a row.
const BACK_OFF: [u64; 7] = [0, 500, 1_000, 2_000, 5_000, 10_000, 30_000];

/// What an instance is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Order {
    /// It ends, sessions first.
    pub end: bool,
    /// Counts how often it is ended at once.
    pub kills: u64,
}

/// One instance.
pub struct Life {
    /// What it shares with the others.
    pub keeper: Arc<Keeper>,
    /// Its name.
    pub name: String,
    /// Its mark.
    pub mark: String,
    /// What it runs.
    pub spec: Arc<Spec>,
    /// The wheel of that.
    pub wheel: Option<Wheel>,
    /// What it is told.
    pub orders: watch::Receiver<Order>,
}

/// How one run of it came to its end.
enum End {
    /// It was told to end.
    Told,
    /// It was ended at once.
    Killed,
    /// Something is wrong.
    Failed(Cause, String, Duration),
}

impl Life {
    /// Lives until it is told to end and has.
    pub async fn live(mut self) {
        let log = Arc::new(Log::open(
            &self.keeper.folder,
            &self.name,
            &self.spec.secrets,
        ));
        let mut failures = 0_u32;
        loop {
            let end = self.once(&log, failures).await;
            self.keeper.instance(&self.name, |state| {
                state.ready = false;
                state.port = None;
                state.pid = None;
                if state.phase == Phase::Running {
                    state.phase = Phase::Pending;
                }
            });
            if self.orders.borrow().end {
                break;
            }
            match end {
                End::Told => break,
                End::Killed => failures = 0,
                End::Failed(cause, message, lasted) => {
                    failures = if lasted >= STABLE { 1 } else { failures + 1 };
                    self.rest(cause, &message, failures).await;
                    if self.orders.borrow().end {
                        break;
                    }
                }
            }
            log.turn();
            self.keeper
                .instance(&self.name, |state| state.restarts += 1);
        }
        log.close();
        let scratch = self.keeper.folder.scratch().join(&self.name);
        let _ = std::fs::remove_dir_all(scratch);
        self.keeper.note(&self.name, "Ended", "is gone");
        self.keeper.change(|answer| {
            answer.instances.remove(&self.name);
        });
    }

    /// Says what is wrong, and waits a while before the next try.
    async fn rest(&mut self, cause: Cause, message: &str, failures: u32) {
        let index = (failures as usize).min(BACK_OFF.len() - 1);
        let pause = Duration::from_millis(BACK_OFF[index]);
        // Ending once may be an accident; twice in a row is a loop.
        let cause = match cause {
            Cause::Exited if failures >= 2 => Some(Cause::CrashLoop),
            Cause::Exited => None,
            other => Some(other),
        };
        let times = if failures > 1 {
            format!(", {failures} times in a row")
        } else {
            String::new()
        };
        let message = format!("{message}{times}");
        let again = format!("{message}; starts again in {:.1} s", pause.as_secs_f64());
        self.keeper
            .warn(&self.name, cause.map_or("Exited", |_| "BackOff"), &again);
        self.keeper.instance(&self.name, |state| {
            let since = state.fault.as_ref().and_then(|fault| fault.since);
            state.fault = cause.map(|cause| Fault {
                cause,
                message,
                since: since.or(Some(now())),
            });
        });
        let mut orders = self.orders.clone();
        orders.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = orders.changed() => {}
        }
    }

    /// One run, from the start of the process to its end.
    async fn once(&mut self, log: &Arc<Log>, failures: u32) -> End {
        let mut orders = self.orders.clone();
        let order = *orders.borrow_and_update();
        if order.end {
            return End::Told;
        }
        let started = tokio::select! {
            started = self.start(log) => started,
            // An environment is being made; whoever needs it next makes it anew.
            _ = orders.changed() => return End::Killed,
        };
        let (mut child, port, output) = match started {
            Ok(started) => started,
            Err((cause, message)) => return End::Failed(cause, message, Duration::ZERO),
        };
        let begun = Instant::now();
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        self.keeper.instance(&self.name, |state| {
            state.phase = Phase::Running;
            state.port = Some(port);
            state.pid = pid;
        });
        self.keeper.note(
            &self.name,
            "Started",
            &format!("process {} at port {port}", pid.unwrap_or_default()),
        );
        let told = told(&mut orders, order.kills);
        let settled = failures <= 1;
        let end = tokio::select! {
            status = child.wait() => ended(status, &output.last().await, begun),
            why = probing::watch(&self.keeper, &self.name, &self.spec, port, settled) => {
                self.finish(&mut child, pid, order.kills).await;
                End::Failed(Cause::Probe, why, begun.elapsed())
            }
            () = self.exceeds(pid) => {
                let limit = self.spec.resources.memory_limit >> 20;
                End::Failed(Cause::OutOfMemory, format!("used more than {limit} MiB of memory"), begun.elapsed())
            }
            told = told => {
                if told.kills == 0 {
                    self.drain(&mut child, port, order.kills).await;
                    self.finish(&mut child, pid, order.kills).await;
                    End::Told
                } else {
                    self.keeper.note(&self.name, "Killed", "ended without grace");
                    End::Killed
                }
            }
        };
        self.clear(
            &mut child,
            pid,
            matches!(end, End::Killed | End::Failed(Cause::OutOfMemory, ..)),
        )
        .await;
        end
    }

    async fn start(
        &self,
        log: &Arc<Log>,
    ) -> std::result::Result<(Child, u16, Pumps), (Cause, String)> {
        let keeper = &self.keeper;
        let programs = match &self.wheel {
            None => None,
            Some(wheel) => {
                let made = environment::programs(&keeper.root, wheel, &keeper.environment).await;
                Some(made.map_err(|error| (Cause::ImagePull, error.message))?)
            }
        };
        let port = free_port()
            .map_err(|error| (Cause::Unschedulable, format!("no free port: {error}")))?;
        let place = Place {
            folder: &keeper.folder,
            instance: &self.name,
            mark: &self.mark,
            port,
            program: &keeper.program,
            programs: programs.as_deref(),
            environment: &keeper.environment,
        };
        let Some(launch) = launch(&self.spec, &place) else {
            let message = format!(
                "the template {} says no process to start",
                self.spec.template
            );
            return Err((Cause::Configuration, message));
        };
        prepare(&launch).map_err(|error| (Cause::Volume, error.message))?;
        let mut child = Command::new(&launch.program)
            .args(&launch.arguments)
            .env_clear()
            .envs(&launch.environment)
            .current_dir(&launch.folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                (
                    Cause::Configuration,
                    format!("cannot start {}: {error}", launch.program.display()),
                )
            })?;
        let pumps = Pumps::of(&mut child, log);
        Ok((child, port, pumps))
    }

    /// Returns once it holds more memory than it may.
    async fn exceeds(&self, pid: Option<i32>) {
        let begun = Instant::now();
        loop {
            // Most of what is taken is taken at the start, before it says that it is ready.
            tokio::time::sleep(MEMORY_PERIOD.min(begun.elapsed() / 4 + MEMORY_FIRST)).await;
            let limit = self.spec.resources.memory_limit;
            let look = move || pid.is_some_and(|pid| members::exceed(&members::tree(pid), limit));
            if limit > 0 && tokio::task::spawn_blocking(look).await.unwrap_or(false) {
                return;
            }
        }
    }

    /// Waits until its sessions have ended, it has, or the time for that is over; `kills` is how often
    /// it was to end at once before it was started.
    async fn drain(&self, child: &mut Child, port: u16, kills: u64) {
        self.keeper.instance(&self.name, |state| {
            state.phase = Phase::Ending;
            state.ready = false;
        });
        let empty = async {
            while self.sessions(port).await > 0 {
                tokio::time::sleep(DRAIN_PERIOD).await;
            }
        };
        let mut orders = self.orders.clone();
        // Whoever kept new sessions away before has waited for the present ones already.
        let deadline =
            self.keeper.cordoned_since() + Duration::from_secs(u64::from(self.spec.drain_seconds));
        tokio::select! {
            () = empty => {}
            _ = child.wait() => {}
            _ = killed(&mut orders, kills) => {}
            () = tokio::time::sleep_until(deadline) => {
                let open = self.sessions(port).await;
                if open > 0 {
                    self.keeper.warn(&self.name, "DrainedOut", &format!("{open} sessions are still open and are ended"));
                }
            }
        }
    }

    /// Its open sessions: by its own page, else as the front sees them.
    async fn sessions(&self, port: u16) -> usize {
        let seen = self.keeper.front.sessions(Some(&self.name));
        let Some(sessions) = &self.spec.sessions else {
            return seen;
        };
        let Ok(page) = look(port, &sessions.path).await else {
            return seen;
        };
        serde_json::from_slice::<serde_json::Value>(&page.body)
            .ok()
            .and_then(|page| page.pointer(&sessions.pointer)?.as_u64())
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(seen)
    }

    /// A signal to its process group, then the grace period.
    async fn finish(&self, child: &mut Child, pid: Option<i32>, kills: u64) {
        self.keeper
            .instance(&self.name, |state| state.ready = false);
        // Until the child is waited for, its number is not given to another program.
        if let (Some(pid), Ok(None)) = (pid, child.try_wait()) {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let grace = Duration::from_secs(u64::from(self.spec.grace_seconds));
        let mut orders = self.orders.clone();
        tokio::select! {
            _ = child.wait() => {}
            _ = killed(&mut orders, kills) => {}
            () = tokio::time::sleep(grace) => {
                let message = format!("did not end within {} s and is killed", grace.as_secs());
                self.keeper.warn(&self.name, "Killing", &message);
            }
        }
    }

    /// Makes sure that nothing of the run is left.
    async fn clear(&self, child: &mut Child, pid: Option<i32>, at_once: bool) {
        let leader = matches!(child.try_wait(), Ok(None))
            .then_some(pid)
            .flatten();
        let left = members::members(&self.mark, leader);
        if at_once || leader.is_some() {
            members::signal(&left, Signal::SIGKILL);
        } else if !left.is_empty() {
            end(&left, LEFT_OVER).await;
        }
        let _ = child.wait().await;
    }
}

/// Ends processes: a signal, then so much time, then for good.
pub async fn end(left: &[Member], grace: Duration) {
    members::signal(left, Signal::SIGTERM);
    let begun = Instant::now();
    while begun.elapsed() < grace && left.iter().any(members::alive) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    members::signal(left, Signal::SIGKILL);
}

/// Returns with the order to end; its `kills` is 0 unless it is to end at once.
async fn told(orders: &mut watch::Receiver<Order>, kills: u64) -> Order {
    loop {
        let order = *orders.borrow_and_update();
        if order.kills > kills {
            return order;
        }
        if order.end || orders.changed().await.is_err() {
            return Order {
                end: true,
                kills: 0,
            };
        }
    }
}

async fn killed(orders: &mut watch::Receiver<Order>, kills: u64) {
    let more = orders.wait_for(|order| order.kills > kills).await.is_ok();
    if !more {
        std::future::pending::<()>().await;
    }
}

fn ended(status: std::io::Result<ExitStatus>, last: &str, begun: Instant) -> End {
    let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    let said = if last.is_empty() {
        String::new()
    } else {
        format!(", after writing {last:?}")
    };
    End::Failed(
        Cause::Exited,
        format!("ended with {how}{said}"),
        begun.elapsed(),
    )
}

/// What carries its output into the log.
struct Pumps {
    last: Arc<Mutex<String>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Pumps {
    fn of(child: &mut Child, log: &Arc<Log>) -> Pumps {
        let last = Arc::new(Mutex::new(String::new()));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let stdout = stdout.map(|it| tokio::spawn(pump(it, log.clone(), last.clone())));
        let stderr = stderr.map(|it| tokio::spawn(pump(it, log.clone(), last.clone())));
        let tasks = stdout.into_iter().chain(stderr).collect();
        Pumps { last, tasks }
    }

    /// The last line that it wrote before it ended. A process that it left behind may hold its output
    /// open for as long as it likes.
    async fn last(self) -> String {
        let all = futures::future::join_all(self.tasks);
        let _ = tokio::time::timeout(LAST_WORDS, all).await;
        self.last
            .lock()
            .map(|last| last.clone())
            .unwrap_or_default()
    }
}

/// Copies what it writes into the log, and keeps the last line.
async fn pump(stream: impl AsyncRead + Unpin, log: Arc<Log>, last: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    // A line without end is logged in parts.
    while let Ok(length) = (&mut lines)
        .take(LINE_LIMIT)
        .read_until(b'\n', &mut line)
        .await
    {
        if length == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        log.line(text);
        if let (Ok(mut last), false) = (last.lock(), text.trim().is_empty()) {
            *last = log.redact(&text.chars().take(300).collect::<String>());
        }
        line.clear();
    }
}

fn prepare(launch: &Launch) -> Result<()> {
    for folder in &launch.folders {
        make_folder(folder)?;
    }
    for (path, text) in &launch.files {
        make_folder(path.parent().unwrap_or(Path::new("/")))?;
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed(path, &error))?;
    }
    Ok(())
}

/// A port that is free at the moment; another one is taken at the next start if it is not any more.
fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}
