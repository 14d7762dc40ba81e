//! The tag of a release: the very last thing, made only when every target has it and gave it back.
//!
//! Whether it can be made is found out before anything is sent.

use std::time::Duration;

use serde::Serialize;

use crate::artifact::{Digest, Kind, Manifest};
use crate::config::Config;
use crate::config::publish::{Place, Profile, Tagging};
use crate::dist::Release;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::exec::bump;
use crate::ledger::{Act, Entry, Ledger};
use crate::source;
use crate::version::tag;
use crate::world::World;
use crate::world::process::Command;

/// How long a remote has to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The tag that a release will get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// The commit that it will name.
    pub commit: String,
    /// The remote it is pushed to.
    remote: Option<String>,
    /// Whether GitHub makes it with the release.
    by_github: bool,
}

/// What became of the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// It was here before.
    Same,
    /// A remote had it, and now it is here.
    Fetched,
    /// It was made, with the notes of the release.
    Annotated,
    /// It was made without a text, because git knows nobody to sign it with.
    Lightweight,
    /// GitHub made it with the release.
    ByGithub,
}

impl Made {
    fn outcome(self) -> &'static str {
        match self {
            Made::Same => "it was there",
            Made::Fetched => "the remote had it; fetched",
            Made::Annotated => "made, with the notes of the release",
            Made::Lightweight => "made without a text: git knows nobody who makes it",
            Made::ByGithub => "made by GitHub, with the release",
        }
    }
}

/// Looks at what is under the release's tag, here and at the remote it is pushed to; `None` when
/// this profile makes no tag, or when the commit is not in this repository.
///
/// # Errors
/// The tag names another commit there, or the remote cannot be asked. Nothing was sent.
pub fn look(
    world: &World,
    config: &Config,
    profile: &Profile,
    release: &Release,
) -> Result<Option<Wanted>> {
    if profile.tagging == Tagging::Left {
        return Ok(None);
    }
    let manifest = &release.manifest;
    let commit = manifest.source.commit.clone();
    let object = format!("{commit}^{{commit}}");
    let known = source::git(world)
        .args(["cat-file", "-e", &object])
        .output()?;
    if !known.status.success() {
        world.terminal.warn(&format!(
            "no tag will be made: commit {commit:.12} is not in a repository here"
        ));
        return Ok(None);
    }
    let skipped = |name: &String| profile.skips.iter().any(|skip| skip.target == *name);
    let targets = profile.targets.iter().filter(|name| !skipped(name));
    let mut places = targets.filter_map(|name| config.publish.target(name));
    let wanted = Wanted {
        name: tag::name(&config.version.tag, &manifest.version),
        commit,
        remote: config.version.push_tag.clone(),
        by_github: places.any(|target| matches!(target.place, Place::Github { .. })),
    };
    require_name(world, &wanted.name)?;
    if let Some(remote) = &wanted.remote {
        remote_has(world, &wanted, remote)?;
    }
    Ok(Some(wanted))
}

fn require_name(world: &World, name: &str) -> Result<()> {
    let reference = format!("refs/tags/{name}");
    let checked = source::git(world)
        .args(["check-ref-format", &reference])
        .output()?;
    match checked.status.success() && !name.starts_with('-') {
        true => Ok(()),
        false => Err(Error::usage(format!("git takes no tag {name:?}"))
            .hint("correct version.tag in release.toml, for example: tag = \"v{version}\"")),
    }
}

fn quiet(command: Command<'_>) -> Command<'_> {
    command
        .variable("GIT_TERMINAL_PROMPT", "0")
        .timeout(PATIENCE)
}

/// Whether the remote has the tag, at our commit.
fn remote_has(world: &World, wanted: &Wanted, remote: &str) -> Result<bool> {
    let name = &wanted.name;
    let (plain, peeled) = (
        format!("refs/tags/{name}"),
        format!("refs/tags/{name}^{{}}"),
    );
    let listed = quiet(source::git(world))
        .args(["ls-remote", "--tags", "--", remote, &plain, &peeled])
        .purpose("git ls-remote")
        .run()
        .map_err(|error| Error {
            kind: match error.kind {
                ErrorKind::Failure => ErrorKind::Precondition,
                kind => kind,
            },
            ..error
        })
        .map_err(|error| {
            error.hint(format!(
                "version.push-tag names {remote}, which must answer: git ls-remote {remote}"
            ))
        })?;
    let lines = listed
        .stdout
        .lines()
        .filter_map(|line| line.split_once('\t'));
    let found: Vec<(&str, &str)> = lines.collect();
    // An annotated tag is listed twice; the second line names its commit.
    let of = |wanted: &str| found.iter().find(|(_, name)| *name == wanted);
    match of(&peeled).or_else(|| of(&plain)) {
        None => Ok(false),
        Some((commit, _)) if *commit == wanted.commit => Ok(true),
        Some((commit, _)) => Err(Error::conflict(format!(
            "the tag {name} names commit {commit:.12} at {remote}, and dist/ was made from {:.12}",
            wanted.commit
        ))
        .hint("a version is released once: raise the version")),
    }
}

/// Makes the tag where it is not there yet, and pushes it where that is asked for.
///
/// # Errors
/// git refuses, or the tag names another commit by now. What was published stays published.
pub fn make(
    world: &World,
    ledger: Option<&Ledger<'_>>,
    wanted: &Wanted,
    release: &Release,
) -> Result<Made> {
    let made = bring(world, wanted, release).map_err(|error| {
        error.hint("everything is published and verified; only the tag is missing: run again")
    })?;
    let mut said = made.outcome().to_owned();
    let name = &wanted.name;
    if let Some(remote) = &wanted.remote
        && !remote_has(world, wanted, remote)?
    {
        let reference = format!("refs/tags/{name}");
        quiet(source::git(world))
            .args(["push", "--quiet", "--", remote, &reference])
            .purpose("git push")
            .run()
            .map_err(|error| error.hint(format!("push it by hand: git push {remote} {name}")))?;
        said = format!("{said}; pushed to {remote}");
    }
    if let Some(ledger) = ledger {
        note(ledger, wanted, &release.manifest, &said)?;
    }
    let detail = format!("{name} names {:.12}: {said}", wanted.commit);
    match made {
        Made::Same | Made::ByGithub => world.terminal.same("tag", &detail),
        Made::Fetched | Made::Annotated | Made::Lightweight => world.terminal.done("tag", &detail),
    }
    match (made, &wanted.remote) {
        (Made::ByGithub, _) => {
            let text = format!("to have the tag here: git fetch origin tag {name}");
            world.terminal.text(&text);
        }
        (Made::Annotated | Made::Lightweight, None) => {
            let text = format!("to push the tag: git push origin {name}");
            world.terminal.text(&text);
        }
        _ => {}
    }
    Ok(made)
}

/// Brings the tag into this repository.
fn bring(world: &World, wanted: &Wanted, release: &Release) -> Result<Made> {
    let Wanted { name, commit, .. } = wanted;
    match source::commit_of_tag(world, name)? {
        Some(tagged) if tagged == *commit => return Ok(Made::Same),
        Some(tagged) => {
            return Err(Error::conflict(format!(
                "the tag {name} names commit {tagged:.12} by now, and dist/ was made from {commit:.12}"
            )));
        }
        None => {}
    }
    match &wanted.remote {
        // Another tag of this name could never be pushed there.
        Some(remote) if remote_has(world, wanted, remote)? => {
            let both = format!("refs/tags/{name}:refs/tags/{name}");
            quiet(source::git(world))
                .args(["fetch", "--quiet", "--no-tags", "--", remote, &both])
                .purpose("git fetch")
                .run()?;
            return Ok(Made::Fetched);
        }
        None if wanted.by_github => return Ok(Made::ByGithub),
        _ => {}
    }
    if !bump::has_identity(world)? {
        let plain = ["tag", "--no-sign", name, commit];
        source::git(world).args(plain).purpose("git tag").run()?;
        return Ok(Made::Lightweight);
    }
    let notes = match release.only(Kind::ReleaseNotes) {
        Ok((_, bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => format!("{} {}\n", release.manifest.name, release.manifest.version),
    };
    let told = source::git(world)
        .args([
            "tag",
            "--annotate",
            "--cleanup=verbatim",
            "--file=-",
            name,
            commit,
        ])
        .purpose("git tag")
        .output_with_input(&notes)?;
    match told.status.success() {
        true => Ok(Made::Annotated),
        false => Err(Error::failure(format!(
            "git tag {name}: {}",
            told.stderr.trim()
        ))),
    }
}

/// The digest is the one of the wheel, which everything else of a release carries or names.
fn note(ledger: &Ledger<'_>, wanted: &Wanted, manifest: &Manifest, said: &str) -> Result<()> {
    let wheel = manifest.only(Kind::Wheel)?;
    let sha256: &Digest = &wheel.sha256;
    ledger.write(&Entry {
        act: Act::Tagged,
        release: &format!("{} {}", manifest.name, manifest.version),
        target: "git",
        item: &wanted.name,
        sha256,
        status: None,
        request: None,
        outcome: &format!("{said}; commit {}", wanted.commit),
    })
}
