//! Tools that look closer: a check of one server, and the specifications of all.

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;
use rmcp::{RoleServer, tool, tool_router};

use crate::backend::Scope;
use crate::service::{Access, CheckTarget, WithSecrets};

use super::Face;
use super::answer::answer;
use super::parameters::{CheckParameters, NamespaceParameters};

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
            let identity = self.identity(parameters.namespace.as_deref(), &parameters.name)?;
            self.gate
                .allow(&context.extensions, Access::Operate, &identity.namespace)?;
            let target = if parameters.instances.unwrap_or(false) {
                CheckTarget::Instances
            } else {
                CheckTarget::Whole
            };
            self.service.check(&identity, target).await
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
            self.service.backup(&scope, WithSecrets::No).await
        };
        answer(backup.await)
    }
}
