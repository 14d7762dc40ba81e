//! The audit as a user runs it.

mod cargo_audit;
pub mod case;
mod expected;
mod hostile;
mod loud;
mod matching;
mod policy;
mod rustsec;
mod verb;
