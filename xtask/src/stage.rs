//! The stage: a clean export of the commit in which one run does all its work.
//!
//! It lies in the tool's private folder, is new for every run and goes with it; only `dist/`
//! and the extension's bundle folder are ever written outside of it. What a killed run left
//! behind is removed by the next one, which holds the lock.

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::error::{Context, Result};
use crate::source::{self, Checkout, Tree};
use crate::world::{World, files};

/// An exported tree; dropping it removes it.
#[derive(Debug)]
pub struct Stage {
    _folder: TempDir,
    /// The folder of `release.toml` in the export.
    pub root: Utf8PathBuf,
}

impl Stage {
    /// Exports a tree into a new folder. Call it under the lock.
    ///
    /// # Errors
    /// git fails, or the disk is full or read-only.
    pub fn open(world: &World, checkout: &Checkout, tree: Tree) -> Result<Stage> {
        let parent = world.private().join("stage");
        sweep(&parent);
        files::create_folder(&parent)?;
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(&parent)
            .doing(|| format!("create a folder in {parent}"))?;
        let top = crate::world::utf8(folder.path().to_path_buf())?;
        source::export(world, checkout, tree, &top)?;
        Ok(Stage {
            _folder: folder,
            root: top.join(&checkout.prefix),
        })
    }
}

/// A leftover that cannot be removed (a child of a killed run may still write into it) is left
/// for the run after this one; no run ever uses the folder of another.
fn sweep(parent: &Utf8Path) {
    let Ok(entries) = parent.read_dir_utf8() else {
        return;
    };
    for entry in entries.flatten() {
        drop(std::fs::remove_dir_all(entry.path()));
    }
}
