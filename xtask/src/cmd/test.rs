//! `test`: all tests of the three languages, and the package tried in a real editor.

mod host;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::config::{Config, Extension};
use crate::error::{Error, Kind, Result};
use crate::exec::{self, environment};
use crate::product::vsix;
use crate::tools::{node, python};
use crate::world::World;

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Run these tests only; `host` runs when it is named
    #[arg(value_enum)]
    suites: Vec<Suite>,
}

/// One of the three languages, or what all of them made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// The Cargo workspace.
    Rust,
    /// The server.
    Python,
    /// The extension.
    Typescript,
    /// The released `.vsix` in real editors, the oldest and the newest.
    Host,
}

/// What runs when nothing is named.
const USUAL: [Suite; 3] = [Suite::Rust, Suite::Python, Suite::Typescript];

/// Runs them one after another, all of them, and fails when any failed.
///
/// # Errors
/// A test failed, or its tools cannot be installed.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let asked = match arguments.suites.as_slice() {
        [] => &USUAL[..],
        named => named,
    };
    let mut failed = Vec::new();
    let mut kinds = Vec::new();
    for suite in asked {
        let outcome = match suite {
            Suite::Rust => rust(world, &config),
            Suite::Python => server(world, &config),
            Suite::Typescript => extension(world, &config),
            Suite::Host => host::run(world, &config),
        };
        if let Err(error) = outcome {
            world.check_interrupted()?;
            world.terminal.error(&error);
            failed.push(suite.word());
            kinds.push(error.kind);
        }
    }
    if arguments.suites.is_empty() {
        host::mention(world, &config);
    }
    let run: Vec<&str> = asked.iter().map(|suite| suite.word()).collect();
    world
        .terminal
        .json(&json!({ "schema": 1, "run": run, "failed": failed }));
    if failed.is_empty() {
        return Ok(());
    }
    let message = format!("tests failed: {}", failed.join(", "));
    Err(Error::new(outcome_of(&kinds), message))
}

/// What a script is told: a failed test before anything else, and a kind when all agree on it.
fn outcome_of(kinds: &[Kind]) -> Kind {
    match kinds {
        [first, rest @ ..] if rest.iter().all(|kind| kind == first) => *first,
        _ => Kind::Failure,
    }
}

impl Suite {
    fn word(self) -> &'static str {
        match self {
            Suite::Rust => "rust",
            Suite::Python => "python",
            Suite::Typescript => "typescript",
            Suite::Host => "host",
        }
    }
}

/// The workspace at the root, in the profile the tool itself runs in, so that libraries are
/// compiled once.
fn rust(world: &World, config: &Config) -> Result<()> {
    if !world.root.join("Cargo.toml").exists() {
        world.terminal.same("rust", "no Cargo.toml at the root");
        return Ok(());
    }
    let call = world
        .command("cargo")
        .args(["test", "--workspace", "--locked"])
        .args(exec::lint::profile(world)?);
    // The slow tests build, prove and package for real, and ask the real Poetry.
    let slow = ["XTASK_TEST_SLOW", "XTASK_TEST_POETRY"];
    let call = slow
        .iter()
        .fold(call, |call, name| call.variable(name, "1"));
    // What vsce packages is asked of the extension's own vsce.
    let call = match extension_tools(world, config)? {
        Some(tools) => call.variable("XTASK_TEST_NODE", tools.node.program()),
        None => call,
    };
    call.purpose("cargo test").show()?;
    world.terminal.done("rust", "cargo test --workspace");
    Ok(())
}

fn server(world: &World, config: &Config) -> Result<()> {
    let server = &config.server;
    if server.test.is_empty() {
        world
            .terminal
            .same("python", "release.toml has no server.test");
        return Ok(());
    }
    let requirements = environment::requirements(world, server)?;
    let environment = environment::server(world, "test", &requirements)?;
    python::isolated(world.command(&environment.python))
        .args(&server.test)
        .directory(world.root.join(&server.path))
        .purpose("the server's tests")
        .show()?;
    world
        .terminal
        .done("python", &format!("python {}", server.test.join(" ")));
    Ok(())
}

fn extension(world: &World, config: &Config) -> Result<()> {
    let Some(tools) = extension_tools(world, config)? else {
        world
            .terminal
            .same("typescript", "release.toml has no extension.test");
        return Ok(());
    };
    vsix::npm(world, &tools.node)
        .args(["run", "--silent", &tools.script])
        .directory(&tools.folder)
        .variable(vsix::PROGRAM_VARIABLE, world.program()?)
        .purpose("the extension's tests")
        .show()?;
    world
        .terminal
        .done("typescript", &format!("npm run {}", tools.script));
    Ok(())
}

/// What the extension's tests run with.
struct ExtensionTools {
    node: node::Node,
    folder: Utf8PathBuf,
    script: String,
}

/// Node.js, and `node_modules` in the working tree; `None` when there is nothing to test.
fn extension_tools(world: &World, config: &Config) -> Result<Option<ExtensionTools>> {
    let tested = |found: &&Extension| !found.test.is_empty();
    let Some(extension) = config.extension.as_ref().filter(tested) else {
        return Ok(None);
    };
    tools_for(world, extension, &extension.test).map(Some)
}

/// Node.js, and `node_modules` in the working tree, for one npm script.
fn tools_for(world: &World, extension: &Extension, script: &str) -> Result<ExtensionTools> {
    let (node, folder) = environment::extension(world, "test", &extension.path)?;
    Ok(ExtensionTools {
        node,
        folder,
        script: script.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_test_outweighs_what_is_missing() {
        let check = |kinds: &[Kind], expected| assert_eq!(outcome_of(kinds), expected);
        check(&[Kind::Failure], Kind::Failure);
        check(&[Kind::Precondition], Kind::Precondition);
        check(
            &[Kind::Precondition, Kind::Precondition],
            Kind::Precondition,
        );
        check(&[Kind::Precondition, Kind::Failure], Kind::Failure);
        check(&[Kind::Failure, Kind::Precondition], Kind::Failure);
    }
}
