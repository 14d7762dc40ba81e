//! Names and labels of everything that belongs to one server on an engine.

use std::collections::HashMap;

use crate::model::{Identity, Name, Spec, label};

/// What a container is for: [`RECORD`], [`REPLICA`] or [`COMPANION`].
pub const ROLE: &str = "mcp-platform/role";
/// A container that never runs; its labels and environment say what is wanted.
pub const RECORD: &str = "record";
/// One instance of a server.
pub const REPLICA: &str = "replica";
/// A service that belongs to a server.
pub const COMPANION: &str = "companion";
/// The value of [`label::COMPONENT`] of what belongs to a server and is none itself.
pub const PART: &str = "mcp-server-part";
/// Counts the changes of what is wanted.
pub const GENERATION: &str = "mcp-platform/generation";
/// How many instances are wanted.
pub const REPLICAS: &str = "mcp-platform/replicas";
/// Whether new sessions are kept away: `true` or nothing.
pub const DRAINING: &str = "mcp-platform/draining";
/// The generation of the last restart.
pub const EPOCH: &str = "mcp-platform/epoch";
/// The ports of this machine, by slot, separated by commas.
pub const PORTS: &str = "mcp-platform/ports";
/// Whether everything is being removed: `true` or nothing.
pub const REMOVING: &str = "mcp-platform/removing";
/// Since when the server exists.
pub const SINCE: &str = "mcp-platform/since";
/// The number of an instance; it decides its port.
pub const SLOT: &str = "mcp-platform/slot";
/// The port of this machine at which an instance is reached.
pub const PORT: &str = "mcp-platform/port";

/// Filters of the engine's lists.
pub type Filters = HashMap<String, Vec<String>>;

/// The labels of everything of one server; `component` is [`label::COMPONENT_VALUE`] or [`PART`].
pub fn labels(spec: &Spec, component: &str) -> HashMap<String, String> {
    [
        (label::NAME, spec.template.as_str()),
        (label::INSTANCE, spec.identity.name.as_str()),
        (label::COMPONENT, component),
        (label::MANAGED_BY, label::MANAGED_BY_VALUE),
        (label::VERSION, spec.version.as_str()),
        (label::NAMESPACE, spec.identity.namespace.as_str()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// What finds everything of one server.
pub fn of_server(identity: &Identity) -> Filters {
    by_labels(&[
        (label::MANAGED_BY, label::MANAGED_BY_VALUE),
        (label::INSTANCE, identity.name.as_str()),
        (label::NAMESPACE, identity.namespace.as_str()),
    ])
}

/// What finds all servers, foreign ones included.
pub fn of_all() -> Filters {
    by_labels(&[(label::COMPONENT, label::COMPONENT_VALUE)])
}

fn by_labels(pairs: &[(&str, &str)]) -> Filters {
    let all = pairs.iter().map(|(key, value)| format!("{key}={value}"));
    HashMap::from([("label".to_owned(), all.collect())])
}

/// The server that labels speak of. A foreign one need not say its namespace, and is called by its
/// container when it does not say its name.
pub fn identity(
    labels: &HashMap<String, String>,
    container: &str,
    namespace: &Name,
) -> Option<Identity> {
    let name = labels.get(label::INSTANCE).map_or_else(
        || container.to_ascii_lowercase().replace(['_', '.'], "-"),
        Clone::clone,
    );
    let namespace = match labels.get(label::NAMESPACE) {
        Some(text) => Name::label(text).ok()?,
        None => namespace.clone(),
    };
    Some(Identity {
        namespace,
        name: Name::label(&name).ok()?,
    })
}

/// What the names of networks, volumes and companions begin with. Neither part has a dot in it, so
/// no two servers share it.
pub fn base(identity: &Identity) -> String {
    format!("{}.{}", identity.namespace, identity.name)
}

/// The container that holds one generation of what is wanted.
pub fn record(identity: &Identity, generation: u64) -> String {
    format!("{}.record.{generation}", base(identity))
}

/// One instance. The revision has the namespace in it.
pub fn replica(identity: &Identity, revision: &str, slot: u32) -> String {
    format!("{}-{revision}-{slot}", identity.name)
}

/// The network on which instances are published.
pub fn network(identity: &Identity) -> String {
    base(identity)
}

/// The network between the instances and their companions; it leads nowhere else.
pub fn inner_network(identity: &Identity) -> String {
    format!("{}.companions", base(identity))
}

/// The volume of one instance.
pub fn volume(identity: &Identity, volume: &str, slot: u32) -> String {
    format!("{}.{volume}.{slot}", base(identity))
}

/// A companion.
pub fn companion(identity: &Identity, companion: &str) -> String {
    format!("{}.companion.{companion}", base(identity))
}

/// The volume of a companion.
pub fn companion_volume(identity: &Identity, companion: &str, volume: &str) -> String {
    format!("{}.companion.{companion}.{volume}", base(identity))
}
