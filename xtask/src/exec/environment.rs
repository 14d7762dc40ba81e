//! What tests and linters of the server and of the extension run with, installed from the lock
//! files of the working tree.

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::Digest;
use crate::config::Server;
use crate::error::Result;
use crate::exec;
use crate::product::vsix;
use crate::tools::{node, python};
use crate::world::lock::Lock;
use crate::world::{World, files};

/// The requirements for shipping and testing that the server's lock file stands for.
///
/// # Errors
/// The lock file cannot be read, or does not fit `pyproject.toml`.
pub fn requirements(world: &World, server: &Server) -> Result<String> {
    let mut wider = server.clone();
    wider.groups.extend(server.test_groups.iter().cloned());
    exec::bundle::requirements_here(world, &wider).map(|(_, text)| text)
}

/// An environment with these requirements.
///
/// # Errors
/// No interpreter, no network on first use, or another run holds the lock.
pub fn server(world: &World, verb: &str, requirements: &str) -> Result<python::Environment> {
    let _lock = Lock::take(world, verb)?;
    if let Some(environment) = python::existing(world, "test", requirements) {
        return Ok(environment);
    }
    let environment = python::create(world, "test", requirements)?;
    python::remove_older(world, "test", &environment.requirements)?;
    Ok(environment)
}

/// Node.js, and `node_modules` in the extension's folder of the working tree.
///
/// # Errors
/// Node.js or the dependencies cannot be installed.
pub fn extension(world: &World, verb: &str, path: &Utf8Path) -> Result<(node::Node, Utf8PathBuf)> {
    let folder = world.root.join(path);
    let _lock = Lock::take(world, verb)?;
    let node = node::node(world)?;
    install_dependencies(world, &node, &folder)?;
    Ok((node, folder))
}

/// `npm ci` in the working tree, unless it was done for this very `package-lock.json`.
fn install_dependencies(world: &World, node: &node::Node, folder: &Utf8Path) -> Result<()> {
    let lock = files::read(&folder.join("package-lock.json"))?;
    let digest = Digest::of(&lock).to_string();
    let stamp = folder.join("node_modules/.xtask-package-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == digest) {
        return Ok(());
    }
    let step = world.terminal.step("node_modules", "npm ci");
    vsix::install(world, node, folder)?;
    files::write(&stamp, digest.as_bytes())?;
    step.done("installed from package-lock.json");
    Ok(())
}
