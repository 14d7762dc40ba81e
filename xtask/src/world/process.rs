//! Running other programs: the only place that starts a process.
//!
//! A command's output is captured; it is shown only when the command fails or
//! with `--verbose`. Standard input is empty: no tool we call may ask a question.

mod failure;
mod follow;
pub mod stream;
pub mod table;
mod variable;

use std::io::Read;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::interrupt::{Interrupt, Signal, send, send_one};
use super::terminal::Format;
use super::{World, secret};
use crate::doctor;
use crate::error::{Error, Result};
use crate::github::command;
use variable::Variable;

/// A program call that has not started yet.
#[derive(Debug)]
pub struct Command<'world> {
    world: &'world World,
    program: String,
    arguments: Vec<String>,
    directory: Utf8PathBuf,
    variables: Vec<(String, Variable)>,
    inherited: Option<&'static [&'static str]>,
    /// How the names of the credentials begin that it may have.
    credentials: &'static [&'static str],
    timeout: Duration,
    purpose: Option<String>,
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// What it wrote to standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

/// Where a program's output goes.
#[derive(Debug)]
enum Pipes {
    /// Into memory.
    Captured,
    /// To the user, as it comes.
    Shown,
    /// Both into one pipe, in the order of the program.
    Joined(std::io::PipeWriter),
}

/// What names the folder for temporary files, on Unix and on Windows.
const TEMPORARY: [&str; 3] = ["TMPDIR", "TEMP", "TMP"];

/// No call may hang for ever; a cold `pip install` on a slow line stays well below.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

impl<'world> Command<'world> {
    pub(super) fn new(world: &'world World, program: &str) -> Command<'world> {
        Command {
            world,
            program: program.to_owned(),
            arguments: Vec::new(),
            directory: world.root.clone(),
            variables: Vec::new(),
            inherited: None,
            credentials: &[],
            timeout: DEFAULT_TIMEOUT,
            purpose: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<str>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    /// Runs in this folder instead of the repository root.
    #[must_use]
    pub fn directory(mut self, directory: impl AsRef<Utf8Path>) -> Self {
        directory.as_ref().clone_into(&mut self.directory);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let value = Variable::Set(value.as_ref().to_owned());
        self.variables.push((name.as_ref().to_owned(), value));
        self
    }

    /// Sets an environment variable whose value is shown nowhere.
    #[must_use]
    pub fn secret(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let value = Variable::Secret(value.as_ref().to_owned());
        self.variables.push((name.as_ref().to_owned(), value));
        self
    }

    /// Removes an environment variable that the caller of the tool may have set.
    #[must_use]
    pub fn without_variable(mut self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref().to_owned();
        self.variables.push((name, Variable::Removed));
        self
    }

    /// Passes on only these variables of the caller's environment.
    #[must_use]
    pub fn inherit_only(mut self, names: &'static [&'static str]) -> Self {
        self.inherited = Some(names);
        self
    }

    /// Passes on the caller's credentials whose names begin so. No program gets one that it does not
    /// need: most run code of somebody else.
    #[must_use]
    pub fn with_credentials(mut self, names: &'static [&'static str]) -> Self {
        self.credentials = names;
        self
    }

    /// Ends the program after this long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Says what the call is for; a failure then begins with it.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// The call as a line that can be pasted into a POSIX shell, which must know the secrets.
    pub fn line(&self) -> String {
        let mut line = String::new();
        if self.directory != self.world.directory {
            line.push_str("cd ");
            line.push_str(&quote(self.directory.as_str()));
            line.push_str(" && ");
        }
        if let Some(names) = self.inherited {
            line.push_str("env -i ");
            for name in names {
                if self.world.environment.contains_key(*name) {
                    line.push_str(&format!("{name}=\"${name}\" "));
                }
            }
        }
        let set = |name: &String| self.world.environment.contains_key(name);
        let removed = self
            .variables
            .iter()
            .filter(|(name, value)| matches!(value, Variable::Removed) && set(name));
        let removed: Vec<String> = removed.map(|(name, _)| format!("-u {name}")).collect();
        if !removed.is_empty() {
            line.push_str(&format!("env {} ", removed.join(" ")));
        }
        for (name, value) in &self.variables {
            match value {
                Variable::Set(value) => {
                    line.push_str(&format!("{name}={} ", self.shown(name, value)));
                }
                Variable::Secret(_) => line.push_str(&format!("{name}=\"${name}\" ")),
                Variable::Removed => {}
            }
        }
        line.push_str(&quote(&self.program));
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(&quote(argument));
        }
        line
    }

    /// A variable's value in a shell; what was there before is not spelled out again.
    fn shown(&self, name: &str, value: &str) -> String {
        let before = self
            .world
            .environment
            .get(name)
            .filter(|before| !before.is_empty());
        match before.and_then(|before| value.strip_suffix(before.as_str())) {
            Some(added) if !added.is_empty() => format!("{}\"${name}\"", quote(added)),
            _ => quote(value),
        }
    }

    /// Runs to the end and requires success.
    ///
    /// # Errors
    /// The program is missing, ends with another code than 0, takes too long, or the run is
    /// interrupted. The error carries the last lines the program wrote.
    pub fn run(self) -> Result<Output> {
        let (line, what) = (self.line(), self.what());
        let output = self.output()?;
        if output.status.success() {
            return Ok(output);
        }
        Err(failure::of(&what, &line, &output))
    }

    /// Runs to the end with its output going straight to the user's terminal (to standard error
    /// when standard output belongs to a machine format), and requires success.
    ///
    /// # Errors
    /// As [`Command::run`].
    pub fn show(self) -> Result<()> {
        let (line, what) = (self.line(), self.what());
        let status = self.show_status()?;
        if status.success() {
            return Ok(());
        }
        Err(Error::failure(format!("{what} failed ({status}): {line}")))
    }

    /// As [`Command::show`], but an exit code other than 0 is a value.
    ///
    /// # Errors
    /// The program is missing or may not be run, or the run is interrupted.
    pub fn show_status(self) -> Result<ExitStatus> {
        let (line, what) = (self.line(), self.what());
        let terminal = &self.world.terminal;
        terminal.fold(&command::group(&what));
        let started = self.start(Stdio::null(), Pipes::Shown);
        let status = started.map(|mut running| (running.child.wait(), running));
        terminal.fold(command::END_OF_GROUP);
        let (status, mut running) = status?;
        running.ended = true;
        let status = status.map_err(|cause| Error::failure(format!("wait for {line}: {cause}")))?;
        if running.interrupt.requested() {
            return Err(Error::interrupted());
        }
        Ok(status)
    }

    /// Runs to the end, whatever the exit code.
    ///
    /// # Errors
    /// As [`Command::run`], but an exit code other than 0 is a value.
    pub fn output(self) -> Result<Output> {
        let timeout = self.timeout;
        let line = self.line();
        self.spawn()?.wait(timeout, &line)
    }

    /// Runs to the end with this text on its standard input, whatever the exit code.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_with_input(self, input: &str) -> Result<Output> {
        let timeout = self.timeout;
        let line = self.line();
        let mut running = self.spawn_with_input()?;
        if let Some(mut pipe) = running.child.stdin.take() {
            // One that ends without reading is known by its exit code.
            drop(std::io::Write::write_all(&mut pipe, input.as_bytes()));
        }
        running.wait(timeout, &line)
    }

    /// Starts the program with piped output and returns at once.
    ///
    /// # Errors
    /// The program is missing or may not be run, or the run is interrupted.
    pub fn spawn(self) -> Result<Running> {
        self.start(Stdio::null(), Pipes::Captured)
    }

    /// Starts the program with piped input and output and returns at once.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub fn spawn_with_input(self) -> Result<Running> {
        self.start(Stdio::piped(), Pipes::Captured)
    }

    fn inherited_variables(&self) -> impl Iterator<Item = (&String, &String)> {
        let passed = |name: &str| self.inherited.is_none_or(|names| names.contains(&name));
        let may = |name: &str| {
            !secret::is_credential(name)
                || self.inherited.is_some_and(|names| names.contains(&name))
                || self.credentials.iter().any(|start| name.starts_with(start))
        };
        let environment = self.world.environment.iter();
        environment.filter(move |(name, _)| passed(name) && may(name))
    }

    fn what(&self) -> String {
        self.purpose.clone().unwrap_or_else(|| {
            let name = Utf8Path::new(&self.program).file_name();
            name.unwrap_or(&self.program).to_owned()
        })
    }

    fn start(self, input: Stdio, pipes: Pipes) -> Result<Running> {
        self.world.check_interrupted()?;
        self.world.terminal.command(&self.line());
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that starts a process"
        )]
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.inherited_variables())
            .stdin(input);
        match pipes {
            Pipes::Captured => command.stdout(Stdio::piped()).stderr(Stdio::piped()),
            Pipes::Shown if self.world.terminal.format == Format::Text => &mut command,
            Pipes::Shown => command.stdout(std::io::stderr()),
            Pipes::Joined(pipe) => match pipe.try_clone() {
                Ok(copy) => command.stdout(copy).stderr(pipe),
                Err(cause) => return Err(self.cannot_start(&cause)),
            },
        };
        if let Some(folder) = self.world.temporary.folder() {
            command.envs(TEMPORARY.map(|name| (name, folder.as_str())));
        }
        for (name, value) in &self.variables {
            match value {
                Variable::Set(value) | Variable::Secret(value) => command.env(name, value),
                Variable::Removed => command.env_remove(name),
            };
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|cause| self.cannot_start(&cause))?;
        self.world.interrupt.register(child.id());
        Ok(Running {
            child,
            interrupt: self.world.interrupt.clone(),
            ended: false,
        })
    }

    fn cannot_start(&self, cause: &std::io::Error) -> Error {
        let program = &self.program;
        if cause.kind() == std::io::ErrorKind::NotFound && self.directory.is_dir() {
            let error = Error::precondition(format!("{program} is not installed or not on PATH"));
            let error = match doctor::TOOLS.iter().find(|tool| tool.name == program) {
                Some(tool) => error.hint(format!(
                    "install {program} {} or newer: {}",
                    tool.minimum, tool.remedy
                )),
                None => error,
            };
            return error.hint("`cargo xtask doctor` lists what is needed and how to get it");
        }
        Error::failure(format!("start {program} in {}: {cause}", self.directory))
    }
}

/// A program that has been started. Dropping it ends its whole process group.
#[derive(Debug)]
pub struct Running {
    /// The operating system's handle; its pipes may be taken.
    pub child: Child,
    interrupt: Interrupt,
    ended: bool,
}

impl Running {
    /// The process id, which is also the id of its process group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Signals the whole group.
    pub fn signal(&self, signal: Signal) {
        send(self.id(), signal);
    }

    /// Signals the leader alone, as a container engine or a supervisor does.
    pub fn signal_leader(&self, signal: Signal) {
        if !self.ended {
            send_one(self.id(), signal);
        }
    }

    /// Whether the leader has ended, and how; does not wait.
    ///
    /// # Errors
    /// The operating system cannot say.
    pub fn poll(&mut self) -> Result<Option<ExitStatus>> {
        let status = self
            .child
            .try_wait()
            .map_err(|cause| Error::failure(format!("wait for process {}: {cause}", self.id())))?;
        self.ended |= status.is_some();
        Ok(status)
    }

    /// Reads everything and waits for the end; `line` names the program in errors.
    fn wait(mut self, timeout: Duration, line: &str) -> Result<Output> {
        let stdout = read_all(self.child.stdout.take());
        let stderr = read_all(self.child.stderr.take());
        let deadline = std::time::Instant::now() + timeout;
        let mut texts = [String::new(), String::new()];
        for (text, receiver) in texts.iter_mut().zip([stdout, stderr]) {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            match receiver.recv_timeout(left) {
                Ok(received) => *text = received,
                Err(_) => {
                    self.signal(Signal::Kill);
                    return Err(Error::failure(format!(
                        "no end after {} s, so it was stopped: {line}",
                        timeout.as_secs()
                    )));
                }
            }
        }
        let status = self
            .child
            .wait()
            .map_err(|cause| Error::failure(format!("wait for {line}: {cause}")))?;
        self.ended = true;
        if self.interrupt.requested() {
            return Err(Error::interrupted());
        }
        let [stdout, stderr] = texts;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.signal(Signal::Kill);
            // Nothing more can be done about a process that cannot even be waited for.
            drop(self.child.kill());
            drop(self.child.wait());
        }
        self.interrupt.forget(self.id());
    }
}

fn read_all<R: Read + Send + 'static>(pipe: Option<R>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that breaks means the program has ended; what came before counts.
            drop(pipe.read_to_end(&mut bytes));
        }
        // The receiver is gone only after a time-out, when nobody wants the text any more.
        drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
    });
    receiver
}

/// Quotes a word for a POSIX shell when it needs it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
