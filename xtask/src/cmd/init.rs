//! `init`: `release.toml`, two workflows and the extension's hooks for a repository that has none.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::error::{Context, Error, Kind, Result};
use crate::init::{Change, Facts, Proposal, Target, Wishes, propose};
use crate::source::git;
use crate::world::{World, files};

/// Sources that are larger are no source of a server.
const LARGEST: u64 = 4 << 20;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Print what would be written, and write nothing
    #[arg(long)]
    plan: bool,
    /// Replace the files that the plan names; others are never replaced
    #[arg(long)]
    force: bool,
    /// The folder of the server's pyproject.toml, when there are several
    #[arg(long, value_name = "DIR")]
    server: Option<Utf8PathBuf>,
    /// The folder of the extension's package.json, when there are several
    #[arg(long, value_name = "DIR")]
    extension: Option<Utf8PathBuf>,
    /// The console script that starts the server, when there are several
    #[arg(long, value_name = "NAME")]
    console_script: Option<String>,
    /// The lock file that says what ships, when there are several
    #[arg(long, value_name = "FILE")]
    lock: Option<Utf8PathBuf>,
    /// The tool that is called to see that the server works
    #[arg(long, value_name = "TOOL")]
    call: Option<String>,
    /// Publish there; may be repeated [default: commented examples]
    #[arg(long, value_enum, value_name = "TARGET")]
    target: Vec<Target>,
}

/// Inspects the repository, decides, and writes; nothing is written when anything is left open.
///
/// # Errors
/// No git repository, a question that is left open, or files that exist already.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let top = top(world)?;
    let facts = look(world, &top)?;
    let wishes = Wishes {
        server: arguments.server.clone(),
        extension: arguments.extension.clone(),
        console_script: arguments.console_script.clone(),
        lock: arguments.lock.clone(),
        call: arguments.call.clone(),
        targets: arguments.target.clone(),
    };
    let proposal = propose(&facts, &wishes)?;
    world.terminal.text(&proposal.to_string());
    let replaced = proposal.replaced();
    if !replaced.is_empty() && !arguments.force && !arguments.plan {
        let listed = replaced.join(", ");
        return Err(Error::precondition(format!(
            "{} file(s) exist already: {listed}",
            replaced.len()
        ))
        .hint("nothing was written; look at what would be: cargo xtask init --plan")
        .hint("replace these files: cargo xtask init --force"));
    }
    if arguments.plan {
        world.terminal.json(&proposal.json(false));
        return Ok(());
    }
    write(&top, &proposal)?;
    for change in &proposal.changes {
        world.terminal.done("init", &change.path);
    }
    let lines = proposal.next.iter().map(|line| format!("  {line}\n"));
    let lines: String = lines.collect();
    world.terminal.text(&format!("next:\n{lines}"));
    world.terminal.json(&proposal.json(true));
    Ok(())
}

/// The top folder of the git repository: workflows lie there and nowhere else.
fn top(world: &World) -> Result<Utf8PathBuf> {
    let found = git(world).args(["rev-parse", "--show-toplevel"]).run();
    let found = found.map_err(
        |error| match error.message.contains("not a git repository") {
            true => Error::precondition(format!("{} is not in a git repository", world.root))
                .hint("a release is built from a commit: git init && git add . && git commit"),
            false => Error {
                kind: Kind::Precondition,
                ..error
            },
        },
    )?;
    Ok(Utf8PathBuf::from(
        found.stdout.trim_end_matches(['\n', '\r']),
    ))
}

/// Reads what decides; runs nothing but git.
fn look(world: &World, top: &Utf8Path) -> Result<Facts> {
    let listed = |arguments: &[&str]| -> Result<BTreeSet<String>> {
        let output = git(world).directory(top).args(arguments).run()?;
        let paths = output.stdout.split('\0').filter(|path| !path.is_empty());
        Ok(paths.map(str::to_owned).collect())
    };
    let standard = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let mut paths = listed(&standard)?;
    paths.retain(|path| top.join(path).is_file());
    let mut texts = BTreeMap::new();
    for path in paths.iter().filter(|path| Facts::wants(path)) {
        let file = top.join(path);
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        let is_source = path.ends_with(".py");
        if is_source && size > LARGEST {
            continue;
        }
        match files::read_text(&file) {
            Ok(text) => drop(texts.insert(path.clone(), text)),
            Err(error) if Facts::needs(path) => return Err(error),
            Err(_) => {}
        }
    }
    let own = [
        "release.toml",
        ".github/workflows/ci.yml",
        ".github/workflows/release.yml",
        ".gitignore",
    ];
    // A link that leads nowhere is there, too.
    let is_there = |path: &str| top.join(path).symlink_metadata().is_ok();
    let present = own
        .iter()
        .filter(|path| is_there(path) && !paths.contains(**path));
    let said = |arguments: &[&str]| -> Option<String> {
        let output = git(world).directory(top).args(arguments).output().ok()?;
        let text = output.stdout.trim();
        (output.status.success() && !text.is_empty()).then(|| text.to_owned())
    };
    let remote = said(&["remote", "get-url", "origin"]);
    // What everybody merges into, rather than what is worked on just now.
    let default = said(&["symbolic-ref", "--short", "refs/remotes/origin/HEAD"]);
    let default = default.and_then(|name| Some(name.strip_prefix("origin/")?.to_owned()));
    let default = default.or_else(|| said(&["symbolic-ref", "--short", "HEAD"]));
    Ok(Facts {
        ignored: present.map(|path| (*path).to_owned()).collect(),
        repository: remote.and_then(|remote| crate::init::repository(&remote)),
        branch: default.unwrap_or_else(|| "main".to_owned()),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        paths,
        texts,
    })
}

/// What was done so far, and how it is undone.
enum Done {
    /// A file was written that was not there.
    Created(Utf8PathBuf),
    /// A file was written that held this.
    Changed(Utf8PathBuf, Vec<u8>),
    /// A folder was made.
    Folder(Utf8PathBuf),
}

/// Writes every file; what was written is taken back when one cannot be.
fn write(top: &Utf8Path, proposal: &Proposal) -> Result<()> {
    let mut done = Vec::new();
    for change in &proposal.changes {
        if let Err(error) = write_one(&top.join(&change.path), change, &mut done) {
            take_back(&done);
            return Err(error.hint("nothing was written: what had been was taken back"));
        }
    }
    Ok(())
}

fn write_one(path: &Utf8Path, change: &Change, done: &mut Vec<Done>) -> Result<()> {
    let folders: Vec<&Utf8Path> = path
        .ancestors()
        .skip(1)
        .take_while(|folder| !folder.exists())
        .collect();
    for folder in folders.into_iter().rev() {
        files::create_folder(folder)?;
        done.push(Done::Folder(folder.to_owned()));
    }
    let before = match path.exists() {
        true => Some((files::read(path)?, path.metadata())),
        false => None,
    };
    files::write(path, change.text.as_bytes())?;
    let Some((bytes, metadata)) = before else {
        done.push(Done::Created(path.to_owned()));
        return Ok(());
    };
    done.push(Done::Changed(path.to_owned(), bytes));
    if let Ok(metadata) = metadata {
        let kept = std::fs::set_permissions(path, metadata.permissions());
        kept.doing(|| format!("set the mode of {path}"))?;
    }
    Ok(())
}

/// What fails here failed for the reason that is being reported already.
fn take_back(done: &[Done]) {
    for one in done.iter().rev() {
        match one {
            Done::Created(path) => drop(std::fs::remove_file(path)),
            Done::Changed(path, bytes) => drop(files::write(path, bytes)),
            Done::Folder(path) => drop(std::fs::remove_dir(path)),
        }
    }
}
