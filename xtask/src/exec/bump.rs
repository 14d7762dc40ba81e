//! The commit of a release: every version file, and the changelog's text under its version, in
//! one commit or not at all.

use serde::Serialize;

use super::changelog;
use super::version::{self, Raised};
use crate::changelog::Changelog;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::source::{self, Checkout};
use crate::version::number::Level;
use crate::world::World;
use crate::world::together::{self, Replacement};

/// What will be committed, decided and not yet written.
#[derive(Debug, Serialize)]
pub struct Bump {
    /// The version in every place.
    #[serde(flatten)]
    pub raised: Raised,
    /// The changelog's file, when its text moves.
    pub changelog: Option<String>,
    /// The subject of the commit.
    pub subject: String,
    #[serde(skip)]
    moved: Option<Replacement>,
}

/// Decides everything, and finds what would keep it from being written or committed.
///
/// # Errors
/// As [`version::raise`]; the changelog cannot be moved; git knows no one to commit as.
pub fn decide(world: &World, config: &Config, checkout: &Checkout, level: Level) -> Result<Bump> {
    let raised = version::raise(world, config, checkout, level)?;
    let version = raised.to.semantic();
    let moved = match config.changelog {
        Some(_) => changelog::release(world, config, checkout, &version)?,
        None => None,
    };
    if let Some(moved) = &moved {
        let text = String::from_utf8_lossy(&moved.old);
        if Changelog::parse(&text).coming().is_none() {
            let file = &moved.path;
            world.terminal.warn(&format!(
                "{file}: nothing is under Unreleased, so the notes list the commits"
            ));
        }
    }
    require_identity(world)?;
    Ok(Bump {
        changelog: moved.as_ref().map(|moved| moved.path.to_string()),
        subject: format!("Release {version}"),
        moved,
        raised,
    })
}

/// Whether git knows who commits: `user.name` and `user.email`, or its variables.
///
/// # Errors
/// git cannot be started.
pub fn has_identity(world: &World) -> Result<bool> {
    for name in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
        let told = source::git(world).args(["var", name]).output()?;
        if !told.status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn require_identity(world: &World) -> Result<()> {
    match has_identity(world)? {
        true => Ok(()),
        false => Err(
            Error::precondition("git does not know who commits the release")
                .hint("git config user.name \"NAME\"")
                .hint("git config user.email \"ADDRESS\""),
        ),
    }
}

/// Writes all files and commits them. Hooks run as they always do.
///
/// # Errors
/// A file cannot be written, or git or a hook refuses; every file is then as it was.
pub fn perform(world: &World, config: &Config, checkout: &Checkout, bump: &Bump) -> Result<()> {
    let raised = &bump.raised;
    let mut files = raised.files.clone();
    files.extend(bump.moved.clone());
    let paths: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
    let changed = together::change(world, &checkout.commit, files)?;
    version::require(world, config, &raised.to)?;
    let committed = source::git(world)
        .args(["commit", "--quiet", "--only", "--message", &bump.subject])
        .arg("--")
        .args(&paths)
        .purpose("git commit")
        .run();
    match committed {
        Ok(_) => changed.keep()?,
        // Whoever stops a hook that runs after the commit does not take the commit back.
        Err(error) if source::head(&world.unstopped())? != checkout.commit => {
            changed.keep()?;
            let subject = &bump.subject;
            let what = format!("the commit \"{subject}\" is made: go on without --bump");
            return Err(error.hint(what));
        }
        Err(error) => {
            return Err(error.hint("every file was put back as it was; nothing was committed"));
        }
    }
    world.terminal.done(
        "version",
        &format!(
            "{} → {} in {} files",
            raised.from,
            raised.to,
            raised.files.len()
        ),
    );
    if let Some(file) = &bump.changelog {
        let text = format!("Unreleased is {} now, in {file}", raised.to);
        world.terminal.done("changelog", &text);
    }
    world.terminal.done("commit", &bump.subject);
    Ok(())
}
