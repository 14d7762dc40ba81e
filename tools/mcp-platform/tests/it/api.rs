//! The REST face over real HTTP, on the mock.

mod bad_input;
mod clusters;
mod gate;
mod many;
mod openapi;
mod operations;
mod restore;
mod revoked;
mod slow;
mod stand;
mod streams;
mod tls;
