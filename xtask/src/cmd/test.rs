//! `test`: all tests of the three languages.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::config::{Config, Extension};
use crate::error::{Error, Result};
use crate::exec::{self, environment};
use crate::product::vsix;
use crate::tools::{node, python};
use crate::world::World;

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Run the tests of these languages only
    #[arg(value_enum)]
    languages: Vec<Language>,
}

/// One of the three languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// The Cargo workspace.
    Rust,
    /// The server.
    Python,
    /// The extension.
    Typescript,
}

/// Runs them one after another, all of them, and fails when any failed.
///
/// # Errors
/// A test failed, or its tools cannot be installed.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let asked = if arguments.languages.is_empty() {
        &Language::ALL[..]
    } else {
        &arguments.languages
    };
    let mut failed = Vec::new();
    for language in asked {
        let outcome = match language {
            Language::Rust => rust(world, &config),
            Language::Python => server(world, &config),
            Language::Typescript => extension(world, &config),
        };
        if let Err(error) = outcome {
            world.check_interrupted()?;
            world.terminal.error(&error);
            failed.push(language.word());
        }
    }
    let run: Vec<&str> = asked.iter().map(|language| language.word()).collect();
    world
        .terminal
        .json(&json!({ "schema": 1, "run": run, "failed": failed }));
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::failure(format!(
        "tests failed: {}",
        failed.join(", ")
    )))
}

impl Language {
    /// All three.
    pub const ALL: [Language; 3] = [Language::Rust, Language::Python, Language::Typescript];

    fn word(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
            Language::Typescript => "typescript",
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
    let (node, folder) = environment::extension(world, "test", &extension.path)?;
    Ok(Some(ExtensionTools {
        node,
        folder,
        script: extension.test.clone(),
    }))
}
