//! `serve`: the REST API, the MCP endpoint and the dashboard over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use clap::Args;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::api::audit::Audit;
use crate::api::certificate::Certificate;
use crate::api::gate::{Gate, Tokens};
use crate::api::serve::{self, Listening};
use crate::api::tokens::{self, TokenFile};
use crate::api::{Api, Limits, Parts, Rate};
use crate::error::{Error, Result};
use crate::world::{self, World};

use super::clusters::Several;
use super::{General, Output};

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    several: Several,
    /// Where to listen; port 0 picks one
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "MCP_LISTEN",
        default_value = "127.0.0.1:8000",
        hide_env_values = true
    )]
    listen: SocketAddr,
    /// A name by which clients call this server, besides localhost and addresses
    #[arg(long, value_name = "NAME")]
    host_name: Vec<String>,
    /// The file of tokens; `tokens.toml` in the state folder unless said otherwise
    #[arg(long, value_name = "FILE", env = "MCP_TOKENS", hide_env_values = true)]
    tokens: Option<PathBuf>,
    /// Where changes are recorded; `audit.jsonl` in the state folder unless said otherwise
    #[arg(
        long,
        value_name = "FILE",
        env = "MCP_AUDIT_LOG",
        hide_env_values = true
    )]
    audit_log: Option<PathBuf>,
    /// The chain of certificates for TLS, PEM; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Requests a second of one caller; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 50)]
    rate: u32,
    /// Requests of one caller at once
    #[arg(long, value_name = "N", default_value_t = 200)]
    burst: u32,
    /// The most bytes of a body
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024)]
    max_body: usize,
    /// The most bytes of a backup that is to be restored
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024)]
    max_backup: usize,
    /// The most open streams of logs and events
    #[arg(long, value_name = "N", default_value_t = 256)]
    max_streams: usize,
    /// The most open connections; one more is closed at once
    #[arg(long, value_name = "N", default_value_t = 1024)]
    max_connections: usize,
    /// Seconds that a client has to send the headers of a request
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    header_timeout: u64,
    /// Seconds that requests and operations have to come to their end when the program ends
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    grace: u64,
}

/// Where it listens.
#[derive(Serialize)]
struct Started {
    url: String,
    address: SocketAddr,
    tokens: &'static str,
    clusters: Vec<String>,
    audit_log: PathBuf,
}

/// Serves until the program is asked to end.
///
/// # Errors
/// The address cannot be listened on or may not be without tokens, or the back end cannot be set up.
pub async fn run(
    general: &General,
    world: &World,
    output: &Output,
    arguments: Arguments,
) -> Result<()> {
    let token_path = token_path(world, arguments.tokens.as_deref());
    let present = tokens::read(&token_path)?;
    let needed = serve::may_listen(arguments.listen, present.as_deref())?;
    let audit_log = match &arguments.audit_log {
        Some(path) => world.folder.join(path),
        None => world.state_folder().join("audit.jsonl"),
    };
    let certificate = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(Certificate {
            certificate: world.folder.join(certificate),
            key: world.folder.join(key),
        }),
        _ => None,
    };
    let tls = match &certificate {
        Some(files) => Some(files.load(world::now()).await?),
        None => None,
    };
    let (closing, is_closing) = watch::channel(false);
    let opened = arguments.several.open(general, world).await?;
    let clusters: Vec<String> = opened
        .clusters
        .all()
        .iter()
        .map(|cluster| cluster.name.clone())
        .collect();
    let served = opened.clusters.clone();
    let api = Api::new(Parts {
        clusters: opened.clusters,
        namespace: general.namespace()?,
        others: opened.others,
        gate: Gate {
            tokens: TokenFile::new(token_path),
            needed,
            hosts: arguments.host_name.clone(),
            rate: Rate::new(arguments.rate, arguments.burst),
        },
        audit: Audit::to(audit_log.clone()),
        limits: limits(general, &arguments),
        closing: is_closing,
    });
    let listening = serve::listen(arguments.listen)?;
    let signals = Signals::new()?;
    say(
        output,
        &listening,
        tls.is_some(),
        needed,
        present.is_some(),
        audit_log,
        clusters,
    );
    let signalled = signals.wait(tls.clone(), certificate, *output);
    let stop = async move {
        signalled.await;
        for cluster in served.all() {
            cluster.service.backend.stop_watching();
        }
    };
    let grace = Duration::from_secs(arguments.grace);
    match serve::serve(api, listening, tls, stop, closing, grace).await? {
        0 => Ok(()),
        left => Err(Error::new(
            crate::error::Kind::Timeout,
            format!("{left} operations were cut off; run them again"),
        )),
    }
}

fn limits(general: &General, arguments: &Arguments) -> Limits {
    Limits {
        body: arguments.max_body,
        backup: arguments.max_backup,
        streams: arguments.max_streams,
        connections: arguments.max_connections,
        header_time: Duration::from_secs(arguments.header_timeout),
        operation_time: Duration::from_secs(general.timeout.saturating_mul(2).saturating_add(60)),
        ..Limits::default()
    }
}

/// The file of tokens.
pub fn token_path(world: &World, given: Option<&std::path::Path>) -> PathBuf {
    given.map_or_else(
        || world.state_folder().join("tokens.toml"),
        |path| world.folder.join(path),
    )
}

fn say(
    output: &Output,
    listening: &Listening,
    tls: bool,
    needed: Tokens,
    any: bool,
    audit_log: PathBuf,
    clusters: Vec<String>,
) {
    let scheme = if tls { "https" } else { "http" };
    let url = format!("{scheme}://{}/", listening.address);
    let tokens = match (needed, any) {
        (Tokens::Needed, _) | (_, true) => "needed",
        (Tokens::NeededOnceThereAreAny, false) => "not needed on this machine",
    };
    if !tls && !listening.address.ip().is_loopback() {
        output.progress("warning: without TLS, tokens cross the network in the open");
    }
    let mut text = format!("listening on {url} (tokens: {tokens})\n");
    if clusters.len() > 1 {
        text.push_str(&format!("clusters: {}\n", clusters.join(", ")));
    }
    let started = Started {
        url,
        address: listening.address,
        tokens,
        clusters,
        audit_log,
    };
    output.result(&text, &started);
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Signals> {
        let of = |kind| {
            signal(kind).map_err(|error| Error::internal(format!("cannot hear signals: {error}")))
        };
        Ok(Signals {
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
            hang_up: of(SignalKind::hangup())?,
        })
    }

    /// Until the program is asked to end; on SIGHUP the certificate is read again.
    async fn wait(mut self, tls: Option<RustlsConfig>, files: Option<Certificate>, output: Output) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => break,
                _ = self.terminate.recv() => break,
                _ = self.hang_up.recv() => {
                    if let (Some(config), Some(files)) = (&tls, &files) {
                        match files.reload(config, world::now()).await {
                            Ok(()) => output.progress("the certificate was read again"),
                            Err(error) => output.error(&error),
                        }
                    }
                }
            }
        }
        output.progress("ending: streams are closed, operations come to their end");
    }
}
