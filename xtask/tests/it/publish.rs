//! Publishing, against real registries where they can be started and stand-ins where not.

mod contract;
mod github;
mod local;
mod marketplace;
mod mcp;
mod oci;
mod only;
mod open_vsx;
pub mod places;
mod pypi;
pub mod real;
pub mod sample;
mod verify;
mod whole;
