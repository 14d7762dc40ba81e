//! Where a server's image comes from: the published digest, else the local archive, else a build.

mod credentials;

pub use credentials::{Credentials, credentials};
