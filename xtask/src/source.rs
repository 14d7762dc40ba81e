//! The source: what git says of the repository, and clean exports of a commit.
//!
//! A build never looks at the working tree. It gets an export of HEAD in which every file has
//! the commit's time, so that neither untracked files nor the history of a checkout leak in.

use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::Source;
use crate::error::{Context, Error, Kind, Result};
use crate::world::{CONFIGURATION_FILE, World, process::Command};

/// What is known of the checkout. Paths are relative to the repository root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The full id of HEAD.
    pub commit: String,
    /// The time of HEAD, seconds since 1970-01-01 UTC.
    pub epoch: i64,
    /// Whether older commits are missing.
    pub shallow: bool,
    /// Tracked files whose content differs from HEAD, and new files in the index.
    pub modified: Vec<String>,
    /// Files git neither tracks nor ignores.
    pub untracked: Vec<String>,
    /// The folder of `release.toml` inside the work tree, empty for its top, else `a/b/`.
    pub prefix: String,
}

impl Checkout {
    /// The source a release names; `dirty` is what was asked for, not what was found.
    pub fn source(&self, tree: Tree) -> Source {
        Source {
            commit: self.commit.clone(),
            dirty: tree == Tree::Working,
            source_date_epoch: self.epoch,
        }
    }
}

/// Which tree is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// The commit HEAD names.
    Head,
    /// The working tree: tracked files as they are now and untracked ones; not the ignored.
    Working,
}

impl Tree {
    /// The tree that `--dirty` asks for, or that a manifest says was built.
    pub fn of(dirty: bool) -> Tree {
        if dirty { Tree::Working } else { Tree::Head }
    }
}

/// Looks at the checkout.
///
/// # Errors
/// git is missing, the root is not in a repository, or there is no commit yet.
pub fn observe(world: &World) -> Result<Checkout> {
    let facts = git(world).args([
        "rev-parse",
        "--is-shallow-repository",
        "--show-prefix",
        "HEAD",
    ]);
    // One call says which commit and when, so that a HEAD that moves meanwhile mixes nothing.
    let log = git(world).args(["log", "-1", "--format=%H %ct", "HEAD"]);
    let status = git(world).args([
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        ".",
    ]);
    let (facts, log, status) = std::thread::scope(|scope| {
        let log = scope.spawn(|| log.run());
        let status = scope.spawn(|| status.run());
        (facts.run(), log.join(), status.join())
    });
    let facts = facts.map_err(|error| explain(world, error))?.stdout;
    let log = log.expect("running git does not panic")?.stdout;
    let status = status.expect("running git does not panic")?.stdout;
    let mut lines = facts.lines();
    let shallow = lines.next() == Some("true");
    let prefix = lines.next().unwrap_or_default().to_owned();
    let (commit, epoch) = read_commit(&log).ok_or_else(|| {
        Error::failure(format!(
            "git log printed {:?} instead of a commit and its time",
            log.trim()
        ))
    })?;
    let (modified, untracked) = read_status(&status, &prefix);
    Ok(Checkout {
        commit,
        epoch,
        shallow,
        modified,
        untracked,
        prefix,
    })
}

/// The full id of HEAD, and nothing else.
///
/// # Errors
/// git cannot be started, or there is no commit.
pub fn head(world: &World) -> Result<String> {
    let told = git(world).args(["rev-parse", "HEAD"]).run()?;
    Ok(told.stdout.trim().to_owned())
}

/// Splits `COMMIT SECONDS`.
fn read_commit(log: &str) -> Option<(String, i64)> {
    let (commit, epoch) = log.trim().split_once(' ')?;
    Some((commit.to_owned(), epoch.parse().ok()?))
}

/// Splits `git status --porcelain=v1 -z` (git-status(1), "Short Format").
fn read_status(status: &str, prefix: &str) -> (Vec<String>, Vec<String>) {
    let (mut modified, mut untracked) = (Vec::new(), Vec::new());
    for entry in status.split('\0').filter(|entry| entry.len() > 3) {
        let (state, path) = entry.split_at(3);
        let path = path.strip_prefix(prefix).unwrap_or(path).to_owned();
        if state.starts_with("??") {
            untracked.push(path);
        } else {
            modified.push(path);
        }
    }
    (modified, untracked)
}

fn explain(world: &World, error: Error) -> Error {
    if error.kind != Kind::Failure {
        return error;
    }
    let root = &world.root;
    if error.message.contains("not a git repository") {
        return Error::precondition(format!("{root} is not in a git repository"))
            .hint("a release is built from a commit: git init && git add . && git commit");
    }
    if error.message.contains("ambiguous argument 'HEAD'")
        || error.message.contains("unknown revision")
    {
        return Error::precondition(format!("{root} has no commit yet"))
            .hint("a release is built from a commit: git add . && git commit");
    }
    Error {
        kind: Kind::Precondition,
        ..error
    }
}

/// Refuses a tree that differs from its commit, unless the working tree was asked for.
///
/// # Errors
/// Tracked files differ from HEAD.
pub fn require_clean(checkout: &Checkout, tree: Tree) -> Result<()> {
    if tree == Tree::Working {
        return Ok(());
    }
    if checkout
        .untracked
        .iter()
        .any(|path| path == CONFIGURATION_FILE)
    {
        return Err(
            Error::precondition(format!("{CONFIGURATION_FILE} is in no commit")).hint(format!(
                "it rules the release: git add {CONFIGURATION_FILE} && git commit"
            )),
        );
    }
    if checkout.modified.is_empty() {
        return Ok(());
    }
    let count = checkout.modified.len();
    let named: Vec<&str> = checkout
        .modified
        .iter()
        .take(5)
        .map(String::as_str)
        .collect();
    let more = if count > named.len() { ", …" } else { "" };
    Err(Error::precondition(format!(
        "{count} tracked file(s) differ from the commit: {}{more}",
        named.join(", ")
    ))
    .hint("commit or stash them; a release is built from the commit")
    .hint("to try the working tree: --dirty (the result can never be published)"))
}

/// The notes name what changed since the last release, which a shallow clone cannot know.
///
/// # Errors
/// This is one.
pub fn require_history(checkout: &Checkout) -> Result<()> {
    if !checkout.shallow {
        return Ok(());
    }
    Err(Error::precondition(
        "this is a shallow clone: the commits since the last release are missing",
    )
    .hint("fetch them: git fetch --unshallow --tags")
    .hint("in GitHub Actions: actions/checkout with `fetch-depth: 0`"))
}

/// Writes a tree's files below `folder`, which must be empty, each with the commit's time.
///
/// # Errors
/// git fails or the disk is full.
pub fn export(world: &World, checkout: &Checkout, tree: Tree, folder: &Utf8Path) -> Result<()> {
    match tree {
        Tree::Head => export_commit(world, &checkout.commit, folder)?,
        Tree::Working => export_working(world, folder)?,
    }
    stamp(folder, checkout.epoch)
}

/// Exports the commit that was looked at, also when HEAD has moved on since.
fn export_commit(world: &World, commit: &str, folder: &Utf8Path) -> Result<()> {
    let index = folder.join(".export-index");
    git(world)
        .args(["read-tree", commit])
        .variable("GIT_INDEX_FILE", &index)
        .run()?;
    git(world)
        .directory(top(world)?)
        .args(["-c", "core.autocrlf=false", "-c", "core.eol=lf"])
        .args(["-c", "core.symlinks=true", "-c", "core.attributesFile="])
        .args([
            "checkout-index",
            "--all",
            "--force",
            &format!("--prefix={folder}/"),
        ])
        .variable("GIT_INDEX_FILE", &index)
        .run()?;
    std::fs::remove_file(&index).doing(|| format!("remove {index}"))
}

fn export_working(world: &World, folder: &Utf8Path) -> Result<()> {
    let top = top(world)?;
    let listed = git(world)
        .directory(&top)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .run()?
        .stdout;
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let (from, to) = (top.join(path), folder.join(path));
        let Ok(metadata) = from.symlink_metadata() else {
            continue;
        };
        if let Some(parent) = to.parent() {
            crate::world::files::create_folder(parent)?;
        }
        if metadata.is_symlink() {
            link(&from, &to)?;
        } else if metadata.is_file() {
            std::fs::copy(&from, &to).doing(|| format!("copy {from} to {to}"))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let target = std::fs::read_link(from).doing(|| format!("read the link {from}"))?;
    std::os::unix::fs::symlink(target, to).doing(|| format!("create the link {to}"))
}

#[cfg(not(unix))]
fn link(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    std::fs::copy(from, to)
        .map(drop)
        .doing(|| format!("copy {from} to {to}"))
}

/// Gives every file below a folder the same modification time.
fn stamp(folder: &Utf8Path, epoch: i64) -> Result<()> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(epoch).unwrap_or(0));
    let entries = folder.read_dir_utf8().doing(|| format!("list {folder}"))?;
    for entry in entries {
        let entry = entry.doing(|| format!("list {folder}"))?;
        let kind = entry
            .file_type()
            .doing(|| format!("look at {}", entry.path()))?;
        if kind.is_dir() {
            stamp(entry.path(), epoch)?;
        } else if kind.is_file() {
            std::fs::File::options()
                .append(true)
                .open(entry.path())
                .and_then(|file| file.set_modified(time))
                .doing(|| format!("set the time of {}", entry.path()))?;
        }
    }
    Ok(())
}

/// The text of a file in a commit, or in the working tree.
///
/// # Errors
/// The file is not in that tree.
pub fn text(world: &World, checkout: &Checkout, tree: Tree, path: &Utf8Path) -> Result<String> {
    match tree {
        Tree::Working => crate::world::files::read_text(&world.root.join(path)),
        Tree::Head => {
            let object = format!("{}:{}{path}", checkout.commit, checkout.prefix);
            let output = git(world).args(["show", &object]).output()?;
            if output.status.success() {
                return Ok(output.stdout);
            }
            Err(Error::precondition(format!(
                "{path} is not in the commit {}",
                &checkout.commit[..12]
            ))
            .hint(format!(
                "create it and commit it: git add {path} && git commit"
            )))
        }
    }
}

/// Whether a commit, or the working tree, has a file at this path.
///
/// # Errors
/// git cannot be started.
pub fn exists(world: &World, checkout: &Checkout, tree: Tree, path: &Utf8Path) -> Result<bool> {
    match tree {
        Tree::Working => Ok(world.root.join(path).is_file()),
        Tree::Head => {
            let object = format!("{}:{}{path}", checkout.commit, checkout.prefix);
            let output = git(world).args(["cat-file", "-e", &object]).output()?;
            Ok(output.status.success())
        }
    }
}

/// The subjects of the commits up to this one after the last tag of this form, newest first; of
/// all commits when there is none. A tag on the commit itself is the release being made, not the
/// one before.
///
/// # Errors
/// git fails.
pub fn subjects_since_tag(world: &World, commit: &str, pattern: &str) -> Result<Vec<String>> {
    let range = match last_tag(world, &format!("{commit}^"), pattern)? {
        Some(tag) => format!("{tag}..{commit}"),
        None => commit.to_owned(),
    };
    let log = git(world)
        .args(["log", "--no-merges", "--format=%s", &range])
        .run()?;
    Ok(log.stdout.lines().map(str::to_owned).collect())
}

/// The last tag of this form up to a commit.
///
/// # Errors
/// git cannot be started.
pub fn last_tag(world: &World, commit: &str, pattern: &str) -> Result<Option<String>> {
    let described = git(world)
        .args([
            "describe",
            "--tags",
            "--abbrev=0",
            "--match",
            pattern,
            commit,
        ])
        .output()?;
    let tag = described.stdout.trim();
    Ok((described.status.success() && !tag.is_empty()).then(|| tag.to_owned()))
}

/// The top of the work tree.
///
/// # Errors
/// git fails.
pub fn top(world: &World) -> Result<Utf8PathBuf> {
    let top = git(world)
        .args(["rev-parse", "--show-toplevel"])
        .run()?
        .stdout;
    Ok(Utf8PathBuf::from(top.trim_end_matches('\n')))
}

/// The commit that a tag names; `None` when there is no such tag.
///
/// # Errors
/// git cannot be started.
pub fn commit_of_tag(world: &World, tag: &str) -> Result<Option<String>> {
    let reference = format!("refs/tags/{tag}^{{commit}}");
    let found = git(world)
        .args(["rev-parse", "--verify", "--quiet", &reference])
        .output()?;
    let commit = found.stdout.trim();
    Ok((found.status.success() && !commit.is_empty()).then(|| commit.to_owned()))
}

/// git, without the user's settings that change what it prints.
pub fn git(world: &World) -> Command<'_> {
    world
        .command("git")
        .args(["-c", "core.quotePath=false"])
        .variable("LC_ALL", "C")
        .variable("GIT_OPTIONAL_LOCKS", "0")
        .without_variable("GIT_DIR")
        .without_variable("GIT_INDEX_FILE")
        .without_variable("GIT_WORK_TREE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_separates_modified_from_untracked_and_drops_the_prefix() {
        let (modified, untracked) =
            read_status(" M sub/a b.py\0?? sub/new.txt\0A  sub/added.py\0", "sub/");
        assert_eq!(modified, ["a b.py", "added.py"]);
        assert_eq!(untracked, ["new.txt"]);
    }

    #[test]
    fn a_changed_file_is_named_and_the_way_out_too() {
        let checkout = Checkout {
            commit: "0".repeat(40),
            epoch: 0,
            shallow: false,
            modified: vec!["a.py".to_owned()],
            untracked: vec!["b.py".to_owned()],
            prefix: String::new(),
        };
        let error = require_clean(&checkout, Tree::Head).unwrap_err();
        assert!(error.message.contains("a.py") && !error.message.contains("b.py"));
        assert!(error.hints.iter().any(|hint| hint.contains("--dirty")));
        assert!(require_clean(&checkout, Tree::Working).is_ok());
    }
}
