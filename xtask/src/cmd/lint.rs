//! `lint`: the formatters, linters and type checkers of the three languages.

use clap::{Args, ValueEnum};

use crate::error::Result;
use crate::exec::lint::{self, Mode};
use crate::lint::{Report, sarif};
use crate::world::World;
use crate::world::terminal::Format;

/// Arguments of `lint`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Look at these languages only
    #[arg(value_enum)]
    languages: Vec<Language>,
    /// Mend what can be mended without asking, then say what is left
    #[arg(long)]
    fix: bool,
}

/// One of the three languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// The Cargo workspace.
    Rust,
    /// The server.
    Python,
    /// The extension.
    Typescript,
}

const ALL: [Language; 3] = [Language::Rust, Language::Python, Language::Typescript];

/// Asks all of them, and prints what they found as one list.
///
/// # Errors
/// There are findings (exit code 1), or a tool that is used cannot run (5).
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let mode = if arguments.fix {
        Mode::Mend
    } else {
        Mode::Look
    };
    let mut report = Report::default();
    for language in ALL {
        if !arguments.languages.is_empty() && !arguments.languages.contains(&language) {
            continue;
        }
        match language {
            Language::Rust => lint::rust(world, mode, &mut report)?,
            Language::Python => lint::python(world, &config, mode, &mut report)?,
            Language::Typescript => lint::typescript(world, &config, mode, &mut report)?,
        }
    }
    match world.terminal.format {
        Format::Sarif => world.terminal.json(&sarif::log(&report)),
        _ => world.terminal.json(&report.json()),
    }
    if !report.findings.is_empty() {
        world.terminal.text(&report.text());
    }
    world.annotate(&report.annotations(), "the log has all of them");
    report.require_clean()
}
