//! A workflow's jobs on this machine: which of them and of their steps can be run here, and how.
//! Pure; `exec/ci` performs it.

pub mod command;
pub mod emulation;
pub mod event;
pub mod matrix;
pub mod order;
pub mod paths;
pub mod plan;
pub mod record;
pub mod scope;
pub mod shell;
pub mod text;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::tools::Version;
pub use emulation::Emulation;
pub use event::Event;

/// What is to be done, before anything is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The workflow's path.
    pub workflow: String,
    /// What starts it.
    pub event: String,
    /// The jobs, each after those it needs.
    pub jobs: Vec<PlannedJob>,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedJob {
    /// Its key.
    pub id: String,
    /// Whether it runs.
    pub state: State,
    /// The environment that it is in at GitHub. Nothing of it is here: neither who has to agree, nor
    /// its secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// One leg for each combination of its matrix; one when it has none; none as long as the
    /// matrix waits for another job.
    pub legs: Vec<Leg>,
}

/// Whether a job or a leg runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum State {
    /// It runs.
    Run,
    /// It runs unless a condition, which waits for other jobs, says otherwise.
    Conditional(String),
    /// Its result of an earlier run stands.
    Kept,
    /// It does not run at GitHub either; why.
    Skipped(String),
    /// It cannot run here; why.
    LeftOut(String),
}

/// One combination of a job's matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leg {
    /// What it is called.
    pub name: String,
    /// The combination.
    pub matrix: Map<String, Value>,
    /// Whether it runs.
    pub state: State,
    /// How it differs from what the workflow asks for.
    pub warnings: Vec<String>,
    /// Its steps.
    pub steps: Vec<PlannedStep>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// What it is called.
    pub name: String,
    /// Its line in the workflow.
    pub line: usize,
    /// How it is done.
    pub how: How,
    /// Its condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// How a step is done here.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "as")]
pub enum How {
    /// Its script runs.
    Run,
    /// Something here stands in for the action.
    Emulated(Emulation),
    /// It is not done; why.
    LeftOut(String),
}

/// What this machine is and has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// `Linux`, `macOS` or `Windows`.
    pub system: &'static str,
    /// `X64` or `ARM64`.
    pub architecture: &'static str,
    /// Every Python that was found, best known first.
    pub pythons: Vec<Version>,
    /// The Node.js on PATH.
    pub node: Option<Version>,
}

impl State {
    /// Whether it runs, as far as is known.
    pub fn runs(&self) -> bool {
        matches!(self, State::Run | State::Conditional(_))
    }
}
