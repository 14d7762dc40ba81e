//! `mcp`: the operations as MCP tools over standard input and output.

use std::sync::Arc;

use crate::error::Result;
use crate::mcp::{Face, Open, serve_stdio};
use crate::world::World;

use super::General;

/// Serves one client.
///
/// # Errors
/// The back end cannot be set up, or the client does not speak MCP.
pub async fn run(general: &General, world: &World) -> Result<()> {
    let service = general.service(world).await?;
    service.backend.keep_watching();
    let face = Face::new(service, general.namespace()?, Arc::new(Open));
    serve_stdio(face).await
}
