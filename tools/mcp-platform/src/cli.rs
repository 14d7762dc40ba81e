//! The command grammar, and the way from arguments to an exit code.

mod backup;
mod check;
mod clusters;
mod deploy;
mod doctor;
mod general;
mod health;
mod lint;
mod list;
mod mcp;
mod output;
mod records;
mod render;
mod serve;
mod setup;
mod steer;
mod templates;
mod token;
mod update;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::{Error, Kind, Result};
use crate::service::Operation;
use crate::world::World;

use steer::Steering;

pub use general::General;
pub use output::{Format, Output};

/// Every exit code and its meaning, in the order in which the help shows them.
const EXIT_CODES: [(u8, &str); 7] = [
    (0, "done"),
    (1, "failure, also a server that failed"),
    (2, "usage, configuration, or no such server or template"),
    (3, "not ready in time"),
    (4, "conflict with the present state"),
    (
        5,
        "the back end cannot be reached, or a tool, a file or a port of this machine cannot be used",
    ),
    (6, "not allowed"),
];

/// Deploys, watches and steers MCP servers on Kubernetes, Docker or this machine.
#[derive(Debug, Parser)]
#[command(name = "mcp-platform", version, after_long_help = exit_codes(), disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    general: General,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a server run from a template; again with the same request changes nothing
    Deploy(deploy::Arguments),
    /// Show all servers with their status
    List(list::ListArguments),
    /// Show one server: status, reason, instances, endpoints, conditions
    Status(list::StatusArguments),
    /// Start a server with as many instances as stop found
    Start(steer::Arguments),
    /// Stop a server: sessions first, then a signal, then the grace period
    Stop(steer::StopArguments),
    /// Set the number of instances
    Scale(steer::ScaleArguments),
    /// Replace every instance
    Restart(steer::Arguments),
    /// Change image or configuration; goes back when it does not get ready
    Update(update::Arguments),
    /// Write the Kubernetes objects of a server as YAML, for GitOps; asks no cluster
    Render(render::Arguments),
    /// Check Kubernetes manifests of others by the rules that ours keep
    Lint(lint::Arguments),
    /// Remove a server and everything of it
    Delete(steer::Arguments),
    /// Show what a server writes
    Logs(records::LogArguments),
    /// Show what happened to a server
    Events(records::EventArguments),
    /// Serve the operations as MCP tools over standard input and output
    Mcp(clusters::Several),
    /// Write the specifications of all servers into one file
    Backup(backup::BackupArguments),
    /// Make the servers of a backup run, or stand still, as they did; again changes nothing
    Restore(backup::RestoreArguments),
    /// Serve the REST API, the MCP endpoint and the dashboard over HTTP
    Serve(serve::Arguments),
    /// Make, show or take away the tokens of `serve`
    Token(token::Arguments),
    /// Check whether the back end can run servers; with --cluster, look at a cluster closely
    Doctor,
    /// Print the namespace and the rights that a cluster needs, or apply them
    Setup(setup::Arguments),
    /// Show the clusters that --cluster can name
    Clusters,
    /// Show all templates
    Templates,
    /// Show one template with the schema of its configuration
    Template(templates::Arguments),
    /// Ask a server itself: its pages, then a real MCP handshake
    Check(check::Arguments),
    /// Offer a server of standard input and output as streamable HTTP, one process a session
    Bridge(crate::bridge::Arguments),
    /// Run a small MCP server, for trying out and for tests
    Echo(crate::echo::Arguments),
    /// Ask the program that runs beside this one whether it is alive: the health check of our image
    #[command(hide = true)]
    Health(health::Arguments),
    /// Keep the instances of one server running; started by the process back end, not by people
    #[command(hide = true)]
    Supervise(crate::backend::process::supervise::Arguments),
    /// Write the completions of a shell to stdout
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    cli.general.namespace_named =
        matches.value_source("namespace") == Some(ValueSource::CommandLine);
    let output = Output::new(cli.general.format, cli.general.quiet);
    let done = World::read().and_then(|world| run(cli, &world, &output));
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.error(&error);
            ExitCode::from(exit_code(error.kind))
        }
    }
}

fn run(cli: Cli, world: &World, output: &Output) -> Result<u8> {
    // The libraries leave the choice of the cryptography to the program; a second choice is ours too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("cannot start threads: {error}")))?;
    let general = cli.general;
    let steer = |steering| steer::run(&general, world, output, steering);
    runtime.block_on(async {
        match cli.verb {
            Verb::Deploy(arguments) => deploy::run(&general, world, output, arguments).await,
            Verb::List(arguments) => list::list(&general, world, output, arguments).await,
            Verb::Status(arguments) => list::status(&general, world, output, arguments).await,
            Verb::Start(arguments) => steer(Steering::of(arguments, Operation::Start)).await,
            Verb::Stop(arguments) => steer(arguments.into()).await,
            Verb::Scale(arguments) => steer(arguments.into()).await,
            Verb::Restart(arguments) => steer(Steering::of(arguments, Operation::Restart)).await,
            Verb::Update(arguments) => update::run(&general, world, output, arguments).await,
            Verb::Render(arguments) => render::run(&general, world, output, arguments).await,
            Verb::Lint(arguments) => return lint::run(world, output, &arguments),
            Verb::Delete(arguments) => steer(Steering::of(arguments, Operation::Delete)).await,
            Verb::Logs(arguments) => records::logs(&general, world, output, arguments).await,
            Verb::Events(arguments) => records::events(&general, world, output, arguments).await,
            Verb::Mcp(several) => mcp::run(&general, world, &several).await,
            Verb::Backup(arguments) => backup::backup(&general, world, output, &arguments).await,
            Verb::Restore(arguments) => backup::restore(&general, world, output, &arguments).await,
            Verb::Serve(arguments) => serve::run(&general, world, output, arguments).await,
            Verb::Token(arguments) => token::run(&general, world, output, arguments),
            Verb::Doctor => doctor::run(&general, world, output).await,
            Verb::Setup(arguments) => setup::run(&general, world, output, arguments).await,
            Verb::Clusters => {
                clusters::run(world, output);
                Ok(())
            }
            Verb::Templates => templates::all(&general, world, output).await,
            Verb::Template(arguments) => templates::one(&general, world, output, &arguments).await,
            Verb::Check(arguments) => check::run(&general, world, output, &arguments).await,
            Verb::Bridge(arguments) => crate::bridge::run(arguments, world).await,
            Verb::Echo(arguments) => return crate::echo::run(arguments).await,
            Verb::Health(arguments) => health::run(world, &arguments).await,
            Verb::Supervise(arguments) => {
                crate::backend::process::supervise::run(&arguments, world).await
            }
            Verb::Completions { shell } => {
                completions(shell, output);
                Ok(())
            }
        }
        .map(|()| 0)
    })
}

fn completions(shell: clap_complete::Shell, output: &Output) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcp-platform", &mut text);
    output.raw(&text);
}

fn exit_code(kind: Kind) -> u8 {
    match kind {
        Kind::Invalid | Kind::NotFound => 2,
        Kind::Timeout => 3,
        Kind::Conflict => 4,
        Kind::Unavailable | Kind::Precondition => 5,
        Kind::Unauthenticated | Kind::Forbidden => 6,
        Kind::Failed | Kind::Internal => 1,
    }
}

fn exit_codes() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (code, meaning) in EXIT_CODES {
        text.push_str(&format!("  {code}  {meaning}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_exit_code_is_documented() {
        for kind in [
            Kind::Invalid,
            Kind::NotFound,
            Kind::Timeout,
            Kind::Conflict,
            Kind::Unavailable,
            Kind::Precondition,
            Kind::Unauthenticated,
            Kind::Forbidden,
            Kind::Failed,
            Kind::Internal,
        ] {
            assert!(EXIT_CODES.iter().any(|(code, _)| *code == exit_code(kind)));
        }
    }
}
