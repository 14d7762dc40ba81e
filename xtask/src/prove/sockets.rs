//! Where a server may listen: over stdio nowhere, over HTTP exactly where it was asked to.

use std::net::SocketAddr;

use super::server::Server;
use super::{Checked, Failure};
use crate::error::Error;
use crate::world::process::table;

/// The evidence on systems that do not tell.
pub const NOT_CHECKED: &str = "not checked on this system";

/// Requires that a server nobody asked to listen does not.
///
/// # Errors
/// It listens; the message says where.
pub fn none(server: &mut Server<'_>, transport: &str) -> Checked<String> {
    only(server, transport, None)?;
    Ok(evidence("listens nowhere"))
}

/// Requires that a server listens where it was asked to, and nowhere else.
///
/// # Errors
/// It listens elsewhere; the message says where.
pub fn only(server: &mut Server<'_>, transport: &str, asked: Option<SocketAddr>) -> Checked<()> {
    let others: Vec<SocketAddr> = server
        .listeners()
        .into_iter()
        .filter(|address| Some(*address) != asked)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(refusal(transport, &others, asked))
}

/// Requires that nothing listens beyond the loopback interface. Held after a tool call, which
/// may well have opened ports for its own processes, such as those of a Jupyter kernel.
///
/// # Errors
/// Something does; the message says where.
pub fn nothing_exposed(server: &mut Server<'_>, transport: &str) -> Checked<()> {
    let exposed: Vec<SocketAddr> = server
        .listeners()
        .into_iter()
        .filter(|address| !address.ip().is_loopback())
        .collect();
    if exposed.is_empty() {
        return Ok(());
    }
    let error = Error::refused(format!(
        "over {transport}: after the tool call the server listens on {}, which other machines \
         can reach",
        list(&exposed)
    ))
    .hint("bind what a tool opens to 127.0.0.1");
    Err(Failure::new(format!("{transport}-sockets"), error))
}

/// What is wrong with listening there.
pub fn refusal(transport: &str, found: &[SocketAddr], asked: Option<SocketAddr>) -> Failure {
    let found = list(found);
    let error = match asked {
        Some(asked) => Error::refused(format!(
            "over {transport}: the server was asked to listen on {asked}, but listens on {found}"
        ))
        .hint("bind the address and port it is given, and open no other port"),
        None => Error::refused(format!(
            "over {transport}: the server listens on {found}, although nobody asked it to"
        ))
        .hint("open no port when the transport is stdio"),
    };
    Failure::new(format!("{transport}-sockets"), error)
}

fn list(addresses: &[SocketAddr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    addresses.join(" and ")
}

/// The evidence about sockets.
pub fn evidence(held: &str) -> String {
    if table::KNOWN { held } else { NOT_CHECKED }.to_owned()
}

/// The evidence about processes left behind.
pub fn children() -> String {
    evidence("none left behind")
}
