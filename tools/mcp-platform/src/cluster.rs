//! A cluster as a place to run servers: what is checked of it, and what it needs before the first
//! one. Knows nothing of servers themselves.

mod access;
mod check;
mod names;
mod network;
mod rights;
mod setup;

pub use check::{Check, Finding, check};
pub use rights::{RIGHTS, Right};
pub use setup::{Subject, apply, objects};
