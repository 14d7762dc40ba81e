//! The audit as a user runs it.

mod cargo_audit;
mod expected;
mod rustsec;
