//! Everything that is tested through the library's doors or the real binary.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod browser;
mod contract;
mod docker;
mod engine;
mod kubernetes;
mod lint;
mod manifest;
mod mcp_http;
mod platform;
mod process;
mod screens;
