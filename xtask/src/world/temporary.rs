//! Where programs put their temporary files: a folder of the run's own, which goes with the run.
//!
//! pip, npm and build back ends leave theirs behind when they are stopped. The folder lies where
//! the system keeps temporary files and not in the repository, because build back ends look for
//! ignore files in every folder above them.

use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::files;
use crate::artifact::Digest;
use crate::error::{Context, Result};

/// The folder of the run that holds the lock, if it does.
#[derive(Debug, Clone, Default)]
pub struct Temporary(Arc<Mutex<Option<Utf8PathBuf>>>);

/// Keeps the folder; dropping it removes it.
#[derive(Debug)]
pub struct Kept {
    _folder: TempDir,
    known: Temporary,
}

impl Temporary {
    /// Where programs are to put their temporary files, when it is not where they would anyway.
    pub fn folder(&self) -> Option<Utf8PathBuf> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Makes the folder for the holder of the lock in `private`, and removes those that its
    /// killed predecessors left.
    ///
    /// # Errors
    /// The system's folder for temporary files cannot be written.
    pub fn keep(&self, parent: &Utf8Path, private: &Utf8Path) -> Result<Kept> {
        let owner = Digest::of(private.as_str().as_bytes());
        let prefix = format!("xtask-{}-", &owner.hex()[..12]);
        let doing = || format!("create a folder for temporary files in {parent}");
        let hint = "name a folder that exists: TMPDIR=/tmp cargo xtask …";
        let left = parent.read_dir_utf8().doing(doing);
        let left = left.map_err(|error| error.hint(hint))?.flatten();
        for entry in left.filter(|entry| entry.file_name().starts_with(&prefix)) {
            files::remove_folder(entry.path())?;
        }
        let folder = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(parent)
            .doing(doing)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(super::utf8(folder.path().to_path_buf())?);
        Ok(Kept {
            _folder: folder,
            known: self.clone(),
        })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        *self.known.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_the_run_and_a_killed_one_s_with_the_next() {
        let parent = tempfile::tempdir().unwrap();
        let parent = Utf8Path::from_path(parent.path()).unwrap();
        let list = || parent.read_dir_utf8().unwrap().count();
        let (here, elsewhere) = (Utf8Path::new("/here"), Utf8Path::new("/elsewhere"));

        let killed = Temporary::default();
        std::mem::forget(killed.keep(parent, here).unwrap());
        let other = Temporary::default().keep(parent, elsewhere).unwrap();
        assert_eq!(list(), 2);

        let next = Temporary::default();
        let kept = next.keep(parent, here).unwrap();
        assert!(next.folder().unwrap().is_dir() && !killed.folder().unwrap().exists());
        assert_eq!(list(), 2, "another repository's folder is not touched");
        drop((kept, other));
        assert_eq!((next.folder(), list()), (None, 0));
    }
}
