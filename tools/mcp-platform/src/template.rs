//! Templates: a folder a template, with `template.toml` in it.

mod catalogue;
mod instantiate;
mod raw;
mod validate;

pub use catalogue::{Catalogue, builtin};
pub use instantiate::{Request, instantiate, reconfigure};
pub use raw::{
    CompanionTable, ConfigurationTable, ImageTable, PeersTable, ProbeTable, ProcessTable,
    ResourcesTable, RunTable, SessionsTable, SettingTable, Template, TransportKind, TransportTable,
    VolumeTable,
};
pub use validate::parse;
