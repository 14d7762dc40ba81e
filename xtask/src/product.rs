//! What is made: each kind of artifact in its own file.

pub mod bundle;
pub mod index;
pub mod notes;
pub mod oci;
pub mod pyproject;
pub mod vsix;
pub mod wheel;
