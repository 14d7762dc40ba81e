//! The audit as a user runs it.

mod expected;
