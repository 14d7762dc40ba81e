//! The audit: locked packages against advisories, held against the policy. Pure.
//!
//! What was not checked is part of the result, and nothing is left out of it in silence.

pub mod group;
pub mod json;
pub mod markdown;
pub mod phrase;
pub mod report;
#[cfg(test)]
mod sample;
pub mod sarif;
pub mod table;
