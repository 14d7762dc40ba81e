//! Offers a server that speaks over standard input and output as streamable HTTP at `/mcp`: one
//! child process a session, which ends with its session. It passes messages on as they are and
//! knows no more of MCP than who asked what.
//!
//! Runs inside containers and beside processes, so it needs nothing but this program.

mod http;
mod install;
mod session;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::Secret;
use crate::world::World;

/// Its options.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port to listen on, 0 for any free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// The environment variable with the bearer token that clients must send; unset: none
    #[arg(long, value_name = "VARIABLE")]
    pub bearer_variable: Option<String>,
    /// A name by which clients may call it, besides those of this machine; `*` for any. Listening on
    /// other addresses than loopback, any is allowed
    #[arg(long = "allowed-host", value_name = "HOST")]
    pub allowed_hosts: Vec<String>,
    /// The most sessions at a time
    #[arg(long, default_value_t = 64)]
    pub max_sessions: usize,
    /// Seconds after which a session that nobody uses ends
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    pub idle: u64,
    /// Seconds that open sessions have after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub drain: u64,
    /// Put this program into a folder and end: so a container of another image gets the bridge
    #[arg(long, hide = true, value_name = "FOLDER", conflicts_with = "command")]
    pub install: Option<PathBuf>,
    /// Wait and end: the pause before a container is asked to end, without a program of its image
    #[arg(long, hide = true, value_name = "SECONDS", conflicts_with_all = ["command", "install"])]
    pub pause: Option<u64>,
    /// The server, after `--`
    #[arg(
        last = true,
        required_unless_present_any = ["install", "pause"],
        value_name = "COMMAND"
    )]
    pub command: Vec<String>,
}

/// Serves until it is told to end.
///
/// # Errors
/// It cannot listen on the address, or the bearer's variable is named and empty; with `--install`,
/// the folder cannot be written to.
pub async fn run(arguments: Arguments, world: &World) -> Result<()> {
    if let Some(folder) = &arguments.install {
        return install::into(&world.folder.join(folder), &world.program);
    }
    if let Some(seconds) = arguments.pause {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        return Ok(());
    }
    let token = match &arguments.bearer_variable {
        None => None,
        // A template names its variable also when nobody set a token; then there is none.
        Some(variable) => match world.environment.get(variable).map(String::as_str) {
            None => None,
            Some("") => {
                return Err(
                    Error::invalid(format!("{variable} is empty, and so is no token"))
                        .hint(format!("unset {variable}, or put a token into it")),
                );
            }
            Some(token) => Some(Secret::new(token)),
        },
    };
    http::serve(arguments, token).await
}
