//! `update`: another image or configuration, and back when it does not get ready.

use clap::Args;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::ImageReference;
use crate::service::{UpdateRequest, Waiting};
use crate::world::World;

use super::deploy::{print, read_setting};
use super::{General, Output};

/// Arguments of `update`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The server
    #[arg(value_name = "NAME")]
    name: String,
    /// One key of the configuration; `key=@FILE` reads it from a file
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Takes a key out of the configuration
    #[arg(long = "unset", value_name = "KEY")]
    removals: Vec<String>,
    /// Another image
    #[arg(long)]
    image: Option<String>,
    /// Another wheel, for processes
    #[arg(long)]
    wheel: Option<String>,
    /// Return once the back end has taken it
    #[arg(long)]
    no_wait: bool,
}

/// Updates and prints.
///
/// # Errors
/// Everything that can go wrong with an update; the message says whether it was rolled back.
pub async fn run(
    general: &General,
    world: &World,
    output: &Output,
    arguments: Arguments,
) -> Result<()> {
    let identity = general.identity(&arguments.name)?;
    let service = general.service(world).await?;
    let present = service.status(&identity).await?;
    let Some(spec) = &present.observed.spec else {
        return Err(Error::conflict(format!(
            "{identity} was not deployed by this platform"
        )));
    };
    let schema = service
        .catalogue
        .get(&spec.template)?
        .configuration
        .schema
        .clone();
    let mut configuration = Map::new();
    for setting in &arguments.settings {
        let (key, value) = read_setting(setting, &schema, world)?;
        configuration.insert(key, value);
    }
    for key in &arguments.removals {
        configuration.insert(key.clone(), Value::Null);
    }
    let update = UpdateRequest {
        image: arguments
            .image
            .as_deref()
            .map(ImageReference::parse)
            .transpose()?,
        wheel: arguments.wheel.clone(),
        configuration,
    };
    let waiting = Waiting::of(!arguments.no_wait);
    let outcome = service.update(&identity, &update, waiting, output).await?;
    print(output, &outcome);
    Ok(())
}
