//! What is made: each kind of artifact in its own file.

pub mod backend;
pub mod bundle;
pub mod index;
pub mod notes;
pub mod oci;
pub mod provenance;
pub mod pyproject;
pub mod server_json;
pub mod vsix;
pub mod wheel;
