//! The audit: locked packages against advisories, held against the policy. Pure.
//!
//! What was not checked is part of the result, and nothing is left out of it in silence.

pub mod annotation;
pub mod chain;
pub mod command;
pub mod constraint;
pub mod discover;
pub mod examine;
#[cfg(test)]
pub mod examples;
pub mod exception;
pub mod group;
pub mod json;
pub mod license;
pub mod markdown;
pub mod phrase;
pub mod policy;
pub mod remedy;
pub mod report;
#[cfg(test)]
mod sample;
pub mod sarif;
pub mod table;
