//! `logs` and `events`.

use clap::Args;
use futures::StreamExt as _;
use serde::Serialize;

use crate::backend::LogOptions;
use crate::error::Result;
use crate::model::Event;
use crate::world::World;

use super::{General, Output};

/// How a time is shown to people; programs get all of it.
const SECONDS: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct LogArguments {
    /// The server
    #[arg(value_name = "NAME")]
    name: String,
    /// Go on with new lines as they come
    #[arg(long, short)]
    follow: bool,
    /// Only the last lines of each instance
    #[arg(long, value_name = "N")]
    tail: Option<u32>,
    /// Only this instance
    #[arg(long, value_name = "INSTANCE")]
    instance: Option<String>,
    /// What was written before the last restart
    #[arg(long)]
    previous: bool,
}

/// Arguments of `events`.
#[derive(Debug, Args)]
pub struct EventArguments {
    /// The server
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Serialize)]
struct Events {
    events: Vec<Event>,
}

/// Prints what a server writes.
///
/// # Errors
/// There is no such server or instance.
pub async fn logs(
    general: &General,
    world: &World,
    output: &Output,
    arguments: LogArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.name)?;
    let options = LogOptions {
        follow: arguments.follow,
        tail: arguments.tail,
        instance: arguments.instance,
        previous: arguments.previous,
    };
    let mut lines = service.logs(&identity, &options).await?;
    while let Some(line) = lines.next().await {
        let line = line?;
        output.item(&format!("{}  {}", line.instance, line.text), &line);
    }
    Ok(())
}

/// Prints what happened to a server.
///
/// # Errors
/// The back end cannot be reached.
pub async fn events(
    general: &General,
    world: &World,
    output: &Output,
    arguments: EventArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let identity = general.identity(&arguments.name)?;
    let events = service.events(&identity).await?;
    let mut text = String::new();
    for event in &events {
        let at = event
            .at
            .map_or_else(|| "-".to_owned(), |at| at.strftime(SECONDS).to_string());
        let sign = if event.warning { "!" } else { " " };
        text.push_str(&format!(
            "{at} {sign} {}  {}: {}\n",
            event.about, event.reason, event.message
        ));
    }
    output.result(&text, &Events { events });
    Ok(())
}
