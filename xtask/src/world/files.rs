//! Files and folders: whole writes only, and folders that are swapped, never edited.

use std::fs;
use std::io::{Read, Write};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Context, Error, Result};

/// Makes every file and folder that this run and its children create readable for all, so that
/// no artifact depends on the umask of the caller.
pub fn pin_umask() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// Reads a whole file.
///
/// # Errors
/// The file is missing or cannot be read; the message names it.
pub fn read(path: &Utf8Path) -> Result<Vec<u8>> {
    fs::read(path).doing(|| format!("read {path}"))
}

/// Reads a whole text file.
///
/// # Errors
/// As [`read`], or the file is not UTF-8.
pub fn read_text(path: &Utf8Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|cause| {
        let at = cause.utf8_error().valid_up_to();
        Error::failure(format!("read {path}: not UTF-8 at byte {at}"))
            .hint(format!("save {path} as UTF-8"))
    })
}

/// The most that is read from standard input.
const INPUT_LIMIT: u64 = 16 << 20;

/// Reads all of standard input as text.
///
/// # Errors
/// It is longer than [`INPUT_LIMIT`], or not UTF-8.
pub fn read_input() -> Result<String> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(INPUT_LIMIT + 1);
    input
        .read_to_string(&mut text)
        .doing(|| "read standard input".to_owned())?;
    match text.len() as u64 > INPUT_LIMIT {
        true => Err(Error::usage(format!(
            "standard input is longer than {INPUT_LIMIT} bytes"
        ))),
        false => Ok(text),
    }
}

/// Writes a file whole: beside its place first, then renamed into it. A device or a pipe is
/// written to as it is: a rename would put a file in the place of `/dev/null`. The file behind a
/// link is written, and the link stays.
///
/// # Errors
/// The folder cannot be written or the disk is full; the old file then stays.
pub fn write(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("write {path}");
    match fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            let device = fs::OpenOptions::new().write(true).open(path);
            device
                .and_then(|mut device| device.write_all(bytes))
                .doing(doing)
        }
        Ok(found) if found.is_file() && path.is_symlink() => {
            replace(&path.canonicalize_utf8().doing(doing)?, bytes)
        }
        _ => replace(path, bytes),
    }
}

/// Writes a file whole and has it flushed to the disk before it takes its name, so that a crash
/// leaves the old one or the new one. Whoever has the old one mapped keeps it whole.
///
/// # Errors
/// As [`write`].
pub fn write_synced(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    place(path, bytes, fs::File::sync_all)
}

fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    place(path, bytes, |_| Ok(()))
}

fn place(
    path: &Utf8Path,
    bytes: &[u8],
    settle: impl FnOnce(&fs::File) -> std::io::Result<()>,
) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    let folder = folder.unwrap_or(Utf8Path::new("."));
    create_folder(folder)?;
    let doing = || format!("write {path}");
    let mut file = tempfile::Builder::new()
        .prefix(".xtask-")
        .tempfile_in(folder)
        .doing(doing)?;
    file.write_all(bytes).doing(doing)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))
            .doing(doing)?;
    }
    settle(file.as_file()).doing(doing)?;
    file.persist(path)
        .map_err(|cause| cause.error)
        .doing(doing)?;
    Ok(())
}

/// Creates a folder and those above it.
///
/// # Errors
/// The place cannot be written.
pub fn create_folder(path: &Utf8Path) -> Result<()> {
    fs::create_dir_all(path).doing(|| format!("create the folder {path}"))
}

/// Removes a folder with all it holds; one that is not there is fine.
///
/// # Errors
/// Something in it may not be removed.
pub fn remove_folder(path: &Utf8Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(cause).doing(|| format!("remove the folder {path}"))
        }
        _ => Ok(()),
    }
}

/// A folder that is built beside its place and then swapped into it in one step.
///
/// Dropped before [`Staged::swap`], it leaves no trace.
#[derive(Debug)]
pub struct Staged {
    folder: tempfile::TempDir,
    place: Utf8PathBuf,
}

impl Staged {
    /// A new empty folder `.NAME.xtask-…` beside `place`.
    ///
    /// # Errors
    /// The parent of `place` cannot be written, or `place` is a file or a link.
    pub fn beside(place: &Utf8Path) -> Result<Staged> {
        require_folder(place)?;
        let parent = place.parent().unwrap_or(Utf8Path::new("."));
        create_folder(parent)?;
        sweep(place)?;
        let folder = tempfile::Builder::new()
            .prefix(&staging_prefix(place))
            .tempdir_in(parent)
            .doing(|| format!("create a folder in {parent}"))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
                .doing(|| format!("set the mode of {}", folder.path().display()))?;
        }
        Ok(Staged {
            folder,
            place: place.to_owned(),
        })
    }

    /// Where to build.
    ///
    /// # Panics
    /// Never: the parent and our own prefix are UTF-8.
    pub fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("parent and prefix are UTF-8")
    }

    /// Puts the new folder in place of the old one. A reader sees the old or the new, never
    /// a mixture; after a SIGKILL in between, one of the two is whole and in place.
    ///
    /// # Errors
    /// The rename is refused; the old folder then stays.
    pub fn swap(self) -> Result<()> {
        let place = &self.place;
        let doing = || format!("put the new {place} in place");
        if fs::symlink_metadata(place).is_err() {
            fs::rename(self.folder.path(), place).doing(doing)?;
            return Ok(());
        }
        exchange(self.path(), place).doing(doing)
        // What was in place before is now in our temporary folder and goes with it.
    }
}

/// Only a folder may be replaced by a folder: a file is not ours, and a link would be lost.
///
/// # Errors
/// Something else is in its place.
pub fn require_folder(place: &Utf8Path) -> Result<()> {
    match fs::symlink_metadata(place) {
        Ok(found) if !found.is_dir() => {
            let what = if found.is_symlink() { "link" } else { "file" };
            Err(
                Error::precondition(format!("{place} is a {what}, where a folder is to be put"))
                    .hint(format!("move it elsewhere first: mv {place} …")),
            )
        }
        _ => Ok(()),
    }
}

/// Removes staging folders that a killed run left beside `place`. Call it under the lock.
fn sweep(place: &Utf8Path) -> Result<()> {
    let parent = place.parent().unwrap_or(Utf8Path::new("."));
    let prefix = staging_prefix(place);
    let entries = parent.read_dir_utf8().doing(|| format!("list {parent}"))?;
    for entry in entries.flatten() {
        if entry.file_name().starts_with(&prefix) {
            remove_folder(entry.path())?;
        }
    }
    Ok(())
}

fn staging_prefix(place: &Utf8Path) -> String {
    format!(".{}.xtask-", place.file_name().unwrap_or("folder"))
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(new: &Utf8Path, old: &Utf8Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(
        CWD,
        new.as_std_path(),
        CWD,
        old.as_std_path(),
        RenameFlags::EXCHANGE,
    ) {
        // Some network and overlay file systems cannot exchange; two renames must do there.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            rename_twice(new, old)
        }
        other => other.map_err(Into::into),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(new: &Utf8Path, old: &Utf8Path) -> std::io::Result<()> {
    rename_twice(new, old)
}

fn rename_twice(new: &Utf8Path, old: &Utf8Path) -> std::io::Result<()> {
    let aside = new.with_extension("old");
    fs::rename(old, &aside)?;
    fs::rename(new, old)?;
    fs::rename(&aside, new)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_a_pipe_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(read(&file).unwrap(), b"new");

        let (mut reader, writer) = std::io::pipe().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&writer);
        write(Utf8Path::new(&format!("/dev/fd/{number}")), b"through").unwrap();
        drop(writer);
        let text = std::io::read_to_string(&mut reader).unwrap();
        assert_eq!(text, "through");
    }
}
