//! Images: built from a release made by hand and a base made here, so that no network is needed.
//! With `XTASK_TEST_ENGINE=1` a real container engine loads and runs one.

pub mod base;
mod build;
mod engine;
#[cfg(target_os = "linux")]
mod program;
mod refused;
mod registry;
mod setting;
mod trace;
