//! The library behind `cargo xtask`: it turns a commit of an MCP server repository into one
//! verified, immutable release in `dist/`.
//!
//! The rooms and their directions are drawn in `ARCHITECTURE.md`. In short: `cmd` reads
//! inputs, calls pure code (`artifact`, `config`, `gate`, `lockfile`, `plan`) and has `world`
//! perform the effects.

pub mod advisory;
pub mod artifact;
pub mod audit;
pub mod bom;
pub mod changelog;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod dist;
pub mod doctor;
pub mod error;
pub mod exec;
pub mod gate;
pub mod github;
pub mod image;
pub mod init;
pub mod inspect;
pub mod ledger;
pub mod lint;
pub mod lockfile;
pub mod marker;
pub mod name;
pub mod pep440;
pub mod plan;
pub mod printable;
pub mod product;
pub mod prove;
pub mod publish;
pub mod registry;
pub mod requirements;
pub mod sarif;
pub mod source;
pub mod stage;
pub mod tools;
pub mod version;
pub mod workflow;
pub mod world;
pub mod yaml;
