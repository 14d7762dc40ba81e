//! One run at a time: an advisory lock on a file, freed by the system even after SIGKILL.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::time::Duration;

use camino::Utf8Path;

use super::temporary::Kept;
use super::{World, files};
use crate::error::{Context, Error, Result};

/// How often a lock that somebody else holds is asked for again.
const PAUSE: Duration = Duration::from_millis(50);

/// Held for as long as a run writes into `dist/` or the tool's private folder.
#[derive(Debug)]
pub struct Lock {
    _temporary: Option<Kept>,
    _file: File,
}

impl Lock {
    /// Takes the repository's lock, or says which process holds it. What programs put into their
    /// folder for temporary files goes with it.
    ///
    /// # Errors
    /// Another process holds the lock, or a folder cannot be written.
    pub fn take(world: &World, verb: &str) -> Result<Lock> {
        let folder = world.private();
        let path = folder.join("lock");
        let mut file = open(&folder, &path)?;
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
        let parent = super::utf8(std::env::temp_dir())?;
        Ok(Lock {
            _temporary: Some(world.temporary.keep(&parent, &folder)?),
            _file: file,
        })
    }

    /// Takes the lock `name` in `folder`, waiting for as long as somebody else holds it.
    ///
    /// # Errors
    /// The folder cannot be written, or the run is interrupted.
    pub fn wait(world: &World, folder: &Utf8Path, name: &str) -> Result<Lock> {
        let path = folder.join(name);
        let file = open(folder, &path)?;
        let mut waiting = None;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Lock {
                        _temporary: None,
                        _file: file,
                    });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(cause)) => {
                    return Err(cause).doing(|| format!("lock {path}"));
                }
            }
            // Asked again and again, because a wait inside the system would not end by Ctrl-C.
            world.check_interrupted()?;
            let what = || format!("waiting for whoever holds {path}");
            waiting.get_or_insert_with(|| world.terminal.step("lock", &what()));
            std::thread::sleep(PAUSE);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::world::interrupt::{Interrupt, Signal};
    use crate::world::temporary::Temporary;
    use crate::world::terminal::{Detail, Format, Terminal};

    #[test]
    fn a_wait_ends_with_the_lock_or_with_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let world = World {
            root: root.to_owned(),
            directory: root.to_owned(),
            environment: [].into(),
            terminal: Terminal::new(Format::Text, Detail::Quiet),
            interrupt: Interrupt::default(),
            temporary: Temporary::default(),
        };
        let held = Lock::take(&world, "test").unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::wait(&world, &world.private(), "lock"));
            drop(held);
            waiting.join().unwrap().unwrap();
        });
        // Another test may be starting a process, which holds a copy of the file for a moment.
        let _held = Lock::wait(&world, &world.private(), "lock").unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::wait(&world, &world.private(), "lock"));
            world.interrupt.stop(Signal::Terminate);
            let error = waiting.join().unwrap().unwrap_err();
            assert_eq!(error.kind, Kind::Interrupted);
        });
    }
}
