//! `start`, `stop`, `scale`, `restart`, `delete`.

use clap::Args;

use crate::error::Result;
use crate::service::{StopMode, Waiting};
use crate::world::World;

use super::deploy::print;
use super::{General, Output};

/// Arguments of `start` and `restart`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The server
    #[arg(value_name = "NAME")]
    name: String,
    /// Return once the back end has taken it
    #[arg(long)]
    no_wait: bool,
}

/// Arguments of `stop`.
#[derive(Debug, Args)]
pub struct StopArguments {
    #[command(flatten)]
    common: Arguments,
    /// End the instances at once, without grace
    #[arg(long)]
    force: bool,
}

/// Arguments of `scale`.
#[derive(Debug, Args)]
pub struct ScaleArguments {
    #[command(flatten)]
    common: Arguments,
    /// How many instances
    #[arg(value_name = "REPLICAS")]
    replicas: u32,
}

/// Arguments of `delete`.
#[derive(Debug, Args)]
pub struct DeleteArguments {
    #[command(flatten)]
    common: Arguments,
}

fn waiting(arguments: &Arguments) -> Waiting {
    if arguments.no_wait {
        Waiting::Return
    } else {
        Waiting::Wait
    }
}

/// Starts and prints.
///
/// # Errors
/// As the operation.
pub async fn start(
    general: &General,
    world: &World,
    output: &Output,
    arguments: Arguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.name)?;
    print(
        output,
        &service
            .start(&identity, waiting(&arguments), output)
            .await?,
    );
    Ok(())
}

/// Stops and prints.
///
/// # Errors
/// As the operation.
pub async fn stop(
    general: &General,
    world: &World,
    output: &Output,
    arguments: StopArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.common.name)?;
    let mode = if arguments.force {
        StopMode::Force
    } else {
        StopMode::Graceful
    };
    let outcome = service
        .stop(&identity, mode, waiting(&arguments.common), output)
        .await?;
    print(output, &outcome);
    Ok(())
}

/// Scales and prints.
///
/// # Errors
/// As the operation.
pub async fn scale(
    general: &General,
    world: &World,
    output: &Output,
    arguments: ScaleArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.common.name)?;
    let outcome = service
        .scale(
            &identity,
            arguments.replicas,
            waiting(&arguments.common),
            output,
        )
        .await?;
    print(output, &outcome);
    Ok(())
}

/// Restarts and prints.
///
/// # Errors
/// As the operation.
pub async fn restart(
    general: &General,
    world: &World,
    output: &Output,
    arguments: Arguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.name)?;
    print(
        output,
        &service
            .restart(&identity, waiting(&arguments), output)
            .await?,
    );
    Ok(())
}

/// Deletes and prints.
///
/// # Errors
/// As the operation.
pub async fn delete(
    general: &General,
    world: &World,
    output: &Output,
    arguments: DeleteArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.common.name)?;
    let outcome = service
        .delete(&identity, waiting(&arguments.common), output)
        .await?;
    print(output, &outcome);
    Ok(())
}
