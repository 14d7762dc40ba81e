//! `health`: whether what runs in this container is alive. It is the health check of the platform's
//! own image, which needs no other program for it.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use crate::error::{Error, Kind, Result};
use crate::world::World;

/// Where `serve` listens unless it is told.
const PORT: u16 = 8000;

/// How long an answer may take; engines wait five seconds for the whole check.
const PATIENCE: Duration = Duration::from_secs(2);

/// Arguments of `health`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The port on this machine; by default that of `PORT` or of `MCP_LISTEN`, else 8000
    #[arg(long)]
    port: Option<u16>,
    /// The page that answers 200
    #[arg(long, default_value = "/health")]
    page: String,
}

/// Asks once, with and without TLS.
///
/// # Errors
/// `Failed` when there is no answer, or another one than 200.
pub async fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let port = arguments.port.map_or_else(|| port(world), Ok)?;
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // Nobody else is on the loopback of a container, and its certificate names other hosts.
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(|error| Error::internal(format!("cannot ask: {error}")))?;
    let mut said = String::new();
    for scheme in ["http", "https"] {
        let address = format!("{scheme}://127.0.0.1:{port}{}", arguments.page);
        match client.get(&address).send().await {
            Ok(answer) if answer.status() == reqwest::StatusCode::OK => return Ok(()),
            Ok(answer) => said = format!("{address} answers {}", answer.status()),
            Err(_) if said.is_empty() => said = format!("{address} does not answer"),
            Err(_) => {}
        }
    }
    Err(Error::new(Kind::Failed, said))
}

/// The port that what runs here was told.
fn port(world: &World) -> Result<u16> {
    let wrong = |name: &str, text: &str| {
        Error::invalid(format!("{name} is {text:?}, which has no port"))
            .hint("name the port: mcp-platform health --port 8000")
    };
    if let Some(text) = world.variable("PORT") {
        return text.parse().map_err(|_| wrong("PORT", text));
    }
    match world.variable("MCP_LISTEN") {
        Some(text) => text
            .parse::<SocketAddr>()
            .map(|address| address.port())
            .map_err(|_| wrong("MCP_LISTEN", text)),
        None => Ok(PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(variables: &[(&str, &str)]) -> World {
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        World {
            environment: variables.iter().map(text).collect(),
            folder: "/".into(),
            program: "/mcp-platform".into(),
        }
    }

    #[test]
    fn the_port_is_the_one_that_was_told() {
        let check = |variables: &[(&str, &str)], expected: Option<u16>| {
            assert_eq!(port(&world(variables)).ok(), expected, "{variables:?}");
        };
        check(&[], Some(8000));
        check(&[("MCP_LISTEN", "0.0.0.0:9000")], Some(9000));
        check(&[("MCP_LISTEN", "[::]:9000"), ("PORT", "8080")], Some(8080));
        check(&[("PORT", "")], Some(8000));
        check(&[("PORT", "http")], None);
        check(&[("MCP_LISTEN", "9000")], None);
    }
}
