//! `ci check`: the workflows of a repository against our rules, zizmor and actionlint.

use camino::Utf8PathBuf;
use clap::Args;

use crate::error::Result;
use crate::exec::workflows::{self, Wanted};
use crate::world::World;
use crate::world::terminal::Format;

/// Arguments of `ci check`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Workflows and actions to judge [default: all under .github of the repository]
    #[arg(value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
    /// Hold the files against our own rules only; nothing is installed
    #[arg(long)]
    without_tools: bool,
}

/// Judges, prints, and refuses when a finding does.
///
/// # Errors
/// A finding (exit code 6), a file that cannot be read (1), a tool that cannot be installed (5).
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let wanted = match arguments.without_tools {
        true => Wanted::Own,
        false => Wanted::All,
    };
    let report = workflows::judge(world, &arguments.files, wanted)?;
    match world.terminal.format {
        Format::Json => world.terminal.json(&report.json()),
        Format::Sarif => world.terminal.json(&report.sarif()),
        Format::Text | Format::Markdown => {
            let text = report.text();
            if !text.is_empty() {
                world.terminal.text(&text);
            }
        }
    }
    match report.errors() {
        0 => world.terminal.done("ci check", &report.summary()),
        _ => world.terminal.failed("ci check", &report.summary()),
    }
    report.into_result()
}
