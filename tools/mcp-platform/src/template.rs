//! Templates: a folder a template, with `template.toml` in it.

mod catalogue;
mod instantiate;
mod raw;
mod repository;
#[cfg(test)]
mod tests;
mod validate;

pub use catalogue::{Catalogue, builtin};
pub use instantiate::{Request, instantiate, reconfigure};
pub use raw::{
    CompanionTable, ConfigurationTable, ImageTable, PeersTable, ProbeTable, ProcessTable,
    ResourcesTable, RunTable, SessionsTable, SettingTable, Template, TransportKind, TransportTable,
    VolumeTable,
};
pub use repository::{Repository, fetch};
pub use validate::{parse, sound};
