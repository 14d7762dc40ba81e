//! Requirements from the lock file, and the extension's bundle folder.

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::{Artifact, Kind, seal};
use crate::audit::discover::beside;
use crate::config::{Config, Extension, Server};
use crate::dist::Release;
use crate::error::Result;
use crate::plan::Inputs;
use crate::product::bundle::{self, REQUIREMENTS_FILE};
use crate::requirements::{self, choice};
use crate::source::{self, Checkout, Tree};
use crate::world::terminal::size;
use crate::world::{World, files};

/// Seals exported requirements as those of a release's wheel.
pub fn sealed_requirements(
    config: &Config,
    text: String,
    release: &Release,
) -> (Artifact, Vec<u8>) {
    let manifest = &release.manifest;
    let named = (manifest.name.as_str(), manifest.version.as_str());
    let inputs = requirements_inputs(&config.server, &manifest.source.commit);
    let artifact = seal(
        Kind::Requirements,
        named,
        REQUIREMENTS_FILE,
        text.as_bytes(),
        inputs,
    );
    (artifact, text.into_bytes())
}

/// The requirements that a tree's lock file stands for.
///
/// # Errors
/// The lock file is missing, stale or not valid.
pub fn locked_requirements(
    world: &World,
    server: &Server,
    checkout: &Checkout,
    tree: Tree,
) -> Result<String> {
    let lock = choice::lock_file(server, &|path| source::exists(world, checkout, tree, path))?;
    exported(server, &lock, &|path| {
        source::text(world, checkout, tree, path)
    })
}

/// The same of the working tree, and the lock file that it comes from.
///
/// # Errors
/// As [`locked_requirements`].
pub fn requirements_here(world: &World, server: &Server) -> Result<(Utf8PathBuf, String)> {
    let lock = lock_here(world, server)?;
    let text = exported(server, &lock, &|path| {
        files::read_text(&world.root.join(path))
    })?;
    Ok((lock, text))
}

/// The lock file of the working tree.
///
/// # Errors
/// None, or several.
pub fn lock_here(world: &World, server: &Server) -> Result<Utf8PathBuf> {
    choice::lock_file(server, &|path| Ok(world.root.join(path).is_file()))
}

fn exported(
    server: &Server,
    lock: &Utf8Path,
    read: &dyn Fn(&Utf8Path) -> Result<String>,
) -> Result<String> {
    let pyproject = server.path.join("pyproject.toml");
    let folder = lock.parent().unwrap_or(Utf8Path::new(""));
    requirements::of_server(
        server,
        (&pyproject, &read(&pyproject)?),
        (lock, &read(lock)?),
        &|name| read(Utf8Path::new(&beside(folder.as_str(), name)?)).ok(),
    )
}

/// What the exported requirements are made from.
pub fn requirements_inputs(server: &Server, commit: &str) -> Inputs {
    Inputs::from([
        ("commit".to_owned(), commit.to_owned()),
        ("groups".to_owned(), server.groups.join(",")),
        ("extras".to_owned(), server.extras.join(",")),
        ("tool".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ])
}

/// Swaps the working tree's bundle folder, unless it holds these bytes already.
///
/// # Errors
/// The disk is full or read-only; the old folder then stays.
pub fn place(
    world: &World,
    config: &Config,
    extension: &Extension,
    release: &Release,
) -> Result<()> {
    let folder = world.root.join(&extension.path).join(&extension.bundle);
    let contents = bundle::contents(release, &config.server.console_script)?;
    let bytes: usize = contents.values().map(Vec::len).sum();
    let detail = format!(
        "{}  {} files  {}  carries {}",
        world.show(&folder),
        contents.len(),
        size(bytes as u64),
        release.manifest.only(Kind::Wheel)?.sha256.short()
    );
    if bundle::is_in_place(&folder, &contents) {
        world.terminal.same("bundle", &detail);
    } else {
        bundle::write(&folder, &contents)?;
        world.terminal.done("bundle", &detail);
    }
    Ok(())
}
