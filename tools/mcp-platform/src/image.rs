//! Where a server's image comes from: the published digest, else the local archive, else a build.
//!
//! Looking and doing are in `find`; what follows from what was seen is in `choose`, which is pure.

mod archive;
mod choose;
mod credentials;
mod find;
mod registry;
mod settings;

pub use archive::locate;
pub use choose::{Choice, Published, choose, qualified};
pub use credentials::{Credentials, DockerConfig, address, credentials};
pub use find::{Found, find};
pub use settings::Settings;

use std::collections::HashMap;

use crate::model::{ImageReference, Provenance};

/// The label of OCI's image specification ("Pre-Defined Annotation Keys") with the commit.
const REVISION: &str = "org.opencontainers.image.revision";

/// An image that a back end has, with its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What to call it.
    pub reference: ImageReference,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

/// What labels say of the bytes, and where they came from.
pub fn provenance(labels: &HashMap<String, String>, source: &str) -> Provenance {
    let known = |key: &str| labels.get(key).filter(|value| !value.is_empty()).cloned();
    Provenance {
        commit: known(REVISION),
        wheel_sha256: known(crate::model::label::WHEEL),
        image_source: Some(source.to_owned()),
    }
}
