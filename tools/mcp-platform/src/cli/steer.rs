//! `start`, `stop`, `scale`, `restart`, `delete`: the arguments of each, and one way to do them all.

use clap::Args;

use crate::error::Result;
use crate::service::{Operation, StopMode, Waiting};
use crate::world::World;

use super::deploy::print;
use super::{General, Output};

/// Arguments of every one of them.
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

/// What is to be done to which server.
#[derive(Debug)]
pub struct Steering {
    arguments: Arguments,
    operation: Operation,
}

impl Steering {
    /// An operation that needs no more than the server.
    pub fn of(arguments: Arguments, operation: Operation) -> Steering {
        Steering {
            arguments,
            operation,
        }
    }
}

impl From<StopArguments> for Steering {
    fn from(arguments: StopArguments) -> Steering {
        let operation = Operation::Stop(StopMode::of(arguments.force));
        Steering::of(arguments.common, operation)
    }
}

impl From<ScaleArguments> for Steering {
    fn from(arguments: ScaleArguments) -> Steering {
        let operation = Operation::Scale(arguments.replicas);
        Steering::of(arguments.common, operation)
    }
}

/// Does it and prints.
///
/// # Errors
/// As the operation.
pub async fn run(
    general: &General,
    world: &World,
    output: &Output,
    steering: Steering,
) -> Result<()> {
    let Steering {
        arguments,
        operation,
    } = steering;
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.name)?;
    let waiting = Waiting::of(!arguments.no_wait);
    let outcome = service.run(&identity, &operation, waiting, output).await?;
    print(output, &outcome);
    Ok(())
}
