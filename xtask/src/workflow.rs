//! GitHub Actions workflows: text → model, and rules on the model.
//!
//! Nothing here runs anything or looks at a disk: what a rule must know about the repository
//! around a workflow comes in as a value.

pub mod accept;
pub mod deed;
pub mod expression;
pub mod identity;
pub mod local;
pub mod model;
pub mod outside;
pub mod read;
pub mod report;
pub mod repository;
pub mod rule;
pub mod rules;
pub mod shell;
pub mod uses;

pub use model::Workflow;
