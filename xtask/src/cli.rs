//! The command grammar, its help, and the way from arguments to an exit code.

mod examples;

use std::ffi::OsString;

use camino::Utf8PathBuf;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cmd;
use crate::error::{EXIT_CODES, Error, Result};
use crate::world::terminal::{Detail, Format, Terminal};
use crate::world::{self, World, files};

/// Turns a commit of a Python MCP server into one verified, immutable release in dist/.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_long_help = exit_codes(), disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    general: General,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
struct General {
    /// The repository; by default the folder with release.toml here or above
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<Utf8PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print every command that is run, ready to paste
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build wheel and sdist from the commit into dist/
    Build(cmd::build::Arguments),
    /// Put the wheel in dist/ and its requirements into the extension's bundle folder
    Bundle(cmd::bundle::Arguments),
    /// Package the extension with the bundled wheel into dist/
    Package(cmd::package::Arguments),
    /// Build the container image of the wheel in dist/, or of a program, without a container engine
    Image(cmd::image::Arguments),
    /// Audit, build, bundle, prove, package and seal everything into dist/
    Release(cmd::release::Arguments),
    /// Ask every target of a profile what it has, and say what publishing would send
    Plan(cmd::plan::Arguments),
    /// Bring the release in dist/ to every target of a profile; prints the plan without --execute
    Publish(cmd::publish::Arguments),
    /// Download the release from its targets, and check the bytes and the chain between them
    Verify(cmd::verify::Arguments),
    /// Show every place that states the version, or raise it in all of them
    Version(cmd::version::Arguments),
    /// Say what the commits since the last release tell users, and merge it into the changelog
    Changelog(cmd::changelog::Arguments),
    /// Trace a file, a digest, a pod or a container back to its commit
    Trace(cmd::trace::Arguments),
    /// Run all tests of the three languages, or the released package in real editors
    Test(cmd::test::Arguments),
    /// Ask the formatters, linters and type checkers of the three languages
    Lint(cmd::lint::Arguments),
    /// Judge what is in the extension: its folder or a finished .vsix
    Check(cmd::check::Arguments),
    /// Judge the workflows of a repository, and run their jobs on this machine
    Ci(cmd::ci::Arguments),
    /// Hold every lock file against the advisories, offline
    Audit(cmd::audit::Arguments),
    /// Write the bill of materials: CycloneDX, SPDX, VEX
    Sbom(cmd::sbom::Arguments),
    /// Say what will break on build, publish and deploy, and what this machine needs; any repository
    Doctor(cmd::doctor::Arguments),
    /// Install the wheel afresh, start it, speak MCP to it, stop it, and note the evidence
    Prove(cmd::prove::Arguments),
    /// Write the requirements that the server's lock file stands for
    Requirements(cmd::requirements::Arguments),
    /// Write release.toml, workflows and the extension's hooks for a repository that has none
    Init(cmd::init::Arguments),
    /// Say what is wrong with a lock file, or write a repaired copy
    Lock(cmd::lock::Arguments),
    /// Print the script by which a shell completes verbs and options
    Completions(cmd::completions::Arguments),
    /// Print a manual page, or write all of them
    Man(cmd::man::Arguments),
}

/// The grammar of the command line, with examples in its help.
pub fn grammar() -> clap::Command {
    examples::add(Cli::command())
}

fn exit_codes() -> String {
    let lines = EXIT_CODES
        .iter()
        .map(|(code, meaning)| format!("  {code:>3}  {meaning}\n"));
    format!("Exit codes:\n{}", lines.collect::<String>())
}

/// Runs the tool on these arguments (the first is the program) and returns its exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let matches = grammar().try_get_matches_from(without_cargo_word(arguments));
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(message) => {
            // Help and version are answers, everything else is a usage error.
            drop(message.print());
            return if message.use_stderr() { 2 } else { 0 };
        }
    };
    let detail = match (cli.general.quiet, cli.general.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    };
    let surroundings = world::surroundings();
    let terminal = Terminal::among(cli.general.format, detail, surroundings);
    match perform(&cli, terminal.clone()).and_then(|()| terminal.whole()) {
        Ok(()) => 0,
        Err(error) => {
            terminal.error(&error);
            error.kind.exit_code()
        }
    }
}

/// What is wrong with the arguments of a call, as clap says it in its first line. Values that a
/// shell fills in are not known, so nothing is said about them.
pub fn problem(arguments: &[&str]) -> Option<String> {
    let words = ["cargo xtask"].iter().chain(arguments);
    let error = Cli::try_parse_from(words).err()?;
    let is_value = matches!(
        error.kind(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::InvalidUtf8
    );
    let unknown = arguments.iter().any(|word| word.contains('$'));
    if !error.use_stderr() || (is_value && unknown) {
        return None;
    }
    let said = error.to_string();
    let first = said.lines().next().unwrap_or_default();
    Some(first.trim_start_matches("error: ").to_owned())
}

/// `cargo xtask …` of an installed binary calls `cargo-xtask xtask …`.
fn without_cargo_word(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|word| word == "xtask") {
        arguments.remove(1);
    }
    arguments
}

/// Any repository is looked at, and its workflows are judged and run; every other verb needs a
/// `release.toml`.
fn observe(cli: &Cli, terminal: Terminal) -> Result<World> {
    let root = cli.general.root.as_deref();
    match &cli.verb {
        // It writes the file that marks a root, so it cannot look for it.
        Verb::Init(_) => World::observe(Some(root.unwrap_or(".".into())), terminal),
        Verb::Ci(_) | Verb::Doctor(_) => World::observe_any(root, terminal),
        _ => World::observe(root, terminal),
    }
}

fn perform(cli: &Cli, terminal: Terminal) -> Result<()> {
    let has_findings = match &cli.verb {
        Verb::Check(_) | Verb::Audit(_) | Verb::Doctor(_) | Verb::Lint(_) => true,
        Verb::Ci(arguments) => arguments.has_findings(),
        _ => false,
    };
    match cli.general.format {
        Format::Sarif if !has_findings => {
            return Err(Error::usage(
                "SARIF is a format for findings, which only `audit`, `check`, `ci check`, `doctor` and `lint` have",
            )
            .hint("use --format json"));
        }
        Format::Markdown if !matches!(cli.verb, Verb::Audit(_)) => {
            return Err(Error::usage("only `audit` writes Markdown").hint("use --format text"));
        }
        _ => {}
    }
    files::pin_umask();
    // These speak of the tool itself, wherever it is called.
    match &cli.verb {
        Verb::Completions(arguments) => {
            cmd::completions::run(&terminal, grammar(), arguments);
            return Ok(());
        }
        Verb::Man(arguments) => return cmd::man::run(&terminal, &grammar(), arguments),
        _ => {}
    }
    let world = observe(cli, terminal)?;
    world
        .interrupt
        .listen()
        .map_err(|cause| Error::failure(format!("listen for signals: {cause}")))?;
    match &cli.verb {
        Verb::Build(arguments) => cmd::build::run(&world, arguments),
        Verb::Bundle(arguments) => cmd::bundle::run(&world, arguments),
        Verb::Package(arguments) => cmd::package::run(&world, arguments),
        Verb::Image(arguments) => cmd::image::run(&world, arguments),
        Verb::Release(arguments) => cmd::release::run(&world, arguments),
        Verb::Plan(arguments) => cmd::plan::run(&world, arguments),
        Verb::Publish(arguments) => cmd::publish::run(&world, arguments),
        Verb::Verify(arguments) => cmd::verify::run(&world, arguments),
        Verb::Version(arguments) => cmd::version::run(&world, arguments),
        Verb::Changelog(arguments) => cmd::changelog::run(&world, arguments),
        Verb::Trace(arguments) => cmd::trace::run(&world, arguments),
        Verb::Test(arguments) => cmd::test::run(&world, arguments),
        Verb::Lint(arguments) => cmd::lint::run(&world, arguments),
        Verb::Check(arguments) => cmd::check::run(&world, arguments),
        Verb::Ci(arguments) => cmd::ci::run(&world, arguments),
        Verb::Audit(arguments) => cmd::audit::run(&world, arguments),
        Verb::Sbom(arguments) => cmd::sbom::run(&world, arguments),
        Verb::Doctor(arguments) => cmd::doctor::run(&world, arguments),
        Verb::Prove(arguments) => cmd::prove::run(&world, arguments),
        Verb::Requirements(arguments) => cmd::requirements::run(&world, arguments),
        Verb::Init(arguments) => cmd::init::run(&world, arguments),
        Verb::Lock(arguments) => cmd::lock::run(&world, arguments),
        // Done above.
        Verb::Completions(_) | Verb::Man(_) => Ok(()),
    }
}
