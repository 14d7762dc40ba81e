//! MCP Platform: deploys, watches and steers MCP servers on Kubernetes, Docker or this machine,
//! through one contract.
//!
//! `model` and `lifecycle` are pure; `backend` looks and acts; `service` ties them together; the
//! faces (`api`, `mcp`, `cli`) call `service` and nothing below it.
//!
//! For Linux: supervised processes are found in /proc, and watched by inotify.
#![cfg(target_os = "linux")]

pub mod api;
pub mod backend;
pub mod bearer;
pub mod bridge;
pub mod cli;
pub mod cluster;
pub mod dashboard;
pub mod echo;
pub mod error;
pub mod image;
pub mod lifecycle;
pub mod lint;
pub mod manifest;
pub mod mcp;
pub mod model;
pub mod service;
pub mod template;
pub mod world;
