//! Stand-ins for the registries of which no server can be had, and a front for those that can be
//! started: loopback servers that keep the documented rules, and that fail as a test asks for.
//!
//! Each stand-in is a [`front::Service`]: plain state that answers one request at a time. The
//! [`front::Front`] before it knows HTTP, the log and the faults. Nothing here knows the tool that
//! is tested.

#![allow(
    dead_code,
    reason = "a stand-in keeps the whole of a registry's rules, whichever of them tests ask for"
)]

pub mod actions;
pub mod client;
pub mod digest;
pub mod form;
pub mod front;
pub mod github;
pub mod marketplace;
pub mod mcp;
pub mod message;
pub mod open_vsx;
pub mod proxy;
pub mod vsix;
pub mod warehouse;
