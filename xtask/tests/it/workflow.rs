//! Workflows: judged by the rules, as a user judges them, and run on this machine.

mod cases;
mod hostile;
mod release;
mod run;
mod verb;
