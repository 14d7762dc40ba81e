//! The MCP face: every operation as a tool, over stdio and streamable HTTP. Thin; each tool calls
//! the service and nothing below it.

mod answer;
pub mod http;
mod inspect;
mod parameters;
mod tools;

use std::sync::Arc;

use async_trait::async_trait;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{Extensions, Implementation, ServerCapabilities, ServerConfig};
use rmcp::transport::stdio;
use rmcp::{ServerHandler, ServiceExt as _, tool_handler};

use crate::error::{self, Error};
use crate::model::{Identity, Name};
use crate::service::{Access, Cluster, Clusters, Operation, Outcome, Quiet, Waiting};

/// What every tool passes through: decides whether the caller may, records changes, and sees to it
/// that a client that goes away leaves nothing half done. It gets the extensions of the request, in
/// which the HTTP face puts who is asking.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Whether the caller may do something in a namespace.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden`.
    fn allow(&self, extensions: &Extensions, access: Access, namespace: &Name)
    -> error::Result<()>;

    /// Changes a server, once the caller may.
    ///
    /// # Errors
    /// As for [`Gate::allow`], else what the operation says.
    async fn change(
        &self,
        extensions: &Extensions,
        cluster: &Cluster,
        identity: &Identity,
        operation: Operation,
        waiting: Waiting,
    ) -> error::Result<Outcome>;
}

/// The gate of whoever started the program, who may do what the program may.
#[derive(Debug, Clone, Copy)]
pub struct Open;

#[async_trait]
impl Gate for Open {
    fn allow(&self, _: &Extensions, _: Access, _: &Name) -> error::Result<()> {
        Ok(())
    }

    async fn change(
        &self,
        _: &Extensions,
        cluster: &Cluster,
        identity: &Identity,
        operation: Operation,
        waiting: Waiting,
    ) -> error::Result<Outcome> {
        cluster
            .service
            .run(identity, &operation, waiting, &Quiet)
            .await
    }
}

/// One MCP server over the service.
#[derive(Clone)]
pub struct Face {
    clusters: Clusters,
    namespace: Name,
    gate: Arc<dyn Gate>,
    tool_router: ToolRouter<Face>,
}

impl Face {
    /// A face over the services of clusters; tools work in the first of them and in `namespace`
    /// unless they are told another.
    pub fn new(clusters: Clusters, namespace: Name, gate: Arc<dyn Gate>) -> Face {
        Face {
            clusters,
            namespace,
            gate,
            tool_router: Face::tools(),
        }
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(
                "mcp-platform",
                env!("CARGO_PKG_VERSION"),
            ))
            .with_instructions(
                "Deploys, watches and steers MCP servers. Every status has a reason; `running` \
                 means that the wanted revision is fully rolled out and ready.",
            )
    }
}

/// Serves one client over standard input and output, until it closes its end.
///
/// # Errors
/// The client does not speak MCP.
pub async fn serve_stdio(face: Face) -> error::Result<()> {
    let running = face
        .serve(stdio())
        .await
        .map_err(|error| Error::internal(format!("MCP over stdio: {error}")))?;
    running
        .waiting()
        .await
        .map_err(|error| Error::internal(format!("MCP over stdio: {error}")))?;
    Ok(())
}
