//! Tools that look closer: a check of one server, the specifications of all, the clusters.

use std::time::Duration;

use futures::future::join_all;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;
use rmcp::{RoleServer, tool, tool_router};
use serde_json::json;

use crate::backend::Scope;
use crate::service::{Access, CheckTarget, WithSecrets};

use super::Face;
use super::answer::answer;
use super::parameters::{CheckParameters, NamespaceParameters};

/// How long a cluster may take to say whether it can be used.
const PATIENCE: Duration = Duration::from_secs(5);

impl Face {
    /// The tools of this file.
    pub(super) fn inspection() -> ToolRouter<Face> {
        Face::inspection_router()
    }
}

#[tool_router(router = inspection_router)]
impl Face {
    /// Asks an MCP server itself: its health page, its ready page, then a real MCP handshake over
    /// its own transport. A server that answers wrongly is a result: `passed` says it.
    #[tool(annotations(
        title = "Check an MCP server",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn check_mcp(
        &self,
        Parameters(parameters): Parameters<CheckParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let check = async {
            let (service, identity) =
                self.allowed(&context.extensions, Access::Operate, parameters.target())?;
            let target = if parameters.instances.unwrap_or(false) {
                CheckTarget::Instances
            } else {
                CheckTarget::Whole
            };
            service.check(&identity, target).await
        };
        answer(check.await)
    }

    /// Gives the specifications of all MCP servers of a namespace as one document, which `restore`
    /// of the command line takes. It holds the names of secrets, never their values.
    #[tool(annotations(
        title = "Back up MCP servers",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn backup_mcp(
        &self,
        Parameters(parameters): Parameters<NamespaceParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let backup = async {
            let namespace = self.place(parameters.namespace.as_deref())?;
            self.gate
                .allow(&context.extensions, Access::View, &namespace)?;
            let scope = Scope {
                namespace: Some(namespace),
                template: None,
            };
            let cluster = self.clusters.find(parameters.cluster.as_deref())?;
            cluster.service.backup(&scope, WithSecrets::No).await
        };
        answer(backup.await)
    }

    /// Lists the clusters that other tools take as `cluster`, the one first that they mean when it
    /// is left out, and whether each can be used now.
    #[tool(annotations(
        title = "List clusters",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn list_mcp_clusters(&self) -> CallToolResult {
        let asked = self.clusters.all().iter().map(|cluster| async {
            let backend = &cluster.service.backend;
            let asked = tokio::time::timeout(PATIENCE, backend.reachable()).await;
            let message = match asked {
                Ok(answer) => answer.err().map(|error| error.message),
                Err(_) => Some("it did not answer in time".to_owned()),
            };
            json!({
                "name": cluster.name,
                "backend": backend.kind(),
                "reachable": message.is_none(),
                "message": message,
            })
        });
        answer(Ok(json!({ "clusters": join_all(asked).await })))
    }
}
