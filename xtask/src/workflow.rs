//! GitHub Actions workflows: text → model, and rules on the model.
//!
//! Nothing here runs anything or looks at a disk: what a rule must know about the repository
//! around a workflow comes in as a value.

pub mod expression;
pub mod local;
pub mod model;
pub mod read;
pub mod yaml;

pub use model::Workflow;
