//! One integration binary for the whole tool.
//!
//! Tests that install packages or package real extensions are slow and need the configured
//! indexes; they run when `XTASK_TEST_SLOW=1` is set, as `cargo xtask test` does, and say so
//! when it is not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actions;
mod advisories;
mod audit;
mod change;
mod doctor;
mod documents;
mod fuzz;
mod gate;
mod host;
mod image;
mod init;
mod lint;
mod lock;
mod osv;
mod prove;
mod publish;
mod refusals;
mod registries;
mod release;
mod repository;
mod requirements;
mod terminal;
mod tidy;
mod workflow;
mod world;
