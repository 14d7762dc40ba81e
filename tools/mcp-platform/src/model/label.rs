//! The labels and annotations that every back end writes and reads: the only database there is.

/// The template.
pub const NAME: &str = "app.kubernetes.io/name";
/// The server.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// [`SERVER`] for a server; other words for what belongs to one.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// [`PLATFORM`] for everything that this platform made.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The template's version.
pub const VERSION: &str = "app.kubernetes.io/version";
/// The namespace, where the back end itself knows none.
pub const NAMESPACE: &str = "mcp-platform/namespace";
/// The revision of the specification.
pub const REVISION: &str = "mcp-platform/revision";
/// The open part of the specification as JSON.
pub const SPEC: &str = "mcp-platform/spec";
/// The open part of the specification before this one as JSON.
pub const PREVIOUS: &str = "mcp-platform/previous";
/// How many instances `stop` found.
pub const REMEMBERED_REPLICAS: &str = "mcp-platform/remembered-replicas";
/// The commit of what runs.
pub const COMMIT: &str = "io.mcp-shipyard.commit";
/// The sha256 of the wheel that runs.
pub const WHEEL_SHA256: &str = "io.mcp-shipyard.wheel.sha256";

/// The value of [`COMPONENT`] by which servers are found, foreign ones included.
pub const SERVER: &str = "mcp-server";
/// The value of [`MANAGED_BY`] of everything of ours.
pub const PLATFORM: &str = "mcp-platform";
