//! `changelog`: what the commits since the last release tell users, merged into what people wrote
//! under "Unreleased".

use std::fmt::Write as _;

use camino::Utf8Path;
use clap::Args;
use serde_json::json;

use crate::changelog::Changelog;
use crate::changelog::entry::{GROUPS, Told};
use crate::changelog::merge::{Missing, merge, missing};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::exec::changelog::{self as exec, Since};
use crate::exec::version as versions;
use crate::source;
use crate::version::number::Number;
use crate::version::tag;
use crate::world::World;
use crate::world::lock::Lock;
use crate::world::together::{self, Replacement};

/// Arguments of `changelog`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Write what is missing under "Unreleased"
    #[arg(long, conflicts_with_all = ["check", "move_"])]
    write: bool,
    /// Fail when a commit that users see has no line under "Unreleased"
    #[arg(long, conflicts_with = "move_")]
    check: bool,
    /// Move what is under "Unreleased" below the version that the files state, dated today
    #[arg(long = "move", id = "move_")]
    move_: bool,
    /// Fail when a commit follows no convention, instead of leaving it out
    #[arg(long, conflicts_with = "move_")]
    strict: bool,
}

/// Prints what would be added, or does what was asked for.
///
/// # Errors
/// The commits cannot be read, none of them (or, with `--strict`, not each) follows the
/// convention, or `--check` found one without a line.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let file = exec::file(&config)?;
    if arguments.move_ {
        return move_text(world, &config, file);
    }
    let _lock = match arguments.write {
        true => Some(Lock::take(world, "changelog")?),
        false => None,
    };
    let checkout = source::observe(world)?;
    if arguments.write {
        together::recover(world, &checkout.commit)?;
    }
    let text = exec::text(world, file)?;
    let since = exec::since(world, &config, &checkout)?;
    require_strict(&since.told, arguments.strict)?;
    let changelog = Changelog::parse(&text);
    let last = since.tag.as_deref();
    let last = last.and_then(|name| tag::version(&config.version.tag, name));
    let missing = missing(&changelog, &since.told, last);
    if arguments.write && !missing.is_empty() {
        let replacement = Replacement {
            path: file.to_owned(),
            old: text.clone().into_bytes(),
            new: merge(&changelog, &missing).into_bytes(),
        };
        together::change(world, &checkout.commit, vec![replacement])?.keep()?;
    }
    say(world, file, &since, &missing, arguments);
    match arguments.check && !missing.is_empty() {
        true => Err(unsaid(file, &missing)),
        false => Ok(()),
    }
}

fn require_strict(told: &Told, strict: bool) -> Result<()> {
    if !strict || told.unknown.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} commit(s) follow no convention: {}",
        told.unknown.len(),
        exec::named(told)
    ))
    .hint("mend the message of the last one: git commit --amend")
    .hint("or leave them out: without --strict"))
}

fn unsaid(file: &Utf8Path, missing: &Missing<'_>) -> Error {
    let commits = missing.entries.iter().take(5);
    let commits: Vec<String> = commits
        .map(|entry| format!("{:.7} {:?}", entry.commit, entry.says))
        .collect();
    let more = if missing.entries.len() > commits.len() {
        ", …"
    } else {
        ""
    };
    Error::refused(format!(
        "{file}: {} commit(s) that users see have no line under Unreleased: {}{more}",
        missing.entries.len(),
        commits.join(", ")
    ))
    .hint("write them: cargo xtask changelog --write")
    .hint("or put the beginning of a commit's id into the line that speaks of it")
}

fn say(
    world: &World,
    file: &Utf8Path,
    since: &Since,
    missing: &Missing<'_>,
    arguments: &Arguments,
) {
    let terminal = &world.terminal;
    let from = since.tag.as_deref().unwrap_or("the first commit");
    match (missing.is_empty(), arguments.write) {
        (true, _) => terminal.same("changelog", &format!("{file} says everything since {from}")),
        (false, true) => {
            let count = missing.entries.len();
            let text = format!("{count} line(s) added to {file}, from the commits since {from}");
            terminal.done("changelog", &text);
        }
        (false, false) => {
            terminal.text(&lines(missing));
            if !arguments.check {
                terminal.text("nothing was written: to do this, add --write");
            }
        }
    }
    let unknown = since.told.unknown.len();
    if unknown > 0 {
        let named = exec::named(&since.told);
        terminal.warn(&format!(
            "{unknown} commit(s) follow no convention and were left out: {named}"
        ));
    }
    terminal.json(&json!({
        "schema": 1,
        "file": file,
        "since": since.tag,
        "written": arguments.write && !missing.is_empty(),
        "entries": missing.entries,
        "contributors": missing.contributors,
        "left-out": since.told.unknown,
        "internal": since.told.internal,
    }));
}

/// What is missing, as it would stand there.
fn lines(missing: &Missing<'_>) -> String {
    let mut text = String::new();
    for group in GROUPS {
        let entries = missing.entries.iter().filter(|entry| entry.group == group);
        let mut entries: Vec<&str> = entries.map(|entry| entry.text.as_str()).collect();
        entries.sort_by_key(|line| !line.starts_with("**Breaking**"));
        if group == crate::changelog::entry::CONTRIBUTORS {
            entries.extend(missing.contributors.iter().map(String::as_str));
        }
        if entries.is_empty() {
            continue;
        }
        // Writing into a string cannot fail.
        let _ = writeln!(text, "### {group}\n");
        for entry in entries {
            let _ = writeln!(text, "- {entry}");
        }
        text.push('\n');
    }
    text
}

/// `changelog --move`: the text goes under the version that all files state.
fn move_text(world: &World, config: &Config, file: &Utf8Path) -> Result<()> {
    let _lock = Lock::take(world, "changelog")?;
    let checkout = source::observe(world)?;
    together::recover(world, &checkout.commit)?;
    let stated = versions::agreed(&versions::observe(world, config)?)?;
    let version = Number::parse(&stated).map_or(stated, |number| number.semantic());
    let replacement = exec::release(world, config, &checkout, &version)?;
    let is_moved = replacement.is_some();
    match replacement {
        Some(replacement) => {
            together::change(world, &checkout.commit, vec![replacement])?.keep()?;
            let text = format!("Unreleased is {version} now, in {file}: commit it");
            world.terminal.done("changelog", &text);
        }
        None => world
            .terminal
            .same("changelog", &format!("{file} has a section {version}")),
    }
    let written = json!({ "schema": 1, "file": file, "version": version, "written": is_moved });
    world.terminal.json(&written);
    Ok(())
}
