//! Workflows: judged by the rules, and as a user judges them.

mod cases;
mod hostile;
mod verb;
