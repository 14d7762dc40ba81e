//! A workflow's jobs on this machine: what is there to run, and running it.
//!
//! Every job gets a folder of its own in the tool's private folder, and in it nothing but what
//! its steps put there; `actions/checkout` is a clone of HEAD. What the pure room
//! `workflow/local` has decided is done here and recorded in a report.

mod artifact;
mod clone;
mod emulate;
mod job;
mod machine;
mod observe;
mod report;
mod step;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::tools::python::Interpreter;
use crate::workflow::Workflow;
use crate::workflow::local::plan::{self, Question};
use crate::workflow::local::scope::Scope;
use crate::workflow::local::{Event, Machine, Plan, State};
use crate::workflow::model::Action;
use crate::world::secret::Secret;
use crate::world::temporary::{self, Temporary};
use crate::world::{World, files};
pub use report::{JobReport, Outcome, Report, StepReport};

/// Whether jobs that are needed run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// They run.
    Run,
    /// Their results of the last run stand.
    Kept,
}

/// Whether jobs with `id-token: write` reach a service that gives identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// No job does.
    Withheld,
    /// They reach the one that this environment names, as GitHub would name it.
    Environment,
}

/// What becomes of a job's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// It goes with the job.
    Removed,
    /// It stays, and it is said where.
    Kept,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The jobs; all when empty.
    pub jobs: &'a [String],
    /// The workflow's file.
    pub workflow: Option<&'a Utf8Path>,
    /// What the matrix must be.
    pub matrix: &'a [(String, String)],
    /// The event, as `Event::parse` reads it.
    pub event: Option<&'a str>,
    /// Inputs of a run by hand.
    pub inputs: &'a [(String, String)],
    /// The variables that become secrets.
    pub secrets: &'a [String],
    /// Whether jobs can ask for an identity.
    pub identity: Identity,
    /// Whether jobs that are needed run again.
    pub needs: Needs,
    /// What becomes of the folders.
    pub folder: Folder,
    /// Where Cargo compiles.
    pub target: Option<Utf8PathBuf>,
}

/// Where everything lies.
#[derive(Debug, Clone)]
struct Folders {
    /// Where the job that runs works; the same for every job, so that compilers know it again.
    workspace: Utf8PathBuf,
    /// `RUNNER_TEMP`.
    temporary: Utf8PathBuf,
    /// The artifacts of the workflow's last run.
    artifacts: Utf8PathBuf,
    /// The results of the workflow's last run.
    results: Utf8PathBuf,
    /// Where Cargo compiles.
    target: Utf8PathBuf,
    /// Where folders of jobs are kept.
    kept: Utf8PathBuf,
}

/// One run, with all that was observed for it.
pub struct Session<'a> {
    world: &'a World,
    request: &'a Request<'a>,
    top: Utf8PathBuf,
    /// The commit.
    pub commit: String,
    branch: String,
    repository: String,
    workflow: Workflow,
    event: Event,
    inputs: Map<String, Value>,
    secrets: Vec<(String, Secret)>,
    /// The variables by which a job with `id-token: write` asks for an identity.
    identity: Vec<(&'static str, Secret)>,
    scope: Scope,
    machine: Machine,
    pythons: Vec<Interpreter>,
    actions: BTreeMap<String, Action>,
    kept: BTreeMap<String, Value>,
    folders: Folders,
    /// When the files of the commit were first checked out, or last changed by a job.
    written: Cell<Timestamp>,
}

/// The plans of every workflow of the repository.
///
/// # Errors
/// As [`open`].
pub fn plans(world: &World, request: &Request<'_>) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    for path in observe::workflows(world)? {
        let path = Utf8PathBuf::from(path);
        let request = Request {
            workflow: Some(&path),
            ..request.clone()
        };
        plans.push(open(world, &request)?.plan()?);
    }
    Ok(plans)
}

/// Looks at the commit, the workflow and this machine.
///
/// # Errors
/// No git, no such workflow or job, a workflow that cannot be read.
pub fn open<'a>(world: &'a World, request: &'a Request<'a>) -> Result<Session<'a>> {
    let facts = observe::repository(world)?;
    let workflow = observe::workflow(world, request)?;
    let event = match request.event {
        Some(text) => Event::parse(text, &facts.branch)?,
        None => Event::usual(&workflow, &facts.branch),
    };
    event.require(&workflow)?;
    observe::require_tag(world, &event, &facts.commit)?;
    let inputs = crate::workflow::local::event::inputs(&workflow, &event, request.inputs)?;
    let secrets = secrets(world, request.secrets)?;
    let identity = identity(world, request.identity)?;
    let actions = observe::actions(world, &workflow)?;
    let (machine, pythons) = machine::observe(world, &workflow, &actions);
    let folders = folders(world, request, &workflow, &facts.repository);
    let kept = match request.needs {
        Needs::Run => BTreeMap::new(),
        Needs::Kept => observe::kept(&folders.results, &facts.commit, &workflow, request.jobs)?,
    };
    let mut session = Session {
        world,
        request,
        top: facts.top,
        commit: facts.commit,
        branch: facts.branch,
        repository: facts.repository,
        workflow,
        event,
        inputs,
        secrets,
        identity,
        scope: Scope::default(),
        machine,
        pythons,
        actions,
        kept,
        folders,
        written: Cell::new(world.now()),
    };
    session.scope = session.first_scope();
    Ok(session)
}

fn secrets(world: &World, names: &[String]) -> Result<Vec<(String, Secret)>> {
    let one = |name: &String| match world.variable(name) {
        Some(value) => Ok((name.clone(), Secret::new(value))),
        None => Err(Error::precondition(format!(
            "the variable {name} is not set, so it is no secret"
        ))
        .hint(format!(
            "set it, or leave --secrets-from-environment {name} out"
        ))),
    };
    names.iter().map(one).collect()
}

fn identity(world: &World, identity: Identity) -> Result<Vec<(&'static str, Secret)>> {
    let names: &[&'static str] = match identity {
        Identity::Withheld => &[],
        Identity::Environment => &[
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ],
    };
    let one = |name: &&'static str| {
        match world.variable(name) {
        Some(value) => Ok((*name, Secret::new(value))),
        None => Err(Error::precondition(format!(
            "the variable {name} is not set, so no job can ask for an identity"
        ))
        .hint("set both ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN, or leave --identity-from-environment out")),
    }
    };
    names.iter().map(one).collect()
}

fn folders(world: &World, request: &Request<'_>, workflow: &Workflow, repository: &str) -> Folders {
    let private = world.private().join("ci");
    let name = repository.rsplit('/').next().unwrap_or("repository");
    let stem = Utf8Path::new(&workflow.path)
        .file_stem()
        .unwrap_or("workflow");
    let target = request.target.clone();
    Folders {
        workspace: private.join("work").join(name),
        temporary: private.join("temporary"),
        artifacts: private.join("results").join(stem).join("artifacts"),
        results: private.join("results").join(stem).join("results.json"),
        target: target.unwrap_or_else(|| private.join("target")),
        kept: private.join("kept"),
    }
}

impl Session<'_> {
    /// What would be done.
    ///
    /// # Errors
    /// A job that is not there, a broken expression.
    pub fn plan(&self) -> Result<Plan> {
        let kept: BTreeSet<String> = self.kept.keys().cloned().collect();
        plan::plan(&self.question(&kept, &self.composites()))
    }

    fn composites(&self) -> BTreeSet<String> {
        self.actions.keys().cloned().collect()
    }

    fn question<'q>(
        &'q self,
        kept: &'q BTreeSet<String>,
        composites: &'q BTreeSet<String>,
    ) -> Question<'q> {
        Question {
            workflow: &self.workflow,
            event: &self.event,
            scope: &self.scope,
            machine: &self.machine,
            jobs: self.request.jobs,
            matrix: self.request.matrix,
            kept,
            composites,
        }
    }

    /// Does it, job by job.
    ///
    /// # Errors
    /// Something that is not the jobs' fault: a full disk, a missing shell, an interrupted run. A
    /// job that fails is in the report.
    pub fn perform(&mut self, plan: &Plan) -> Result<Report> {
        let private = self.world.private().join("ci");
        let _lock = crate::world::lock::Lock::wait(self.world, &private, "lock")?;
        let elsewhere = Temporary::default();
        let _kept = self.avoid_spaces(&elsewhere, &private)?;
        if self.request.needs == Needs::Run {
            files::remove_folder(&self.folders.artifacts)?;
        }
        observe::warn_of_changes(self.world)?;
        let mut report = Report::default();
        let mut results: BTreeMap<String, Value> = self.kept.clone();
        for planned in &plan.jobs {
            let job = self.workflow.job(&planned.id);
            let job = job.expect("the plan is made from this workflow");
            if planned.state == State::Kept {
                continue;
            }
            let result = self.job(job, planned, &results, &mut report)?;
            results.insert(planned.id.clone(), result);
            let record = json!({ "schema": 1, "commit": self.commit, "jobs": results });
            files::write(&self.folders.results, record.to_string().as_bytes())?;
        }
        Ok(report)
    }

    /// At GitHub no path of the runner has a space in it, so that scripts say
    /// `>> $GITHUB_OUTPUT`. Where the repository's has one, the runner's files lie elsewhere.
    fn avoid_spaces(
        &mut self,
        elsewhere: &Temporary,
        private: &Utf8Path,
    ) -> Result<Option<temporary::Kept>> {
        let own = self.folders.temporary.as_str();
        if !own.contains(char::is_whitespace) {
            return Ok(None);
        }
        let parent = crate::world::utf8(std::env::temp_dir())?;
        let kept = elsewhere.keep(&parent, private)?;
        if let Some(folder) = elsewhere.folder() {
            self.folders.temporary = folder.join("runner");
            self.scope = self.first_scope();
        }
        Ok(Some(kept))
    }

    /// What expressions read before any job has run. Secrets are not among it: names of jobs and
    /// of legs are shown, and GitHub lets them read none.
    fn first_scope(&self) -> Scope {
        let mut scope = Scope::default();
        scope.set("github", self.github());
        scope.set("inputs", self.inputs.clone());
        scope.set("vars", Map::new());
        scope.set("env", Map::new());
        scope.set("matrix", Map::new());
        scope.set("needs", Map::new());
        scope.set("strategy", Map::new());
        scope.put("github", "token", "");
        scope.set("secrets", Map::new());
        scope.set(
            "runner",
            json!({
                "os": self.machine.system, "arch": self.machine.architecture, "name": "local",
                "environment": "self-hosted", "temp": self.folders.temporary,
                "tool_cache": self.folders.temporary.join("tools"),
            }),
        );
        scope
    }

    /// Lets the steps of a job read the secrets.
    fn give_secrets(&self, scope: &mut Scope) {
        let mut secrets: Map<String, Value> = Map::new();
        secrets.insert("GITHUB_TOKEN".to_owned(), json!(""));
        for (name, secret) in &self.secrets {
            secrets.insert(name.clone(), json!(secret.reveal()));
        }
        let token = secrets.get("GITHUB_TOKEN").cloned().unwrap_or_default();
        scope.put("github", "token", token);
        scope.set("secrets", secrets);
    }

    fn github(&self) -> Value {
        let owner = self.repository.split('/').next().unwrap_or_default();
        let kind = if self.event.is_tag() { "tag" } else { "branch" };
        let pull = self.event.name == "pull_request";
        let texts = |value: &Value| match value {
            Value::String(text) => json!(text),
            other => json!(other.to_string()),
        };
        let inputs: Map<String, Value> = self
            .inputs
            .iter()
            .map(|(key, value)| (key.clone(), texts(value)))
            .collect();
        json!({
            "event_name": self.event.name, "ref": self.event.reference,
            "ref_name": self.event.short(), "ref_type": kind, "ref_protected": false,
            "sha": self.commit, "repository": self.repository, "repository_owner": owner,
            "repository_id": "1", "repository_owner_id": "1", "actor": "local", "actor_id": "1",
            "triggering_actor": "local", "run_id": "1", "run_number": "1", "run_attempt": "1",
            "workflow": self.workflow.name.as_ref().map_or(&self.workflow.path, |name| &name.value),
            "workflow_ref": format!("{}/{}@{}", self.repository, self.workflow.path, self.event.reference),
            "workflow_sha": self.commit, "workspace": self.folders.workspace,
            "server_url": "https://github.com", "api_url": "https://api.github.com",
            "graphql_url": "https://api.github.com/graphql",
            "base_ref": if pull { self.branch.as_str() } else { "" },
            "head_ref": if pull { self.branch.as_str() } else { "" },
            "event_path": self.folders.temporary.join("event.json"),
            "event": {
                "ref": self.event.reference, "inputs": inputs, "after": self.commit,
                "repository": { "full_name": self.repository, "default_branch": self.branch },
            },
        })
    }
}
