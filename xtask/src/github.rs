//! What GitHub Actions reads of a run: annotations on lines, groups in the log, the summary of a
//! step and its outputs. Pure: texts are made here, `world/actions.rs` hands them over.

pub mod annotation;
pub mod command;
pub mod output;
pub mod summary;
