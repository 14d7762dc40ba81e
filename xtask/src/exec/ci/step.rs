//! One step after the other: its condition, its variables, its script, and what it leaves.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use super::observe::values;
use super::report::{JobReport, Outcome, StepReport};
use super::{Session, emulate};
use crate::error::{Error, Kind, Result};
use crate::workflow::identity;
use crate::workflow::local::command::{Line, Output};
use crate::workflow::local::scope::{Scope, Standing};
use crate::workflow::local::{How, PlannedStep, plan, shell};
use crate::workflow::model::{Job, Script, Step, StepBody, Text};
use crate::world::{World, files};

/// What a job gets of this machine's environment: where programs, toolchains, package indexes and
/// advisories are, and nothing else.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "PYENV_ROOT",
    "NVM_DIR",
    "PIP_INDEX_URL",
    "PIP_CERT",
    "PIP_FIND_LINKS",
    "PIP_DEFAULT_TIMEOUT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_registry",
    "npm_config_cafile",
    "XTASK_TOOLS_DIR",
    "XTASK_DATABASE_DIR",
    "XTASK_OSV_BULK_URL",
    "XTASK_OSV_API_URL",
    "SystemRoot",
    "SYSTEMROOT",
    "ComSpec",
    "PATHEXT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramFiles",
    "ProgramData",
    "TEMP",
    "TMP",
    "windir",
];

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Well, with these outputs.
    Done(Vec<(String, String)>),
    /// Not well; why.
    Failed(String),
    /// Its condition does not hold.
    Skipped,
    /// Nothing here can do it; why.
    NotRun(String),
}

impl Ended {
    /// Well, without outputs.
    pub fn done() -> Ended {
        Ended::Done(Vec::new())
    }
}

/// What an action is given.
#[derive(Debug, Clone, Default)]
pub struct Inputs(pub Vec<(String, String)>);

impl Inputs {
    /// An input; case does not matter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A job as it runs.
pub struct JobRun<'run> {
    pub session: &'run Session<'run>,
    pub job: &'run Job,
    pub scope: Scope,
    /// The workflow's, the job's, and what steps have added.
    pub variables: BTreeMap<String, String>,
    /// What steps have put before PATH, the last first.
    pub path: Vec<String>,
    pub output: Output,
    pub report: JobReport,
    pub deadline: Instant,
    /// The outputs of the last script, also of one that failed.
    pub left: Vec<(String, String)>,
    pub count: usize,
}

impl<'run> JobRun<'run> {
    pub fn world(&self) -> &'run World {
        self.session.world
    }

    pub fn workspace(&self) -> &'run Utf8Path {
        &self.session.folders.workspace
    }

    /// What every process of the job has in its environment.
    pub fn marker(&self) -> String {
        format!("RUNNER_TRACKING_ID=github_{}", std::process::id())
    }

    /// Runs steps of a job or of an action; `file` is where they stand.
    pub fn steps(&mut self, file: &str, steps: &[Step]) -> Result<()> {
        for step in steps {
            self.world().check_interrupted()?;
            let session = self.session;
            let composite = |path: &str| session.actions.contains_key(path);
            let planned = plan::planned(step, &composite);
            self.output.next_step();
            self.left.clear();
            self.scope.put(
                "job",
                "status",
                match self.scope.standing {
                    Standing::Failure => "failure",
                    _ => "success",
                },
            );
            let ended = match self.attempt(file, step, &planned) {
                Ok(ended) => ended,
                Err(error) => match error.kind {
                    Kind::Failure | Kind::Usage => Ended::Failed(error.message),
                    Kind::Precondition => Ended::NotRun(error.message),
                    _ => return Err(error),
                },
            };
            self.conclude(file, step, &planned, ended)?;
        }
        Ok(())
    }

    fn attempt(&mut self, file: &str, step: &Step, planned: &PlannedStep) -> Result<Ended> {
        let mut variables = self.variables.clone();
        self.scope.set("env", json!(variables));
        let own = self.scope.texts(file, &step.variables)?;
        variables.extend(own);
        self.scope.set("env", json!(variables));
        if !self.scope.holds(file, step.condition.as_ref())? {
            return Ok(Ended::Skipped);
        }
        let name = self.output.masked(&planned.name);
        match (&planned.how, &step.body) {
            (How::LeftOut(why), _) => Ok(Ended::NotRun(why.clone())),
            (
                How::Run,
                StepBody::Run {
                    script,
                    shell,
                    working_directory,
                },
            ) => {
                self.world().terminal.pass_on(&format!("· {name}"));
                let folder = working_directory.as_ref().or(self.default_folder());
                let shell = shell.as_ref().or(self.default_shell());
                let minutes = step.timeout_minutes.as_ref();
                self.run((file, script), (shell, folder, minutes), &variables)
            }
            (How::Emulated(emulation), StepBody::Uses { action, with }) => {
                self.world()
                    .terminal
                    .pass_on(&format!("· {name}  ({})", emulation.words()));
                let inputs = Inputs(self.scope.texts(file, with)?);
                emulate::perform(self, *emulation, &action.value, &inputs)
            }
            _ => Ok(Ended::NotRun("neither a script nor an action".to_owned())),
        }
    }

    fn default_shell(&self) -> Option<&'run Text> {
        let workflow = &self.session.workflow;
        self.job
            .defaults
            .shell
            .as_ref()
            .or(workflow.defaults.shell.as_ref())
    }

    fn default_folder(&self) -> Option<&'run Text> {
        let workflow = &self.session.workflow;
        let job = self.job.defaults.working_directory.as_ref();
        job.or(workflow.defaults.working_directory.as_ref())
    }

    fn run(
        &mut self,
        (file, script): (&str, &Script),
        (shell, folder, minutes): (Option<&Text>, Option<&Text>, Option<&Text>),
        variables: &BTreeMap<String, String>,
    ) -> Result<Ended> {
        let text = Text::new(script.text.clone(), script.place);
        let text = self.scope.text(file, &text)?;
        let named = shell
            .map(|shell| self.scope.text(file, shell))
            .transpose()?;
        let system = self.session.machine.system;
        let shell = shell::find(named.as_deref(), system).map_err(Error::failure)?;
        let folder = match folder {
            Some(folder) => self.workspace().join(self.scope.text(file, folder)?),
            None => self.workspace().to_path_buf(),
        };
        if !folder.is_dir() {
            let shown = folder.strip_prefix(self.workspace()).unwrap_or(&folder);
            return Ok(Ended::Failed(format!(
                "the working directory {shown} is not there"
            )));
        }
        self.count += 1;
        let temporary = &self.session.folders.temporary;
        let path = temporary.join(format!("step-{}{}", self.count, shell.extension));
        let (before, after) = shell.frame;
        files::write(&path, format!("{before}{text}{after}").as_bytes())?;
        let mut timeout = self.deadline.saturating_duration_since(Instant::now());
        if let Some(minutes) = minutes {
            timeout = timeout.min(self::minutes(&self.scope.text(file, minutes)?, timeout));
        }
        let left = Left::new(temporary, self.count)?;
        let world = self.world();
        let arguments = shell
            .arguments
            .iter()
            .map(|word| word.replace("{0}", path.as_str()));
        let mut command = world
            .command(&shell.program)
            .args(arguments)
            .directory(&folder)
            .inherit_only(KEPT)
            .timeout(timeout);
        for (name, value) in self.environment(variables, &left) {
            // What a step is given may be a credential, so none of it is shown.
            command = command.secret(name, value);
        }
        let output = &mut self.output;
        let status = command.follow(&mut |line| match output.take(line) {
            Line::Text(text) => world.terminal.pass_on(&format!("  | {text}")),
            Line::Annotation(word, place, text) => {
                let place = if place.is_empty() {
                    place
                } else {
                    format!("{place}: ")
                };
                world
                    .terminal
                    .pass_on(&format!("  ! {word}: {place}{text}"));
            }
            Line::Silent => {}
        })?;
        let outputs = self.collect(&left)?;
        self.left.clone_from(&outputs);
        match status.code() {
            Some(0) => Ok(Ended::Done(outputs)),
            Some(code) => Ok(Ended::Failed(format!("exit code {code}"))),
            None => Ok(Ended::Failed(format!("ended by a signal ({status})"))),
        }
    }

    /// What a step's program finds in its environment.
    fn environment(
        &self,
        variables: &BTreeMap<String, String>,
        left: &Left,
    ) -> Vec<(String, String)> {
        let github = self.scope.contexts.get("github");
        let github = github.and_then(Value::as_object);
        let mut all: Vec<(String, String)> = vec![
            ("CI".to_owned(), "true".to_owned()),
            ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
        ];
        for (name, value) in github.into_iter().flatten() {
            if let (Value::String(text), false) = (value, name == "token") {
                all.push((format!("GITHUB_{}", name.to_uppercase()), text.clone()));
            }
        }
        let runner = self.scope.contexts.get("runner").and_then(Value::as_object);
        for (name, value) in runner.into_iter().flatten() {
            if let Value::String(text) = value {
                all.push((format!("RUNNER_{}", name.to_uppercase()), text.clone()));
            }
        }
        let marker = self.marker();
        all.extend(
            marker
                .split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let target = self.session.folders.target.to_string();
        all.push(("CARGO_TARGET_DIR".to_owned(), target));
        if identity::has(&self.session.workflow, self.job) {
            let service = self.session.identity.iter();
            all.extend(
                service.map(|(name, value)| ((*name).to_owned(), value.reveal().to_owned())),
            );
        }
        all.extend(left.variables());
        all.extend(variables.clone());
        let separator = if cfg!(windows) { ";" } else { ":" };
        let own = variables.get("PATH").map(String::as_str);
        let own = own.or(self.world().variable("PATH")).unwrap_or_default();
        let path: Vec<&str> = self
            .path
            .iter()
            .rev()
            .map(String::as_str)
            .chain([own])
            .collect();
        all.push(("PATH".to_owned(), path.join(separator)));
        all
    }

    /// Reads what the step left for those after it.
    fn collect(&mut self, left: &Left) -> Result<Vec<(String, String)>> {
        let named = |name: &str, error: Error| Error::failure(format!("{name}: {}", error.message));
        let added = values(&left.file("ENV")).map_err(|error| named("GITHUB_ENV", error))?;
        for (name, value) in added {
            if name.starts_with("GITHUB_") || name.starts_with("RUNNER_") {
                self.world()
                    .terminal
                    .warn(&format!("GITHUB_ENV cannot set {name}"));
                continue;
            }
            self.variables.insert(name, value);
        }
        let paths = files::read_text(&left.file("PATH"))?;
        let paths = paths.lines().filter(|line| !line.is_empty());
        self.path.extend(paths.map(str::to_owned));
        self.report
            .summary
            .push_str(&files::read_text(&left.file("STEP_SUMMARY"))?);
        let outputs =
            values(&left.file("OUTPUT")).map_err(|error| named("GITHUB_OUTPUT", error))?;
        let old = std::mem::take(&mut self.output.outputs);
        Ok(old.into_iter().chain(outputs).collect())
    }

    fn conclude(
        &mut self,
        file: &str,
        step: &Step,
        planned: &PlannedStep,
        ended: Ended,
    ) -> Result<()> {
        let terminal = &self.world().terminal;
        let tolerated = self.scope.flag(file, step.continue_on_error.as_ref())?;
        let name = self.output.masked(&planned.name);
        let (outcome, outputs, detail) = match ended {
            Ended::Done(outputs) => (Outcome::Success, outputs, None),
            Ended::Failed(why) => (
                Outcome::Failure,
                std::mem::take(&mut self.left),
                Some(self.output.masked(&why)),
            ),
            Ended::Skipped => (Outcome::Skipped, Vec::new(), None),
            Ended::NotRun(why) => (Outcome::NotRun, Vec::new(), Some(why)),
        };
        let shown = detail.as_deref().unwrap_or_default();
        match outcome {
            Outcome::Success => terminal.done("step", &name),
            Outcome::Failure if tolerated => {
                terminal.failed("step", &format!("{name}: {shown}; the job goes on"));
            }
            Outcome::Failure => terminal.failed("step", &format!("{name}: {shown}")),
            Outcome::Skipped => terminal.same("skipped", &name),
            Outcome::NotRun => terminal.same("not run", &format!("{name}: {shown}")),
        }
        let failed = outcome == Outcome::Failure && !tolerated;
        if failed {
            self.scope.standing = Standing::Failure;
        }
        if let Some(id) = &step.id {
            let (own, conclusion) = match (outcome, failed) {
                (Outcome::Skipped, _) => ("skipped", "skipped"),
                (Outcome::Failure, true) => ("failure", "failure"),
                (Outcome::Failure, false) => ("failure", "success"),
                _ => ("success", "success"),
            };
            let outputs: Map<String, Value> = outputs
                .into_iter()
                .map(|(name, value)| (name, json!(value)))
                .collect();
            let value = json!({ "outputs": outputs, "outcome": own, "conclusion": conclusion });
            self.scope.put("steps", &id.value, value);
        }
        self.report.steps.push(StepReport {
            name,
            place: format!("{file}:{}", step.place.line),
            outcome: match (outcome, tolerated) {
                (Outcome::Failure, true) => Outcome::Success,
                (outcome, _) => outcome,
            },
            emulated: matches!(planned.how, How::Emulated(_)),
            detail,
        });
        Ok(())
    }
}

/// How long `timeout-minutes` lets something run; what is no number changes nothing.
pub fn minutes(text: &str, otherwise: Duration) -> Duration {
    let minutes: Option<f64> = text.trim().parse().ok();
    match minutes.filter(|minutes| !minutes.is_nan()) {
        Some(minutes) => Duration::from_secs_f64(minutes.clamp(0.0, 1e6) * 60.0),
        None => otherwise,
    }
}

/// The files in which a step leaves values.
struct Left {
    folder: Utf8PathBuf,
    number: usize,
}

const FILES: [&str; 5] = ["OUTPUT", "ENV", "PATH", "STEP_SUMMARY", "STATE"];

impl Left {
    fn new(temporary: &Utf8Path, number: usize) -> Result<Left> {
        let left = Left {
            folder: temporary.join("files"),
            number,
        };
        for name in FILES {
            files::write(&left.file(name), b"")?;
        }
        Ok(left)
    }

    fn file(&self, name: &str) -> Utf8PathBuf {
        self.folder
            .join(format!("{}-{}", name.to_lowercase(), self.number))
    }

    fn variables(&self) -> impl Iterator<Item = (String, String)> {
        FILES
            .iter()
            .map(|name| (format!("GITHUB_{name}"), self.file(name).into_string()))
    }
}
