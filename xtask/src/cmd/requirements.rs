//! `requirements`: the requirements file of the server's lock file.

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::config::Server;
use crate::error::{Error, Result};
use crate::exec;
use crate::requirements::{self, Export, Hashes, Options, Places};
use crate::world::terminal::size;
use crate::world::{World, files};

/// Arguments of `requirements`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Write the digests of all files (the default)
    #[arg(long, overrides_with = "without_hashes")]
    hashes: bool,
    /// Write names and versions only
    #[arg(long)]
    without_hashes: bool,
    /// A dependency group to export; may be repeated [default: server.groups of release.toml]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    group: Vec<String>,
    /// An extra of the project to export; may be repeated [default: server.extras of release.toml]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    extra: Vec<String>,
    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    /// Write nothing; fail unless the output file is up to date
    #[arg(long, requires = "output")]
    check: bool,
    /// Another project than server.path of release.toml
    #[arg(long, value_name = "DIR")]
    project: Option<Utf8PathBuf>,
}

/// Reads the lock file and prints, writes or compares what it stands for.
///
/// # Errors
/// No `pyproject.toml` or lock file, either damaged or not of the same state, an unknown
/// group or extra, or with `--check` a file that differs.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let (server, options) = inputs(world, arguments)?;
    let export = export(world, &server, &options)?;
    warn_of_missing(world, &export, options.hashes);
    let Some(output) = &arguments.output else {
        world.terminal.text(&export.text);
        world.terminal.json(&export.json());
        return Ok(());
    };
    let output = world.resolve(output);
    if arguments.check {
        compare(world, &output, &export)?;
    } else {
        files::write(&output, export.text.as_bytes())?;
        world
            .terminal
            .done("requirements", &describe(world, &output, &export));
    }
    world.terminal.json(&export.json());
    Ok(())
}

/// The server whose requirements are asked for: that of `release.toml`, or any project.
fn inputs(world: &World, arguments: &Arguments) -> Result<(Server, Options)> {
    let hashes = match arguments.without_hashes {
        true => Hashes::Without,
        false => Hashes::With,
    };
    let or_else = |asked: &[String], default: &[String]| match asked {
        [] => default.to_vec(),
        asked => asked.to_vec(),
    };
    let server = match &arguments.project {
        Some(project) => Server {
            path: world.show(&world.resolve(project)).to_owned(),
            lock: None,
            console_script: String::new(),
            groups: vec![requirements::project::MAIN.to_owned()],
            extras: Vec::new(),
            test: Vec::new(),
            test_groups: Vec::new(),
        },
        None => super::configuration(world)?.server,
    };
    let options = Options {
        hashes,
        groups: or_else(&arguments.group, &server.groups),
        extras: or_else(&arguments.extra, &server.extras),
    };
    Ok((server, options))
}

fn export(world: &World, server: &Server, options: &Options) -> Result<Export> {
    let folder = world.root.join(&server.path);
    let pyproject = folder.join("pyproject.toml");
    if !pyproject.is_file() {
        let hint = "name the project's folder: --project DIR, or server.path in release.toml";
        let message = format!("there is no {}", world.show(&pyproject));
        return Err(Error::precondition(message).hint(hint));
    }
    let lock = world.root.join(exec::bundle::lock_here(world, server)?);
    if !lock.is_file() {
        let message = format!("there is no {}", world.show(&lock));
        return Err(Error::precondition(message).hint("correct server.lock in release.toml"));
    }
    // The lock's relative paths are resolved from where its folder really is.
    let folder = lock.parent().unwrap_or(&folder);
    let real = folder
        .canonicalize_utf8()
        .map_err(|cause| Error::failure(format!("resolve the path {folder}: {cause}")))?;
    let places = Places {
        pyproject: world.show(&pyproject).as_str(),
        lock: world.show(&lock).as_str(),
        folder: &real,
    };
    let beside = |name: &str| files::read_text(&folder.join(name)).ok();
    let (pyproject, lock) = (files::read_text(&pyproject)?, files::read_text(&lock)?);
    requirements::resolve(&pyproject, &lock, options, places, &beside)
}

/// Says what a hash-locked file cannot hold: pip then refuses repositories and folders.
fn warn_of_missing(world: &World, export: &Export, hashes: Hashes) {
    let without = |one: &&requirements::Requirement| one.hashes.is_empty();
    let lines = export.requirements.iter().filter(without);
    let names: Vec<&str> = lines.map(|one| one.name.as_str()).collect();
    if hashes == Hashes::With && !names.is_empty() {
        world.terminal.warn(&format!(
            "these do not come from an index and have no digest, so `pip install \
             --require-hashes` will refuse the file: {}",
            names.join(", ")
        ));
    }
}

fn describe(world: &World, output: &Utf8Path, export: &Export) -> String {
    format!(
        "{}  {} packages  {}",
        world.show(output),
        export.requirements.len(),
        size(export.text.len() as u64)
    )
}

fn compare(world: &World, output: &Utf8Path, export: &Export) -> Result<()> {
    let shown = world.show(output);
    if !output.is_file() {
        return Err(Error::precondition(format!("there is no {shown}"))
            .hint(format!("write it: cargo xtask requirements -o {shown}")));
    }
    let found = files::read_text(output)?;
    if found == export.text {
        world
            .terminal
            .same("requirements", &describe(world, output, export));
        return Ok(());
    }
    Err(Error::failure(format!(
        "{shown} is not what the lock file stands for:\n{}",
        difference(&found, &export.text)
    ))
    .hint("run the same command without --check to write it anew"))
}

/// The lines that one text has and the other has not, at most ten, as `diff` marks them.
fn difference(found: &str, expected: &str) -> String {
    const SHOWN: usize = 10;
    let only = |one: &str, other: &str, mark: char| -> Vec<String> {
        let others: std::collections::HashSet<&str> = other.split('\n').collect();
        let lines = one.split('\n').filter(|line| !others.contains(line));
        lines.map(|line| format!("  {mark} {line}")).collect()
    };
    let mut lines = only(found, expected, '-');
    lines.extend(only(expected, found, '+'));
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if lines.is_empty() {
        lines.push("  the same lines, in another order or with other line ends".to_owned());
    }
    if more > 0 {
        lines.push(format!("  … and {more} more lines"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_short_and_never_empty() {
        assert_eq!(difference("a\nb\n", "a\nc\n"), "  - b\n  + c");
        assert!(difference("a\nb\n", "b\na\n").contains("another order"));
        assert!(difference("a\r\n", "a\n").contains("- a"));
        let many: String = (0..30).map(|number| format!("{number}\n")).collect();
        assert!(difference(&many, "").ends_with("… and 20 more lines"));
    }
}
