//! Running the formatters, linters and type checkers that a repository uses.

mod python;
mod rust;
mod typescript;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::lint::{Finding, Report, Tool};
use crate::world::process::Output;
use crate::world::{World, files};

/// Whether files are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are looked at.
    Look,
    /// What can be mended without asking is mended.
    Mend,
}

/// Asks the tools of Rust.
///
/// # Errors
/// One that is used cannot run.
pub fn rust(world: &World, mode: Mode, report: &mut Report) -> Result<()> {
    rust::lint(world, mode, report)
}

/// Asks the tools of Python.
///
/// # Errors
/// One that is used cannot run.
pub fn python(world: &World, config: &Config, mode: Mode, report: &mut Report) -> Result<()> {
    python::lint(world, config, mode, report)
}

/// Asks the tools of TypeScript.
///
/// # Errors
/// One that is used cannot run.
pub fn typescript(world: &World, config: &Config, mode: Mode, report: &mut Report) -> Result<()> {
    typescript::lint(world, config, mode, report)
}

/// The arguments that choose the profile the tool itself runs in, so that libraries are compiled
/// once.
pub fn profile(world: &World) -> Result<&'static [&'static str]> {
    let manifest = files::read_text(&world.root.join("Cargo.toml"))?;
    Ok(match manifest.contains("[profile.tool]") {
        true => &["--profile", "tool"],
        false => &[],
    })
}

/// A tool that ends badly must have found something; else it could not run.
fn settle(
    world: &World,
    report: &mut Report,
    tool: Tool,
    output: &Output,
    findings: Vec<Finding>,
) -> Result<()> {
    if !output.status.success() && findings.is_empty() {
        return Err(cannot_run(tool, output));
    }
    match findings.len() {
        0 => world.terminal.done(tool.word(), "clean"),
        count => world
            .terminal
            .failed(tool.word(), &format!("{count} findings")),
    }
    report.add(tool, findings);
    Ok(())
}

fn cannot_run(tool: Tool, output: &Output) -> Error {
    let said = format!("{}\n{}", output.stdout, output.stderr);
    let lines = said
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    let last = lines
        .get(lines.len().saturating_sub(10)..)
        .unwrap_or_default();
    Error::precondition(format!(
        "{} cannot run ({}): {}",
        tool.word(),
        output.status,
        last.join("\n       ")
    ))
}

/// Says that a tool is not asked.
fn leave_out(world: &World, report: &mut Report, tool: Tool, why: &str) {
    world
        .terminal
        .same(tool.word(), &format!("left out: {why}"));
    report.leave_out(tool, why);
}
