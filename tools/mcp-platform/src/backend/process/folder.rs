//! Where everything of one server is, how its files are written, and the locks around them. The
//! one room of the back end that knows names of files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::{Identity, Name};

/// What keeps others from reading what is ours.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;
/// Bytes that a record may need.
const RECORD: usize = 16 << 10;

/// The folder with all servers.
#[derive(Debug, Clone)]
pub struct Root(pub PathBuf);

impl Root {
    /// The folder of one server.
    pub fn server(&self, identity: &Identity) -> Folder {
        Folder(
            self.0
                .join(identity.namespace.as_str())
                .join(identity.name.as_str()),
        )
    }

    /// The folder of the environments that wheels are installed in; no namespace has such a name.
    pub fn environments(&self) -> PathBuf {
        self.0.join(".environments")
    }

    /// Every folder that may be a namespace, sorted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn namespaces(&self) -> Result<Vec<Name>> {
        names(&self.0)
    }

    /// Every folder that may be a server, of one namespace or all, sorted.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn servers(&self, namespace: Option<&Name>) -> Result<Vec<Identity>> {
        let namespaces = match namespace {
            Some(namespace) => vec![namespace.clone()],
            None => self.namespaces()?,
        };
        let mut found = Vec::new();
        for namespace in namespaces {
            for name in names(&self.0.join(namespace.as_str()))? {
                found.push(Identity {
                    namespace: namespace.clone(),
                    name,
                });
            }
        }
        Ok(found)
    }
}

/// The folders in a folder whose names can be ours; none when it is not there.
fn names(folder: &Path) -> Result<Vec<Name>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        let name = entry
            .file_name()
            .to_str()
            .and_then(|name| Name::label(name).ok());
        if let (Some(name), true) = (name, entry.path().is_dir()) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// The folder of one server.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// What is wanted.
    pub fn record(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// Its secrets.
    pub fn secrets(&self) -> PathBuf {
        self.0.join("secrets.json")
    }

    /// What the supervisor saw last; counts only when no supervisor can be asked.
    pub fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// The port at which clients reach it.
    pub fn port(&self) -> PathBuf {
        self.0.join("port")
    }

    /// What happened.
    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// What instances write.
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// Empties what it wrote and what happened to it, where both are about to go: on a full disk, the
    /// word that it is to go needs a little room. What cannot be emptied stays.
    pub fn make_room(&self) {
        let logs = fs::read_dir(self.logs()).into_iter().flatten().flatten();
        let logs = logs.map(|entry| entry.path());
        for path in logs.chain([self.events()]) {
            let file = OpenOptions::new().write(true).open(path);
            let _ = file.and_then(|file| file.set_len(0));
        }
    }

    /// Storage that outlives instances.
    pub fn volumes(&self) -> PathBuf {
        self.0.join("volumes")
    }

    /// Storage that goes with instances.
    pub fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }

    /// What the supervisor itself says.
    pub fn supervisor_log(&self) -> PathBuf {
        self.0.join("supervisor.log")
    }

    /// The name of the supervisor's socket within the folder.
    pub const SOCKET: &str = "control";

    /// Makes the folder.
    ///
    /// # Errors
    /// It cannot be made: no room, no permission.
    pub fn make(&self) -> Result<()> {
        make_folder(&self.0)
    }

    /// Keeps everybody else from changing what is wanted, until the guard is dropped; waits for
    /// those who do.
    ///
    /// # Errors
    /// `NotFound` when there is no such folder.
    pub fn lock_change(&self) -> Result<File> {
        lock(&self.0.join("change.lock"))
    }

    /// The same without waiting; none when somebody is changing it.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn try_lock_change(&self) -> Result<Option<File>> {
        try_lock(&self.0.join("change.lock"))
    }

    /// What a supervisor holds as long as it lives; none when there is one.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn try_lock_supervisor(&self) -> Result<Option<File>> {
        try_lock(&self.0.join("supervisor.lock"))
    }

    /// Whether a supervisor lives: whether its lock is taken.
    pub fn supervised(&self) -> bool {
        let path = self.0.join("supervisor.lock");
        let Ok(file) = OpenOptions::new().read(true).open(&path) else {
            return false;
        };
        // A shared look does not stand in the way of another look; a supervisor that starts at this
        // very moment tries again.
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// Waits for a lock, which lasts until the file is dropped.
///
/// # Errors
/// The file cannot be opened.
pub fn lock(path: &Path) -> Result<File> {
    loop {
        let file = open_lock(path)?;
        file.lock().map_err(|error| failed(path, &error))?;
        // It may have been removed, and made anew, while we waited.
        if still(&file, path) {
            return Ok(file);
        }
    }
}

fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(PRIVATE_FILE)
        .open(path)
        .map_err(|error| failed(path, &error))
}

/// The same without waiting; none when it is taken.
///
/// # Errors
/// The file cannot be opened.
pub fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = open_lock(path)?;
    match file.try_lock() {
        Ok(()) if still(&file, path) => Ok(Some(file)),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(path, &error)),
    }
}

/// Whether the open file is still the one at the path.
fn still(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => open.ino() == there.ino() && open.dev() == there.dev(),
        _ => false,
    }
}

/// Makes a folder and those above it, for our user only.
///
/// # Errors
/// It cannot be made.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(path)
        .map_err(|error| failed(path, &error))
}

/// Writes a file for our user only; whoever reads it sees the old or the new text, never a part.
///
/// # Errors
/// It cannot be written; then the old text is still there.
pub fn write(path: &Path, text: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        failed(path, &error)
    })
}

/// Opens a file for adding to it, for our user only.
///
/// # Errors
/// It cannot be opened.
pub fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(PRIVATE_FILE)
        .open(path)
}

/// Whether there is room for one more record, by a file without a name that is gone at once.
///
/// # Errors
/// There is none, or nothing can be written there.
pub fn room(folder: &Path) -> Result<()> {
    let written = tempfile::tempfile_in(folder).and_then(|mut file| file.write_all(&[0; RECORD]));
    written.map_err(|error| failed(folder, &error))
}

/// Reads a file; none when it is not there.
///
/// # Errors
/// It is there and cannot be read.
pub fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(failed(path, &error)),
    }
}

/// What a failure with a file means for the caller.
pub fn failed(path: &Path, error: &std::io::Error) -> Error {
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::NotFound => Error::not_found(message),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::unavailable(message)
            .hint("make room there, or choose another folder with MCP_STATE_DIR"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
            Error::precondition(message).hint("choose a folder of your own with MCP_STATE_DIR")
        }
        _ => Error::internal(message),
    }
}
