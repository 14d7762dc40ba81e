//! How objects are made for a cluster, from the surroundings: the same choices that `render` has as
//! options.

use clap::ValueEnum as _;

use crate::error::{Error, Result};
use crate::manifest::{Autoscaling, Profile, Protection, RenderOptions};
use crate::model::{ImageReference, Name};
use crate::world::World;

/// `MCP_KUBERNETES_PROFILE`, `MCP_AUTOSCALING` (`on` or `off`), `MCP_PROTECTION` (`on` or `off`),
/// `MCP_MONITORING_NAMESPACE`, `MCP_BRIDGE_IMAGE`.
///
/// # Errors
/// One of them cannot be read.
pub fn render_options(world: &World) -> Result<RenderOptions> {
    let mut options = RenderOptions::default();
    if let Some(word) = world.variable("MCP_KUBERNETES_PROFILE") {
        options.profile = Profile::from_str(word, true).map_err(|_| {
            Error::invalid(format!("MCP_KUBERNETES_PROFILE: {word:?} is no profile"))
                .hint("choose plain, nginx, eks, gke or aks")
        })?;
    }
    if on(world, "MCP_AUTOSCALING")? == Some(true) {
        options.autoscaling = Autoscaling::On;
    }
    if on(world, "MCP_PROTECTION")? == Some(false) {
        options.protection = Protection::Off;
    }
    if let Some(name) = world.variable("MCP_MONITORING_NAMESPACE") {
        options.monitoring = Some(Name::label(name)?.to_string());
    }
    if let Some(image) = world.variable("MCP_BRIDGE_IMAGE") {
        options.bridge_image = ImageReference::parse(image)?;
    }
    Ok(options)
}

fn on(world: &World, name: &str) -> Result<Option<bool>> {
    match world.variable(name) {
        None => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(other) => Err(Error::invalid(format!(
            "{name}: {other:?} is neither `on` nor `off`"
        ))),
    }
}
