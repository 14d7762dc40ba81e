//! Publishing, against real registries where they can be started and stand-ins where not.

mod local;
pub mod sample;
