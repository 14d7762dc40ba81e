//! `mcp`: the operations as MCP tools over standard input and output.

use std::sync::Arc;

use crate::error::Result;
use crate::mcp::{Face, Open, serve_stdio};
use crate::world::World;

use super::General;
use super::clusters::Several;

/// Serves one client.
///
/// # Errors
/// The back end cannot be set up, or the client does not speak MCP.
pub async fn run(general: &General, world: &World, several: &Several) -> Result<()> {
    let opened = several.open(general, world).await?;
    let face = Face::new(opened.clusters, general.namespace()?, Arc::new(Open));
    serve_stdio(face).await
}
