//! The arguments of the tools. Their documentation is what a client sees.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Which servers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// Only servers of this template.
    pub template: Option<String>,
}

/// One server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The server's name.
    pub name: String,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
}

/// One server, and how closely.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The server's name.
    pub name: String,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// Ask each of its instances by itself.
    pub instances: Option<bool>,
}

/// All servers of a namespace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamespaceParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The namespace; the platform's own when left out.
    pub namespace: Option<String>,
}

/// One server, and whether to wait.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The server's name.
    pub name: String,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// Wait until it is ready; true when left out.
    pub wait_ready: Option<bool>,
}

/// One server, and how to stop it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The server's name.
    pub name: String,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// End its instances at once, without grace; sessions are cut off.
    pub force: Option<bool>,
}

/// One server, and how many instances.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The server's name.
    pub name: String,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// How many instances; 0 stops it.
    pub replicas: u32,
    /// Wait until all are ready; false when left out.
    pub wait_ready: Option<bool>,
}

/// What to deploy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The template's id; list_mcp_templates names them.
    pub template: String,
    /// The server's name; made from template and configuration when left out.
    pub name: Option<String>,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// The configuration, by the template's schema.
    #[serde(default)]
    pub configuration: Map<String, Value>,
    /// How many instances.
    pub replicas: Option<u32>,
    /// Another image than the template's.
    pub image: Option<String>,
}

/// What to change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The server's name.
    pub name: String,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// Changes of the configuration; null takes a key out.
    #[serde(default)]
    pub configuration: Map<String, Value>,
    /// Another image.
    pub image: Option<String>,
}

/// Which lines.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogParameters {
    /// The cluster, one of list_mcp_clusters; the first of them when left out.
    pub cluster: Option<String>,
    /// The server's name.
    pub name: String,
    /// Its namespace; the platform's own when left out.
    pub namespace: Option<String>,
    /// The last lines of each instance; 100 when left out, at most 2000.
    pub tail: Option<u32>,
    /// Only this instance.
    pub instance: Option<String>,
    /// What was written before the last restart.
    pub previous: Option<bool>,
}

/// Which server, as every tool says it that works on one.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The cluster.
    pub cluster: Option<&'a str>,
    /// The namespace.
    pub namespace: Option<&'a str>,
    /// The name.
    pub name: &'a str,
}

macro_rules! on_a_server {
    ($($parameters:ty),*) => {
        $(impl $parameters {
            /// Which server is meant.
            pub fn target(&self) -> Target<'_> {
                Target {
                    cluster: self.cluster.as_deref(),
                    namespace: self.namespace.as_deref(),
                    name: &self.name,
                }
            }
        })*
    };
}

on_a_server!(
    CheckParameters,
    LogParameters,
    ScaleParameters,
    ServerParameters,
    StartParameters,
    StopParameters,
    UpdateParameters
);
