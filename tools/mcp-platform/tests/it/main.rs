//! Everything that is tested through the library's doors or the real binary.

mod docker;
mod engine;
mod process;
