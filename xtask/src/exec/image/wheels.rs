//! The wheels of the dependencies for another platform, downloaded by pip from the configured
//! index with hashes, and kept in the tool's private folder. Nothing of them is run here.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::Digest;
use crate::error::{Context, Error, Kind, Result};
use crate::image::requirement::{Selection, Wanted};
use crate::image::{Libc, Platform};
use crate::printable;
use crate::tools::{is_offline, python};
use crate::world::World;
use crate::world::files::{self, Staged};

/// What the wheels are for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'run> {
    /// The platform.
    pub platform: Platform,
    /// The C library of the base.
    pub libc: Libc,
    /// The version of the interpreter.
    pub python: &'run str,
}

impl Target<'_> {
    fn shown(self) -> String {
        let (platform, libc) = (self.platform.word(), self.libc.word());
        format!("{platform}, Python {}, {libc}", self.python)
    }
}

/// What pip says before the requirement of which it found no file.
const NONE_FOUND: &str = "No matching distribution found for ";

/// The wheels by their file names.
///
/// # Errors
/// A requirement has no wheel for the target, a file is not one of those that the lock names, or
/// the index cannot be reached.
pub fn fetch(
    world: &World,
    selection: &Selection,
    target: Target<'_>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    if selection.wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let key = format!("{}\n{}", target.shown(), selection.text());
    let key = Digest::of(key.as_bytes());
    let cache = world.private().join("image");
    let prefix = format!("wheels-{}-", target.platform.architecture());
    let folder = cache.join(format!("{prefix}{}", &key.hex()[..16]));
    if let Ok(wheels) = read(&folder, &selection.wanted) {
        return Ok(wheels);
    }
    let step = world
        .terminal
        .step("wheels", &format!("downloading for {}", target.shown()));
    let staged = Staged::beside(&folder)?;
    download(world, selection, target, staged.path())?;
    let wheels = read(staged.path(), &selection.wanted)?;
    staged.swap()?;
    remove_older(&cache, &prefix, &folder)?;
    step.done(&format!("{} for {}", wheels.len(), target.shown()));
    Ok(wheels)
}

/// Removes what an earlier lock file asked for.
fn remove_older(cache: &Utf8Path, prefix: &str, keep: &Utf8Path) -> Result<()> {
    for path in listed(cache)? {
        let is_older = path
            .file_name()
            .is_some_and(|name| name.starts_with(prefix));
        if is_older && path != keep {
            files::remove_folder(&path)?;
        }
    }
    Ok(())
}

fn download(
    world: &World,
    selection: &Selection,
    target: Target<'_>,
    folder: &Utf8Path,
) -> Result<()> {
    let environment = python::existing(world, "image", "")
        .map_or_else(|| python::create(world, "image", ""), Ok)?;
    let list = tempfile::Builder::new()
        .prefix("requirements-")
        .suffix(".txt")
        .tempfile_in(world.private())
        .doing(|| "write the requirements for pip".to_owned())?;
    let list_path = crate::world::utf8(list.path().to_path_buf())?;
    std::fs::write(&list_path, selection.text()).doing(|| format!("write {list_path}"))?;
    let mut command = python::isolated(world.command(&environment.python))
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ])
        .args(["--require-hashes", "--no-deps", "--only-binary", ":all:"])
        .args(["--implementation", "cp", "--python-version", target.python]);
    for tag in target.libc.tags(target.platform) {
        command = command.args(["--platform", &tag]);
    }
    let ended = command
        .args([
            "--dest",
            folder.as_str(),
            "--requirement",
            list_path.as_str(),
        ])
        .purpose("download the hash-locked wheels")
        .run();
    ended.map(drop).map_err(|error| explain(error, target))
}

/// Says which requirement it is, in place of what pip says about all its versions.
fn explain(error: Error, target: Target<'_>) -> Error {
    if error.kind == Kind::Interrupted {
        return error;
    }
    if is_offline(&error.message) {
        return Error::precondition(format!("pip download: {}", error.message))
            .hint("is the network up? pip must reach the configured package index once")
            .hint("behind a mirror or proxy: set PIP_INDEX_URL or HTTPS_PROXY, then run again");
    }
    let found = error.message.split_once(NONE_FOUND);
    let Some((_, rest)) = found else {
        return Error {
            message: format!("pip download: {}", error.message),
            ..error
        };
    };
    let requirement = rest.lines().next().unwrap_or_default();
    let requirement = requirement.split(" (from ").next().unwrap_or_default();
    Error::refused(format!(
        "{} has no wheel in the lock file for {}",
        printable::line(requirement.trim(), 200),
        target.shown()
    ))
    .hint("leave that platform out (--platform), or lock a version that has one")
    .hint("a base with a newer C library takes more wheels: image.libc in release.toml")
}

/// The wheels of a folder, each one of those that the lock names, and none missing.
fn read(folder: &Utf8Path, wanted: &[Wanted]) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut missing: BTreeSet<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
    let mut wheels = BTreeMap::new();
    for path in listed(folder)? {
        let file = path.file_name().unwrap_or_default().to_owned();
        let bytes = files::read(&path)?;
        let stated = file.split('-').next().unwrap_or_default();
        let name = crate::name::normalize(stated);
        let digest = Digest::of(&bytes).to_string();
        // pip has compared with digests of other kinds, where the lock has no other.
        let holds = |one: &&Wanted| {
            let known = one.hashes.iter().any(|hash| hash.starts_with("sha256:"));
            one.name == name && (!known || one.hashes.contains(&digest))
        };
        let locked = wanted.iter().any(|one| holds(&one));
        if !locked || !file.ends_with(".whl") {
            return Err(Error::refused(format!(
                "{file} is not a file that the lock names for {name}: {digest}"
            )));
        }
        missing.remove(name.as_str());
        wheels.insert(file, bytes);
    }
    match missing.first() {
        None => Ok(wheels),
        Some(name) => Err(Error::failure(format!("pip downloaded no wheel of {name}"))),
    }
}

fn listed(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let entries = folder.read_dir_utf8().doing(|| format!("list {folder}"))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.doing(|| format!("list {folder}"))?.into_path());
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'_> = Target {
        platform: Platform::Arm64,
        libc: Libc::DEFAULT,
        python: "3.13",
    };

    #[test]
    fn the_requirement_without_a_wheel_is_named() {
        let said = "ERROR: Could not find a version that satisfies the requirement a==1 (from \
                    versions: 0.9)\nERROR: No matching distribution found for a==1 (from -r x)";
        let error = explain(Error::failure(said), TARGET);
        assert_eq!(error.kind, Kind::Refused);
        assert_eq!(
            error.message,
            "a==1 has no wheel in the lock file for linux/arm64, Python 3.13, glibc-2.28"
        );
        let offline = explain(
            Error::failure("NewConnectionError: Connection refused"),
            TARGET,
        );
        assert_eq!(offline.kind, Kind::Precondition);
    }

    #[test]
    fn only_the_files_of_the_lock_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let wanted = |hash: &str| Wanted {
            name: "a-b".to_owned(),
            line: "a_b==1".to_owned(),
            hashes: vec![hash.to_owned()],
        };
        let digest = Digest::of(b"wheel").to_string();
        assert!(
            read(folder, &[wanted(&digest)])
                .unwrap_err()
                .message
                .contains("no wheel of a-b")
        );
        std::fs::write(folder.join("a_b-1-py3-none-any.whl"), "wheel").unwrap();
        assert_eq!(read(folder, &[wanted(&digest)]).unwrap().len(), 1);
        let other = Digest::of(b"other").to_string();
        assert!(
            read(folder, &[wanted(&other)])
                .unwrap_err()
                .message
                .contains("not a file that")
        );
    }
}
