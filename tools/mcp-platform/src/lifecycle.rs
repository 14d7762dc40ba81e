//! Decisions about servers: what a goal needs, what an observation means, when waiting is over.
//! Pure: no back end, no clock, no network.

mod decide;
mod settle;
mod status;
#[cfg(test)]
mod tests;

pub use decide::{Limits, decide};
pub use settle::{Patience, Verdict, settle};
pub use status::status;
