//! The actions that something here can stand in for. Pure.

use serde::Serialize;

use super::How;
use crate::workflow::model::{Step, StepBody, find};

/// What stands in for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Emulation {
    /// A clone of the commit.
    Checkout,
    /// An interpreter that is installed here.
    Python,
    /// The Node.js that is installed here.
    Node,
    /// The Rust toolchain that is installed here.
    Rust,
    /// uv as it is installed here.
    Uv,
    /// Nothing is restored, nothing is stored.
    Cache,
    /// The store of the run.
    Upload,
    /// The store of the run.
    Download,
    /// The steps of an action of the repository.
    Composite,
}

const ACTIONS: [(&str, Emulation); 14] = [
    ("actions/checkout", Emulation::Checkout),
    ("actions/setup-python", Emulation::Python),
    ("actions/setup-node", Emulation::Node),
    ("actions/cache", Emulation::Cache),
    ("actions/cache/restore", Emulation::Cache),
    ("actions/cache/save", Emulation::Cache),
    ("actions/upload-artifact", Emulation::Upload),
    ("actions/download-artifact", Emulation::Download),
    ("swatinem/rust-cache", Emulation::Cache),
    ("dtolnay/rust-toolchain", Emulation::Rust),
    ("actions-rust-lang/setup-rust-toolchain", Emulation::Rust),
    ("actions-rs/toolchain", Emulation::Rust),
    ("moonrepo/setup-rust", Emulation::Rust),
    ("astral-sh/setup-uv", Emulation::Uv),
];

impl Emulation {
    /// What stands in, in words.
    pub fn words(self) -> &'static str {
        match self {
            Emulation::Checkout => "a clone of HEAD",
            Emulation::Python => "the Python that is installed",
            Emulation::Node => "the Node.js that is installed",
            Emulation::Rust => "the Rust that is installed",
            Emulation::Uv => "the uv that is installed",
            Emulation::Cache => "no cache",
            Emulation::Upload | Emulation::Download => "the artifacts of this run",
            Emulation::Composite => "its steps",
        }
    }
}

/// The name of an action without its version, in lower case.
pub fn action_name(action: &str) -> String {
    let name = action.split_once('@').map_or(action, |(name, _)| name);
    name.to_ascii_lowercase()
}

/// How a step is done here; `composite` says whether a path holds an action made of steps.
pub fn how(step: &Step, composite: &dyn Fn(&str) -> bool) -> How {
    let (action, with) = match &step.body {
        StepBody::Run { .. } => return How::Run,
        StepBody::Uses { action, with } => (&action.value, with),
    };
    if action.starts_with("docker://") {
        return How::LeftOut("it runs in a container".to_owned());
    }
    if action.starts_with("./") {
        return match composite(action) {
            true => How::Emulated(Emulation::Composite),
            false => How::LeftOut("an action that is not made of steps".to_owned()),
        };
    }
    let name = action_name(action);
    let known = ACTIONS.iter().find(|known| known.0 == name);
    match known {
        Some((_, Emulation::Checkout)) if find(with, "repository").is_some() => {
            How::LeftOut("it takes another repository".to_owned())
        }
        Some((_, Emulation::Download)) if find(with, "run-id").is_some() => {
            How::LeftOut("it takes the artifacts of another run".to_owned())
        }
        Some((_, emulation)) => How::Emulated(*emulation),
        None => How::LeftOut(format!("nothing here stands in for {name}")),
    }
}
