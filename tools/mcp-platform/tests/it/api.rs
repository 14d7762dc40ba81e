//! The REST face over real HTTP, on the mock.

mod bad_input;
mod gate;
mod many;
mod operations;
mod restore;
mod stand;
mod streams;
