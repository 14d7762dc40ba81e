//! The gate, from the outside: packages made in memory, judged by the library and by the verb.

mod cases;
mod containers;
mod package;
mod reports;
mod verb;
mod vsce;
