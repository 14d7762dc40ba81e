//! One integration binary for the whole tool.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod gate;
mod prove;
mod requirements;
