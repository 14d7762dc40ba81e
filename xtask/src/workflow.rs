//! Workflows of GitHub Actions: what they say, and what follows from it. Pure.

pub mod expression;
