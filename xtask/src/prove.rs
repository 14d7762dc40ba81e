//! The proof that one exact wheel works where it has never been before: installed with its
//! hash-locked requirements into a fresh environment, started by its console script, spoken
//! to as a client speaks, stopped as a supervisor stops.
//!
//! What holds becomes evidence that reads the same on every run: no times, ports, process ids
//! or temporary paths. What does not hold is refused with its own message (exit code 6);
//! being unable to try (no network, no Python) is a precondition (exit code 5).

mod conversation;
mod environment;
mod http;
mod imports;
mod message;
mod pip;
mod server;
mod sockets;
mod stdio;

pub use environment::{Environment, PREFIX, Prepared, WheelFacts, install, sweep};
pub use imports::examine as imports;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::{Check, Digest};
use crate::config::{Config, Launch, Prove};
use crate::error::{Error, Kind, Result};
use crate::world::World;

/// Raised whenever the proof asks for more, so that older evidence is not taken for newer.
pub const REVISION: &str = "2";

/// The digest of the settings a proof depends on: `[prove]` and the script it starts.
pub fn settings(config: &Config) -> Digest {
    let script = &config.server.console_script;
    let extras = &config.server.extras;
    // Every field of these types is in their debug form, so that no later one is forgotten.
    Digest::of(format!("{script:?} {extras:?} {:?}", config.prove).as_bytes())
}

/// A check that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The check's name; empty when nothing was checked because something else went wrong.
    pub check: String,
    /// Why, and what to do.
    pub error: Error,
}

/// A value, or the check that does not hold.
pub type Checked<T> = std::result::Result<T, Failure>;

impl Failure {
    fn new(check: impl Into<String>, error: Error) -> Failure {
        Failure {
            check: check.into(),
            error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::new("", error)
    }
}

/// The installed server and what is asked of it.
#[derive(Debug)]
struct Subject<'world> {
    world: &'world World,
    environment: &'world Environment,
    program: Utf8PathBuf,
    prove: &'world Prove,
}

impl Subject<'_> {
    /// How long the server may take to start, and for each answer.
    fn answer_limit(&self) -> Duration {
        Duration::from_secs(self.prove.start_seconds)
    }

    /// How long the server, and all it has started, may take to end.
    fn stop_limit(&self) -> Duration {
        Duration::from_secs(self.prove.stop_seconds)
    }
}

/// The checks of one group that held so far.
#[derive(Debug, Default)]
pub struct Record {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// The names of the server's tools, sorted, once it has listed them.
    pub tools: Vec<String>,
}

impl Record {
    fn hold(&mut self, name: impl Into<String>, detail: impl Into<String>) {
        self.checks.push(Check {
            name: name.into(),
            detail: detail.into(),
        });
    }
}

/// All that was found out about a wheel.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What holds, in a fixed order.
    pub checks: Vec<Check>,
    /// What does not; at most one for each transport and one for the imports.
    pub failures: Vec<Failure>,
    /// The names of the tools, sorted: those that the server lists over stdio, or over HTTP when
    /// it has no other transport.
    pub tools: Vec<String>,
}

impl Outcome {
    /// The evidence, when everything held.
    ///
    /// # Errors
    /// All failures in one error.
    pub fn into_checks(self) -> Result<Vec<Check>> {
        if self.failures.is_empty() {
            return Ok(self.checks);
        }
        let messages: Vec<&str> = self
            .failures
            .iter()
            .map(|failure| failure.error.message.as_str())
            .collect();
        let mut error = Error::refused(messages.join("\n       "));
        for hint in self.failures.iter().flat_map(|it| &it.error.hints) {
            if !error.hints.contains(hint) {
                error = error.hint(hint);
            }
        }
        Err(error)
    }
}

/// Installs a wheel with its requirements and tries it; what does not hold is a value.
///
/// `python` is an interpreter, 3.10 or later, for the fresh environment. The caller has made
/// sure that the two files are the right ones.
///
/// # Errors
/// Nothing could be tried: the configuration names no transport, Python or the network is
/// missing, or the run is interrupted.
pub fn examine(
    world: &World,
    config: &Config,
    wheel: &Utf8Path,
    requirements: &Utf8Path,
    python: &Utf8Path,
) -> Result<Outcome> {
    require_transport(config)?;
    let prepared = prepare(world, requirements, python)?;
    examine_prepared(world, config, prepared, wheel)
}

/// Makes the fresh environment that a wheel will be installed into; see
/// [`environment::prepare`].
///
/// # Errors
/// Python is missing or cannot make an environment.
pub fn prepare(world: &World, requirements: &Utf8Path, python: &Utf8Path) -> Result<Prepared> {
    let _step = world.terminal.step(
        "prove",
        "installing the requirements in a fresh environment",
    );
    environment::prepare(world, requirements, python)
}

/// As [`examine`], in an environment that is prepared already.
///
/// # Errors
/// As [`examine`].
pub fn examine_prepared(
    world: &World,
    config: &Config,
    prepared: Prepared,
    wheel: &Utf8Path,
) -> Result<Outcome> {
    require_transport(config)?;
    let step = world.terminal.step("prove", "installing the wheel");
    let script = &config.server.console_script;
    let environment = match prepared.install(world, script, wheel) {
        Ok(environment) => environment,
        Err(error) => return refused_or(error, "install"),
    };
    let installed = installed(&environment);
    step.done(&installed.detail);
    let mut outcome = examine_installed(world, config, &environment)?;
    outcome.checks.insert(0, installed);
    Ok(outcome)
}

/// Proves what has been installed already: its imports and, side by side, each transport.
///
/// # Errors
/// As [`examine`].
pub fn examine_installed(
    world: &World,
    config: &Config,
    environment: &Environment,
) -> Result<Outcome> {
    require_transport(config)?;
    let subject = Subject {
        world,
        environment,
        program: environment.script(&config.server.console_script)?,
        prove: &config.prove,
    };
    let subject = &subject;
    let step = world.terminal.step("prove", "asking the server");
    let (imports, stdio, http) = std::thread::scope(|scope| {
        let stdio = subject.prove.stdio.as_ref();
        let stdio =
            stdio.map(|launch| scope.spawn(|| group(|it| stdio::prove(subject, launch, it))));
        let http = subject.prove.http.as_ref();
        let http = http.map(|http| scope.spawn(|| group(|it| http::prove(subject, http, it))));
        let imports = group(|record| imports::examine(world, config, environment, record));
        let joined = |group: std::thread::ScopedJoinHandle<'_, Group>| {
            group
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        (imports, stdio.map(joined), http.map(joined))
    });
    drop(step);
    world.check_interrupted()?;
    let mut outcome = Outcome::default();
    let groups = [("imports", Some(imports)), ("stdio", stdio), ("http", http)];
    for (name, group) in groups {
        let Some((record, failure)) = group else {
            continue;
        };
        report(world, name, &record, failure.as_ref());
        outcome.checks.extend(record.checks);
        if outcome.tools.is_empty() {
            outcome.tools = record.tools;
        }
        match failure {
            Some(failure) if failure.error.kind != Kind::Refused => return Err(failure.error),
            other => outcome.failures.extend(other),
        }
    }
    Ok(outcome)
}

/// A program that installs the server by itself and starts it, such as `uvx`.
#[derive(Debug, Clone)]
pub struct Runner {
    /// The program.
    pub program: Utf8PathBuf,
    /// Its arguments before those of the server.
    pub arguments: Vec<String>,
    /// What it needs in its environment.
    pub variables: Vec<(String, String)>,
    /// How long it may take to install.
    pub limit: Duration,
}

/// Starts the server through a program that installs it, and speaks MCP to it over stdio. Says
/// what answered.
///
/// # Errors
/// It does not start, or does not answer as a server does.
pub fn through(
    world: &World,
    config: &Config,
    environment: &Environment,
    runner: &Runner,
) -> Result<String> {
    let Some(stdio) = &config.prove.stdio else {
        return Ok("not asked: the server has no stdio".to_owned());
    };
    let subject = Subject {
        world,
        environment,
        program: runner.program.clone(),
        prove: &config.prove,
    };
    let launch = Launch {
        arguments: [runner.arguments.clone(), stdio.arguments.clone()].concat(),
        environment: [stdio.environment.clone(), runner.variables.clone()].concat(),
    };
    stdio::answers(&subject, &launch, runner.limit).map_err(|failure| failure.error)
}

type Group = (Record, Option<Failure>);

fn group(prove: impl FnOnce(&mut Record) -> Checked<()>) -> Group {
    let mut record = Record::default();
    let failure = prove(&mut record).err();
    (record, failure)
}

fn require_transport(config: &Config) -> Result<()> {
    if config.prove.stdio.is_none() && config.prove.http.is_none() {
        return Err(Error::usage(
            "release.toml: neither [prove.stdio] nor [prove.http] is there, so that nothing can \
             be proved",
        )
        .hint("add [prove.stdio] for a server that speaks MCP on its standard streams"));
    }
    Ok(())
}

fn refused_or(error: Error, check: &str) -> Result<Outcome> {
    if error.kind != Kind::Refused {
        return Err(error);
    }
    Ok(Outcome {
        failures: vec![Failure::new(check, error)],
        ..Outcome::default()
    })
}

fn installed(environment: &Environment) -> Check {
    let requirements = environment.requirements;
    Check {
        name: "install".to_owned(),
        detail: format!(
            "the wheel and {}",
            count(requirements, "hash-locked requirement")
        ),
    }
}

/// One line for each group, and one for each warning.
fn report(world: &World, group: &str, record: &Record, failure: Option<&Failure>) {
    let terminal = &world.terminal;
    let mut names = Vec::new();
    let mut headline = String::new();
    for check in &record.checks {
        let name = check.name.split_once('-').map_or("", |(_, name)| name);
        match check.detail.strip_prefix(WARNING) {
            Some(warning) => terminal.warn(&format!("{}: {warning}", check.name)),
            None if matches!(name, "" | "handshake") => headline = format!("{}; ", check.detail),
            None => names.push(name),
        }
    }
    match failure {
        Some(failure) => {
            let line = failure.error.message.lines().next().unwrap_or_default();
            terminal.failed("prove", &format!("{}: {line}", failure.check));
        }
        None => terminal.done(
            "prove",
            &format!("{group}: {headline}{} hold", names.join(", ")),
        ),
    }
}

/// How the detail of a check begins that holds, but not as well as it should.
const WARNING: &str = "warning: ";

/// A number of things as people write it.
fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// The beginning of a text somebody else wrote, on one line.
fn shorten(text: &str) -> String {
    const LIMIT: usize = 300;
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(LIMIT).map(visible).collect();
    if text.chars().nth(LIMIT).is_some() {
        short.push('…');
    }
    short
}
