//! A server under proof: started from its environment, watched, stopped, and cleared away
//! with all it has started.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::{Checked, Failure, Subject};
use crate::artifact::Digest;
use crate::config::Launch;
use crate::error::{Error, Result};
use crate::world::World;
use crate::world::interrupt::{Signal, send_one};
use crate::world::process::stream::{Next, Streams};
use crate::world::process::table::{self, Process};
use crate::world::process::{Command, Running};

/// The variable by which everything a server starts is known again.
const MARKER: &str = "XTASK_PROVE";

/// What a server inherits of the caller's environment. Everything else is left out, so that a
/// module, a setting or a token of the person who runs the proof cannot stand in for
/// something the wheel lacks.
const INHERITED: &[&str] = &[
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "COMSPEC",
    "PATHEXT",
];

/// How often the system is asked again while something is awaited.
pub const PAUSE: Duration = Duration::from_millis(15);

/// What stands for `{host}`, `{port}` and `{token}`.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// The address the server is to listen on.
    pub address: Option<SocketAddr>,
    /// The token the server is to ask for.
    pub token: String,
}

impl Filling {
    /// A token nobody knows, new for each server.
    pub fn new(address: Option<SocketAddr>) -> Filling {
        Filling {
            address,
            token: random_digits(),
        }
    }

    fn fill(&self, text: &str) -> String {
        match self.address {
            None => text.to_owned(),
            Some(address) => text
                .replace("{host}", &address.ip().to_string())
                .replace("{port}", &address.port().to_string()),
        }
    }

    /// Sets a variable; one that holds the token is a secret. Arguments never hold it, because
    /// everybody on the machine can read them.
    fn set<'world>(&self, command: Command<'world>, name: &str, text: &str) -> Command<'world> {
        let value = self.fill(text);
        if value.contains("{token}") {
            command.secret(name, value.replace("{token}", &self.token))
        } else {
            command.variable(name, value)
        }
    }
}

/// 64 hexadecimal digits from the random keys the standard library gives its hash tables.
fn random_digits() -> String {
    use std::hash::{BuildHasher, RandomState};
    let keys = [(); 4].map(|()| RandomState::new().hash_one(0_u8).to_le_bytes());
    Digest::of(&keys.concat()).hex().to_owned()
}

/// A running server.
#[derive(Debug)]
pub struct Server<'world> {
    /// Its pipes.
    pub streams: Streams,
    world: &'world World,
    running: Running,
    transport: &'static str,
    marker: String,
    known: Vec<Process>,
}

impl<'world> Server<'world> {
    /// Starts the console script with an environment of its own: a new home, a new working
    /// folder, and of the caller's variables only the few every program needs.
    ///
    /// # Errors
    /// It cannot be started, or the run is interrupted.
    pub fn start(
        subject: &Subject<'world>,
        transport: &'static str,
        launch: &Launch,
        filling: &Filling,
    ) -> Result<Server<'world>> {
        let marker = random_digits();
        let home = subject.environment.new_home()?;
        let mut command: Command = subject
            .world
            .command(&subject.program)
            .inherit_only(INHERITED)
            .directory(&home)
            .args(launch.arguments.iter().map(|word| filling.fill(word)));
        for name in ["HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"] {
            command = command.variable(name, &home);
        }
        for (name, value) in &launch.environment {
            command = filling.set(command, name, value);
        }
        let mut running = command.variable(MARKER, &marker).spawn_with_input()?;
        Ok(Server {
            streams: running.streams(),
            world: subject.world,
            running,
            transport,
            marker: format!("{MARKER}={marker}"),
            known: Vec::new(),
        })
    }

    /// The server and everything it has started, as far as the system tells.
    pub fn family(&mut self) -> Vec<Process> {
        let family = table::family(self.running.id(), &self.marker);
        for process in &family {
            if !self.known.contains(process) {
                self.known.push(process.clone());
            }
        }
        family
    }

    /// Where the server, or anything it has started, listens.
    pub fn listeners(&mut self) -> Vec<SocketAddr> {
        table::listeners(&self.family())
    }

    /// Whether the server has ended, and how.
    ///
    /// # Errors
    /// The system cannot say, or the run is interrupted.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.world.check_interrupted()?;
        self.running.poll()
    }

    /// What is wrong with a server that did not answer: it has ended, or it is silent.
    ///
    /// # Errors
    /// The run is interrupted; then nothing is wrong with the server.
    pub fn silence(&mut self, check: &str, awaited: &str, limit: Duration) -> Result<Failure> {
        // A server whose pipes have closed is about to end; so is one that resets connections.
        let deadline = Instant::now() + Duration::from_millis(500);
        let mut status = self.ended()?;
        while status.is_none() && Instant::now() < deadline {
            std::thread::sleep(PAUSE);
            status = self.ended()?;
        }
        let name = self.transport;
        let (what, errors) = match status {
            Some(status) => (
                format!("the server ended ({status}) before {awaited}"),
                self.streams.final_errors(),
            ),
            None => (
                format!(
                    "the server is silent: {} s without {awaited}",
                    limit.as_secs()
                ),
                self.streams.last_errors(),
            ),
        };
        let mut error = Error::refused(format!("over {name}: {what}{}", quoted(&errors)));
        error = match missing_module(&errors) {
            Some(module) => error.hint(format!(
                "declare the distribution that provides {module} as a dependency and lock anew"
            )),
            None if status.is_some() => error.hint(format!(
                "mend what ended it, or the arguments and environment under [prove.{name}]"
            )),
            None => error.hint("if it only needs longer, raise `start-seconds` under [prove]"),
        };
        Ok(Failure::new(format!("{name}-{check}"), error))
    }

    /// Asks the server to end by SIGTERM and requires that it and all it has started are gone
    /// within `limit`. Every line it still prints goes to `judge`. Returns how it ended.
    ///
    /// # Errors
    /// It keeps running, ends with an error, leaves a process behind, or prints what it must
    /// not.
    pub fn stop(
        &mut self,
        limit: Duration,
        judge: &mut dyn FnMut(&[u8]) -> Checked<()>,
    ) -> Checked<String> {
        self.family();
        let deadline = Instant::now() + limit;
        self.running.signal_leader(Signal::Terminate);
        let status = loop {
            if let Some(status) = self.ended()? {
                break status;
            }
            if Instant::now() >= deadline {
                return Err(self.ignores(limit));
            }
            match self.streams.next(Instant::now() + PAUSE) {
                Next::Line(line) => judge(&line)?,
                Next::Silence => {}
                Next::End => std::thread::sleep(PAUSE),
            }
        };
        let how = self.judge_end(status)?;
        self.require_nothing_left(deadline, limit)?;
        // All that held the pipe is gone, so that its end comes at once.
        while let Next::Line(line) = self.streams.next(Instant::now() + Duration::from_secs(1)) {
            judge(&line)?;
        }
        Ok(how)
    }

    /// Waits for an end without asking for one, as after the input was closed.
    ///
    /// # Errors
    /// The system cannot say, or the run is interrupted.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            let status = self.ended()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn ignores(&self, limit: Duration) -> Failure {
        let errors = self.streams.last_errors();
        let error = Error::refused(format!(
            "over {}: the server still runs {} s after SIGTERM{}",
            self.transport,
            limit.as_secs(),
            quoted(&errors)
        ))
        .hint("end on SIGTERM: close connections, stop children, then exit")
        .hint("if it only needs longer, raise `stop-seconds` under [prove]");
        self.failure("stop", error)
    }

    fn judge_end(&self, status: ExitStatus) -> Checked<String> {
        if status.success() {
            return Ok("exit code 0 after SIGTERM".to_owned());
        }
        if died_of_sigterm(status) {
            return Ok("ended by SIGTERM".to_owned());
        }
        let errors = self.streams.final_errors();
        let error = Error::refused(format!(
            "over {}: SIGTERM made the server fail ({status}){}",
            self.transport,
            quoted(&errors)
        ))
        .hint("handle SIGTERM and end with exit code 0, or leave the signal its default effect");
        Err(self.failure("stop", error))
    }

    fn require_nothing_left(&mut self, deadline: Instant, limit: Duration) -> Checked<()> {
        loop {
            let mut left = table::family(self.running.id(), &self.marker);
            left.extend(self.known.iter().filter(|it| table::is_alive(it)).cloned());
            if left.is_empty() {
                return Ok(());
            }
            self.world.check_interrupted()?;
            if Instant::now() >= deadline {
                left.sort_by_key(|process| process.id);
                left.dedup();
                let commands: Vec<String> = left
                    .iter()
                    .map(|process| super::shorten(&process.command))
                    .collect();
                let error = Error::refused(format!(
                    "over {}: {} s after SIGTERM the server has ended, but left behind:{}",
                    self.transport,
                    limit.as_secs(),
                    quoted(&commands)
                ))
                .hint("end every process the server starts, before or as it ends");
                return Err(self.failure("children", error));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn failure(&self, check: &str, error: Error) -> Failure {
        Failure::new(format!("{}-{check}", self.transport), error)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // Those that left the process group are found by their marker and ended one by one;
        // the group itself ends with `running`.
        self.family();
        let leader = self.running.id();
        let others = || {
            let others = self.known.iter().filter(|process| process.id != leader);
            others.filter(|process| table::is_alive(process))
        };
        for process in others() {
            send_one(process.id, Signal::Kill);
        }
        // The system takes a moment to clear a killed process away.
        let deadline = Instant::now() + Duration::from_secs(2);
        while others().next().is_some() && Instant::now() < deadline {
            std::thread::sleep(PAUSE);
        }
    }
}

#[cfg(unix)]
fn died_of_sigterm(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGTERM: i32 = 15;
    // A shell reports the death of its child as 128 plus the signal's number.
    status.signal() == Some(SIGTERM) || status.code() == Some(128 + SIGTERM)
}

#[cfg(not(unix))]
fn died_of_sigterm(_status: ExitStatus) -> bool {
    false
}

/// Lines quoted below a message; nothing when there are none.
pub fn quoted(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n    | {line}")).collect()
}

/// The module of the last `ModuleNotFoundError: No module named 'x'`.
fn missing_module(lines: &[String]) -> Option<&str> {
    let line = lines.iter().rev().find_map(|line| {
        line.strip_prefix("ModuleNotFoundError: No module named ")
            .map(str::trim)
    })?;
    Some(line.trim_matches('\''))
}
