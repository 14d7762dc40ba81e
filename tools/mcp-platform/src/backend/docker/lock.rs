//! One change of a server at a time on this machine: a lock that the system frees when its holder
//! ends, however it ends.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use crate::error::{Error, Result};
use crate::model::Identity;

/// A lock that is held.
pub struct Lock {
    _file: Flock<File>,
}

/// Which lock of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading and writing what is wanted: held for a moment.
    Record,
    /// Bringing containers to what is wanted: held as long as that takes.
    Work,
}

/// Takes a lock, waiting for it; to be called where blocking is allowed.
///
/// # Errors
/// The folder of the locks cannot be written.
pub fn take(folder: &Path, identity: &Identity, purpose: Purpose) -> Result<Lock> {
    let path = path(folder, identity, purpose);
    loop {
        match Flock::lock(open(folder, &path)?, FlockArg::LockExclusive) {
            Ok(file) => return Ok(Lock { _file: file }),
            Err((_, nix::errno::Errno::EINTR)) => {}
            Err((_, error)) => {
                return Err(Error::internal(format!("{}: {error}", path.display())));
            }
        }
    }
}

/// Takes a lock if nobody holds it.
///
/// # Errors
/// The folder of the locks cannot be written.
pub fn try_take(folder: &Path, identity: &Identity, purpose: Purpose) -> Result<Option<Lock>> {
    let path = path(folder, identity, purpose);
    let file = open(folder, &path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => Ok(Some(Lock { _file: file })),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(Error::internal(format!("{}: {error}", path.display()))),
    }
}

fn path(folder: &Path, identity: &Identity, purpose: Purpose) -> std::path::PathBuf {
    let word = match purpose {
        Purpose::Record => "record",
        Purpose::Work => "work",
    };
    folder.join(format!("{}.{}.{word}", identity.namespace, identity.name))
}

/// The files stay: removing one while another process waits for it would let two in.
fn open(folder: &Path, path: &Path) -> Result<File> {
    let wrong = |error: std::io::Error| {
        Error::precondition(format!("{}: {error}", path.display()))
            .hint("set MCP_STATE_DIR to a folder that can be written")
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(wrong)?;
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(wrong)
}
