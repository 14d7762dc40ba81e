//! The labels and annotations that every back end writes: the only database there is.

/// The template.
pub const NAME: &str = "app.kubernetes.io/name";
/// The server.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Always [`COMPONENT_VALUE`].
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// What makes something an MCP server, also a foreign one.
pub const COMPONENT_VALUE: &str = "mcp-server";
/// Always [`MANAGED_BY_VALUE`] for what is ours.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Us.
pub const MANAGED_BY_VALUE: &str = "mcp-platform";
/// The template's version.
pub const VERSION: &str = "app.kubernetes.io/version";
/// The namespace, where the back end knows none.
pub const NAMESPACE: &str = "mcp-platform/namespace";
/// The revision.
pub const REVISION: &str = "mcp-platform/revision";
/// Annotation: the specification in the open.
pub const SPEC: &str = "mcp-platform/spec";
/// Annotation: the specification before it.
pub const PREVIOUS: &str = "mcp-platform/previous";
/// Annotation: what `stop` found.
pub const REMEMBERED: &str = "mcp-platform/remembered-replicas";
/// Annotation: the commit.
pub const COMMIT: &str = "io.mcp-shipyard.commit";
/// Annotation: the sha256 of the wheel.
pub const WHEEL: &str = "io.mcp-shipyard.wheel.sha256";
