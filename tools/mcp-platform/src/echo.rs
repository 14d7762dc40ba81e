//! A small real MCP server that is part of the platform's own program: for trying the platform out
//! on a machine that has nothing else, and for its tests. It knows nothing of the platform.
//!
//! `mcp-platform echo` speaks over standard input and output; with `--port`, streamable HTTP at
//! `/mcp`; with `--websocket` as well, WebSocket at `/mcp`. `ECHO_FAIL` makes it misbehave.

mod fault;
mod http;
mod server;
mod websocket;

use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use rmcp::ServiceExt as _;

use crate::error::{Error, Result};
use crate::model::Secret;

pub use fault::Fault;
pub use server::Echo;

/// Its options.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port to listen on, 0 for any free one; without it the server speaks over standard input
    /// and output
    #[arg(long)]
    pub port: Option<u16>,
    /// Speak WebSocket at /mcp instead of streamable HTTP
    #[arg(long, requires = "port")]
    pub websocket: bool,
    /// What every answer begins with
    #[arg(long, env = "ECHO_GREETING", default_value = "hello")]
    pub greeting: String,
    /// What `whoami` says
    #[arg(long, env = "MCP_INSTANCE", default_value = "")]
    pub instance: String,
    /// The bearer token that clients must send; give it by MCP_TOKEN, not here
    #[arg(long, env = "MCP_TOKEN", hide_env_values = true, hide = true, value_parser = secret)]
    pub token: Option<Secret>,
    /// Seconds that open sessions have after SIGTERM
    #[arg(long, env = "ECHO_DRAIN", default_value_t = 5)]
    pub drain: u64,
    /// Misbehave: exit:CODE, hang, unready, sick, slow:MILLISECONDS, deaf, memory:MEBIBYTES
    #[arg(long, env = "ECHO_FAIL")]
    pub fail: Option<Fault>,
}

fn secret(text: &str) -> std::result::Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// Serves until it is told to end; gives the exit code.
///
/// # Errors
/// It cannot listen on the address.
pub async fn run(arguments: Arguments) -> Result<u8> {
    // What `memory:` takes is held until the end.
    let _held = match arguments.fail {
        Some(Fault::Exit(code)) => {
            say(&format!("fails with {code}, as it was told"));
            return Ok(code);
        }
        Some(Fault::Hang) => {
            say("hangs, as it was told");
            fault::ended(None).await;
            return Ok(0);
        }
        Some(Fault::Slow(milliseconds)) => {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(milliseconds)) => {}
                () = fault::ended(None) => return Ok(0),
            }
            Vec::new()
        }
        Some(Fault::Memory(mebibytes)) => vec![1_u8; mebibytes << 20],
        Some(Fault::Unready | Fault::Sick | Fault::Deaf) | None => Vec::new(),
    };
    let echo = Echo::new(&arguments.greeting, &arguments.instance);
    match arguments.port {
        None => standard(echo).await?,
        Some(port) => http::serve(&arguments, port, echo).await?,
    }
    Ok(0)
}

async fn standard(echo: Echo) -> Result<()> {
    let running = echo
        .serve(rmcp::transport::io::stdio_pipes())
        .await
        .map_err(|error| Error::invalid(format!("standard input: {error}")))?;
    tokio::select! {
        _ = running.waiting() => {}
        () = fault::ended(None) => {}
    }
    Ok(())
}

/// One line on standard error, which a back end keeps as the log.
fn say(text: &str) {
    // Nobody may be reading any more; that is no reason to end.
    let _ = writeln!(std::io::stderr(), "echo: {text}");
}
