//! `version`: one version everywhere, and raising it in every place at once.

use clap::Args;
use serde_json::json;

use crate::error::Result;
use crate::exec::version::{self as exec, Raised};
use crate::printable;
use crate::source;
use crate::version::number::Level;
use crate::version::{self, Statement};
use crate::world::lock::Lock;
use crate::world::{World, together};

/// Arguments of `version`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Fail when two places disagree
    #[arg(long)]
    check: bool,
    /// Write the next version into every place: major, minor, patch, pre, preminor, premajor, or a
    /// version
    #[arg(long, value_name = "LEVEL|VERSION", conflicts_with = "check")]
    bump: Option<Level>,
    /// Print what would be written, and write nothing
    #[arg(long, requires = "bump")]
    plan: bool,
}

/// Prints what every place says; with `--check`, disagreement is an error; with `--bump`, all
/// places are written.
///
/// # Errors
/// A file is missing or cannot be read, `--check` found a disagreement, or the version cannot be
/// raised.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    match arguments.bump {
        Some(level) if arguments.plan => plan(world, level),
        Some(level) => bump(world, level),
        None => check(world, arguments.check),
    }
}

fn check(world: &World, required: bool) -> Result<()> {
    let config = super::configuration(world)?;
    let statements = exec::observe(world, &config)?;
    let Some(reference) = version::reference(&statements) else {
        return exec::agreed(&statements).map(drop);
    };
    let agrees = |one: &Statement| one.agrees(&reference);
    let wrong = statements.iter().filter(|one| !agrees(one)).count();
    world.terminal.text(&table(&statements, agrees));
    world.terminal.json(&json!({
        "schema": 1,
        "version": reference,
        "agrees": wrong == 0,
        "statements": statements,
    }));
    match wrong {
        0 => Ok(()),
        _ if !required => Ok(()),
        _ => Err(exec::disagreement(wrong, statements.len(), &reference)),
    }
}

fn plan(world: &World, level: Level) -> Result<()> {
    let config = super::configuration(world)?;
    let checkout = source::observe(world)?;
    let raised = exec::raise(world, &config, &checkout, level)?;
    world.terminal.text(&changes(&raised));
    world
        .terminal
        .text("nothing was written: to do this, leave out --plan");
    world
        .terminal
        .json(&json!({ "schema": 1, "written": false, "version": raised }));
    Ok(())
}

fn bump(world: &World, level: Level) -> Result<()> {
    let config = super::configuration(world)?;
    let _lock = Lock::take(world, "version")?;
    together::recover(world, &source::observe(world)?.commit)?;
    let checkout = source::observe(world)?;
    let raised = exec::raise(world, &config, &checkout, level)?;
    let changed = together::change(world, &checkout.commit, raised.files.clone())?;
    exec::require(world, &config, &raised.to)?;
    changed.keep()?;
    world.terminal.text(&changes(&raised));
    world.terminal.done(
        "version",
        &format!(
            "{} → {} in {} files",
            raised.from,
            raised.to,
            raised.files.len()
        ),
    );
    world
        .terminal
        .json(&json!({ "schema": 1, "written": true, "version": raised }));
    Ok(())
}

/// What is written where, in lines.
pub fn changes(raised: &Raised) -> String {
    let place = |file: &str, key: &str| format!("{file}  {key}");
    let widths = raised
        .changes
        .iter()
        .map(|one| place(&one.file, &one.key).chars().count());
    let width = widths.max().unwrap_or(0);
    let line = |one: &version::edit::Change| {
        let place = place(&one.file, &one.key);
        format!(
            "{place:<width$}  {} → {}\n",
            printable::line(&one.from, 80),
            one.to
        )
    };
    raised.changes.iter().map(line).collect()
}

fn table(statements: &[Statement], agrees: impl Fn(&Statement) -> bool) -> String {
    let place = |one: &Statement| format!("{}  {}", one.file, one.key);
    let width = statements
        .iter()
        .map(|one| place(one).chars().count())
        .max()
        .unwrap_or(0);
    let line = |one: &Statement| {
        let mark = if agrees(one) { "✓" } else { "✗" };
        let version = one.version.as_deref().unwrap_or("says nothing");
        format!("{mark} {:<width$}  {version}\n", place(one))
    };
    statements.iter().map(line).collect()
}
