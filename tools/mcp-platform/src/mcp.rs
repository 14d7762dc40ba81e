//! The MCP face: every operation as a tool, over stdio and streamable HTTP. Thin; each tool calls
//! the service and nothing below it.

mod answer;
pub mod http;
mod parameters;
mod tools;

use std::sync::Arc;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::transport::stdio;
use rmcp::{ServerHandler, ServiceExt as _, tool_handler};

use crate::error::{self, Error};
use crate::model::Name;
use crate::service::Service;

/// What a tool is about to do, for whoever decides whether the caller may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Look.
    View,
    /// Start, stop, scale, restart.
    Operate,
    /// Deploy, update, delete.
    Administer,
}

/// What decides whether the caller of a tool may do something in a namespace, and records it when
/// it is a change. It gets the extensions of the request, in which the HTTP face puts who is asking.
pub type Guard =
    Arc<dyn Fn(&rmcp::model::Extensions, Access, &Name, &str) -> error::Result<()> + Send + Sync>;

/// One MCP server over the service.
#[derive(Clone)]
pub struct Face {
    service: Service,
    namespace: Name,
    guard: Guard,
    tool_router: ToolRouter<Face>,
}

impl Face {
    /// A face over a service; tools work in `namespace` unless they are told another.
    pub fn new(service: Service, namespace: Name, guard: Guard) -> Face {
        Face {
            service,
            namespace,
            guard,
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
