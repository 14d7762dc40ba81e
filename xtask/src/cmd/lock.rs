//! `lock`: says what is wrong with a lock file, and mends it where only one answer is possible.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::error::{Error, Result};
use crate::exec::audit::read;
use crate::lockfile::repair::{self, Outcome, Repaired};
use crate::lockfile::{Input, KINDS, Kind, Lock, kind_of};
use crate::world::{World, files};

/// Arguments of `lock`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say in a sentence what is wrong with a lock file
    Explain {
        /// The lock file
        file: Utf8PathBuf,
    },
    /// Write a repaired copy beside a broken lock file and show the difference
    Repair {
        /// The lock file; it is not changed
        file: Utf8PathBuf,
    },
}

/// Explains or repairs.
///
/// # Errors
/// A name that no kind of lock file has, a file that cannot be read, and what is wrong with it;
/// for a repair also a copy that is already there.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    match &arguments.action {
        Action::Explain { file } => explain(world, file),
        Action::Repair { file } => repair_file(world, file),
    }
}

/// Reads the text and calls `then` with all that a reader needs.
fn with_input<Answer>(
    world: &World,
    file: &Utf8Path,
    then: impl FnOnce(&'static Kind, &Input<'_>) -> Answer,
) -> Result<Answer> {
    let kind = kind_of(file.file_name().unwrap_or_default()).ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        Error::usage(format!("{file} has the name of no lock file that is read"))
            .hint(format!("these are read: {}", names.join(", ")))
    })?;
    let path = world.resolve(file);
    let text = read::regular(&path, world.show(&path).as_str())?;
    let folder = path.parent().unwrap_or(&world.root);
    let beside = |name: &str| read::regular(&folder.join(name), name).ok();
    let input = Input {
        text: &text,
        path: world.show(&path),
        shipping_groups: &["main".to_owned()],
        beside: &beside,
    };
    Ok(then(kind, &input))
}

fn explain(world: &World, file: &Utf8Path) -> Result<()> {
    let shown = world.resolve(file);
    let shown = world.show(&shown);
    let (kind, read) = with_input(world, file, |kind, input| (kind, (kind.read)(input)))?;
    let lock = read.inspect_err(|error| {
        world.terminal.json(&json!({
            "path": shown,
            "kind": kind.name,
            "reads": false,
            "problem": error.message,
            "hints": error.hints,
        }));
    })?;
    world
        .terminal
        .text(&format!("{shown} reads well: {}", describe(&lock)));
    for note in &lock.notes {
        world.terminal.warn(note);
    }
    world.terminal.json(&json!({
        "path": shown,
        "kind": kind.name,
        "reads": true,
        "ecosystem": lock.ecosystem,
        "format": lock.format,
        "packages": lock.packages.len(),
        "notes": lock.notes,
    }));
    Ok(())
}

fn describe(lock: &Lock) -> String {
    let count = match lock.packages.len() {
        1 => "1 package".to_owned(),
        count => format!("{count} packages"),
    };
    match lock.format.as_str() {
        "" => count,
        format => format!("{count}, format {format}"),
    }
}

fn repair_file(world: &World, file: &Utf8Path) -> Result<()> {
    let path = world.resolve(file);
    let shown = world.show(&path);
    let copy = Utf8PathBuf::from(format!("{path}.repaired"));
    let (kind, outcome) = with_input(world, file, |kind, input| {
        (kind, repair::repair(kind, input))
    })?;
    let repaired = match outcome? {
        Outcome::Repaired(repaired) => repaired,
        Outcome::Sound(lock) => {
            world.terminal.text(&format!(
                "{shown} reads well, nothing to repair: {}",
                describe(&lock)
            ));
            world
                .terminal
                .json(&json!({ "path": shown, "kind": kind.name, "repaired": null }));
            return Ok(());
        }
    };
    let shown_copy = world.show(&copy);
    if copy.as_std_path().symlink_metadata().is_ok() {
        return Err(
            Error::precondition(format!("{shown_copy} is already there"))
                .hint(format!("look at it, then remove it: rm {shown_copy}")),
        );
    }
    files::write(&copy, repaired.text.as_bytes())?;
    let next = next(kind, shown, shown_copy, &repaired);
    world.terminal.text(&format!(
        "--- {shown}\n+++ {shown_copy}\n{}\n{}",
        repaired.difference,
        next.join("\n")
    ));
    for step in &repaired.steps {
        world.terminal.done("repaired", step);
    }
    world.terminal.json(&json!({
        "path": shown,
        "kind": kind.name,
        "repaired": shown_copy,
        "steps": repaired.steps,
        "difference": repaired.difference,
        "lost": repaired.lost,
        "packages": repaired.reads.as_ref().ok().map(|lock| lock.packages.len()),
        "missed": repaired.reads.as_ref().err(),
        "next": next,
    }));
    Ok(())
}

/// What to look at before the copy takes the file's place.
fn next(kind: &Kind, shown: &Utf8Path, copy: &Utf8Path, repaired: &Repaired) -> Vec<String> {
    let reads = match &repaired.reads {
        Ok(lock) => format!("{copy} reads well: {}", describe(lock)),
        Err(missed) => format!("{copy} is in one piece again, but {missed}"),
    };
    let mut next = vec![format!("{reads}; {shown} is unchanged")];
    const SHOWN: usize = 5;
    let lost: Vec<&str> = repaired
        .lost
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect();
    if !lost.is_empty() {
        let more = if repaired.lost.len() > SHOWN {
            " and others"
        } else {
            ""
        };
        next.push(format!(
            "check whether a package is missing: there is no block for {}{more}",
            lost.join(", ")
        ));
    }
    next.push(format!(
        "compare it with the last good one: git diff HEAD -- {shown}"
    ));
    next.push(format!(
        "take it and lock again: mv {copy} {shown} && {}",
        kind.remedy
    ));
    next
}
