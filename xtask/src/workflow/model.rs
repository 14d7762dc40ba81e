//! What a workflow and a composite action say, with the place of everything a rule or the local
//! runner names. Plain data.

use crate::error::Error;
use crate::yaml::{Kind, Node, Trouble};

pub use crate::yaml::{Place, Spanned, Text};

/// Something that GitHub would refuse, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What is wrong, without the place.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    pub fn new(place: Place, message: impl Into<String>) -> Problem {
        Problem {
            place,
            message: message.into(),
        }
    }

    /// The problem as an error that names the file: `file:line:column: what is wrong`.
    pub fn error(&self, path: &str) -> Error {
        let Place { line, column } = self.place;
        Error::usage(format!("{path}:{line}:{column}: {}", self.message))
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Problem {
        let message = match trouble.kind {
            Kind::Syntax | Kind::Shallow => format!("not YAML: {}", trouble.message),
            Kind::Form | Kind::Size => trouble.message,
        };
        Problem::new(trouble.place, message)
    }
}

/// One file of `.github/workflows/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// The path from the repository's root.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Everything, as YAML.
    pub root: Node,
    /// `name`
    pub name: Option<Text>,
    /// `run-name`
    pub run_name: Option<Text>,
    /// `on`
    pub triggers: Vec<Trigger>,
    /// `permissions`
    pub permissions: Option<Permissions>,
    /// `env`
    pub variables: Vec<Variable>,
    /// `defaults.run`
    pub defaults: Defaults,
    /// `concurrency`
    pub concurrency: Option<Concurrency>,
    /// `jobs`, in the order of the file.
    pub jobs: Vec<Job>,
    /// What has not the form that GitHub wants. The rest of the model is what could be read.
    pub problems: Vec<Problem>,
}

impl Workflow {
    /// The job with this id.
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id.value == id)
    }

    /// The trigger of this event.
    pub fn trigger(&self, event: &str) -> Option<&Trigger> {
        self.triggers
            .iter()
            .find(|trigger| trigger.event.value == event)
    }
}

/// One event under `on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The event's name.
    pub event: Text,
    /// What stands below it: branches, tags, types, inputs; for `schedule` the list.
    pub filters: Option<Node>,
}

impl Trigger {
    /// The texts of a filter such as `tags`.
    pub fn patterns(&self, filter: &str) -> Vec<Text> {
        let filter = self
            .filters
            .as_ref()
            .and_then(|filters| filters.get(filter));
        filter.map(super::read::texts).unwrap_or_default()
    }
}

/// A `permissions` key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Where the key stands.
    pub place: Place,
    /// What it grants.
    pub grant: Grant,
}

/// What a `permissions` key grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// `read-all` or `write-all`, as written.
    All(Text),
    /// Scopes with `read`, `write` or `none`.
    Each(Vec<Variable>),
}

impl Permissions {
    /// What is granted for a scope: `read`, `write`, `none`; `none` when it is not named.
    pub fn access(&self, scope: &str) -> &str {
        match &self.grant {
            Grant::All(all) => all.value.strip_suffix("-all").unwrap_or(&all.value),
            Grant::Each(each) => each
                .iter()
                .find(|grant| grant.name.value == scope)
                .map_or("none", |grant| &grant.value.value),
        }
    }
}

/// A name and a text: a variable, an input, an output, a granted scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: Text,
    /// The text, before expressions are evaluated.
    pub value: Text,
}

/// Finds a variable by name.
pub fn find<'list>(list: &'list [Variable], name: &str) -> Option<&'list Text> {
    list.iter()
        .find(|variable| variable.name.value == name)
        .map(|variable| &variable.value)
}

/// `defaults.run`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defaults {
    /// `shell`
    pub shell: Option<Text>,
    /// `working-directory`
    pub working_directory: Option<Text>,
}

/// `concurrency`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// Where the key stands.
    pub place: Place,
    /// `group`
    pub group: Option<Text>,
    /// `cancel-in-progress`
    pub cancel_in_progress: Option<Text>,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The key under `jobs`.
    pub id: Text,
    /// `name`
    pub name: Option<Text>,
    /// `needs`
    pub needs: Vec<Text>,
    /// `if`
    pub condition: Option<Text>,
    /// `runs-on`: a text, a list, or a mapping with `group` and `labels`.
    pub runs_on: Option<Node>,
    /// `environment`
    pub environment: Option<Environment>,
    /// `permissions`
    pub permissions: Option<Permissions>,
    /// `concurrency`
    pub concurrency: Option<Concurrency>,
    /// `env`
    pub variables: Vec<Variable>,
    /// `defaults.run`
    pub defaults: Defaults,
    /// `strategy`
    pub strategy: Strategy,
    /// `outputs`
    pub outputs: Vec<Variable>,
    /// `container`
    pub container: Option<Node>,
    /// `services`
    pub services: Option<Node>,
    /// `timeout-minutes`
    pub timeout_minutes: Option<Text>,
    /// `continue-on-error`
    pub continue_on_error: Option<Text>,
    /// What it does.
    pub body: JobBody,
}

impl Job {
    /// Its steps; none when it calls another workflow.
    pub fn steps(&self) -> &[Step] {
        match &self.body {
            JobBody::Steps(steps) => steps,
            JobBody::Reusable { .. } => &[],
        }
    }
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobBody {
    /// Steps, one after the other.
    Steps(Vec<Step>),
    /// Calls another workflow.
    Reusable {
        /// Which one.
        uses: Text,
        /// Its inputs.
        with: Vec<Variable>,
        /// `secrets`: `inherit` or a mapping.
        secrets: Option<Node>,
    },
}

/// `environment`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: Text,
    /// `url`
    pub url: Option<Text>,
}

/// `strategy`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strategy {
    /// `matrix`: a mapping (with `include` and `exclude`), or an expression.
    pub matrix: Option<Node>,
    /// `fail-fast`
    pub fail_fast: Option<Text>,
    /// `max-parallel`
    pub max_parallel: Option<Text>,
}

/// One step of a job or of a composite action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it begins, behind the dash.
    pub place: Place,
    /// `id`
    pub id: Option<Text>,
    /// `name`
    pub name: Option<Text>,
    /// `if`
    pub condition: Option<Text>,
    /// `env`
    pub variables: Vec<Variable>,
    /// `continue-on-error`
    pub continue_on_error: Option<Text>,
    /// `timeout-minutes`
    pub timeout_minutes: Option<Text>,
    /// What it does.
    pub body: StepBody,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepBody {
    /// `run`
    Run {
        /// The script.
        script: Script,
        /// `shell`
        shell: Option<Text>,
        /// `working-directory`
        working_directory: Option<Text>,
    },
    /// `uses`
    Uses {
        /// The action.
        action: Text,
        /// `with`
        with: Vec<Variable>,
    },
}

/// The text of a `run` key and where each of its lines stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The text that the shell gets, before expressions are evaluated.
    pub text: String,
    /// Where the value begins (for a block of text the line of `|`).
    pub place: Place,
    /// Where each line of the text begins in the file.
    pub lines: Vec<Place>,
}

impl Script {
    /// The place in the file of a byte of the text.
    pub fn place_of(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count();
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count();
        match self.lines.get(line) {
            Some(start) => Place {
                line: start.line,
                column: start.column + column,
            },
            None => self.place,
        }
    }
}

/// An `action.yml` of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The path from the repository's root.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Everything, as YAML.
    pub root: Node,
    /// `inputs`: names and defaults; the text is empty where there is none.
    pub inputs: Vec<Variable>,
    /// `outputs`: names and values.
    pub outputs: Vec<Variable>,
    /// `runs.using`
    pub using: Option<Text>,
    /// `runs.steps` of a composite action.
    pub steps: Vec<Step>,
    /// What has not the form that GitHub wants.
    pub problems: Vec<Problem>,
}
