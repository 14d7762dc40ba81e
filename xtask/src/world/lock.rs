//! One run at a time: an advisory lock on a file, freed by the system even after SIGKILL.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use camino::Utf8Path;

use super::files;
use crate::error::{Context, Error, Result};

/// Held for as long as a run writes into `dist/` or the tool's private folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `name` in `folder`, or says which process holds it.
    ///
    /// # Errors
    /// Another process holds the lock, or the folder cannot be written.
    pub fn take(folder: &Utf8Path, name: &str, verb: &str) -> Result<Lock> {
        let path = folder.join(name);
        let mut file = open(folder, &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // An unreadable note still leaves a useful message.
                drop(file.read_to_string(&mut holder));
                return Err(Error::precondition(format!(
                    "another run holds {path}: {}",
                    holder.trim()
                ))
                .hint("wait until it has finished, or end that process"));
            }
            Err(TryLockError::Error(cause)) => return Err(cause).doing(|| format!("lock {path}")),
        }
        let note = format!("process {}, cargo xtask {verb}\n", std::process::id());
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(note.as_bytes()))
            .doing(|| format!("write {path}"))?;
        Ok(Lock { _file: file })
    }

    /// Takes the lock `name` in `folder`, waiting for as long as another process holds it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn wait(folder: &Utf8Path, name: &str) -> Result<Lock> {
        let path = folder.join(name);
        let file = open(folder, &path)?;
        file.lock().doing(|| format!("lock {path}"))?;
        Ok(Lock { _file: file })
    }
}

fn open(folder: &Utf8Path, path: &Utf8Path) -> Result<File> {
    files::create_folder(folder)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .doing(|| format!("open {path}"))
}
