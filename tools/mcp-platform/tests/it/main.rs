//! Everything that is tested through the library's doors or the real binary.

mod browser;
mod docker;
mod engine;
mod lint;
mod manifest;
