//! One lock file from the disk, read as if a stranger had put it there: a repository may hold
//! links to anywhere, and a folder pipes and devices that never end.

use std::fs::File;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::Digest;
use crate::audit::discover::{Found, beside};
use crate::audit::examine::Scanned;
use crate::error::{Context, Error, Result};
use crate::lockfile::Input;
use crate::world::process::quote;

/// The largest lock file that is read; the largest known ones have a tenth of it.
const SIZE_LIMIT: u64 = 64 << 20;

/// Reads a lock file.
///
/// # Errors
/// It is missing, no file, too large, leads out of the repository, or says something wrong.
pub fn lock(root: &Utf8Path, groups: &[String], found: &Found) -> Result<Scanned> {
    let text = text(root, &found.path)?;
    let path = Utf8Path::new(&found.path);
    // A file outside of the repository is read with what lies in its own folder.
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let (root, folder) = match folder.is_absolute() {
        true => (folder, ""),
        false => (root, folder.as_str()),
    };
    let input = Input {
        text: &text,
        path,
        shipping_groups: groups,
        beside: &|name| self::text(root, &beside(folder, name)?).ok(),
    };
    let lock = (found.kind.read)(&input)?;
    Ok(Scanned {
        path: found.path.clone(),
        kind: found.kind,
        lock,
        sha256: Digest::of(text.as_bytes()),
    })
}

/// The text of a regular file of bounded size; a path from the root leads to one inside of it.
fn text(root: &Utf8Path, path: &str) -> Result<String> {
    let file = root.join(path);
    let real = file.canonicalize_utf8().map_err(|cause| {
        let error = Error::failure(format!("read {path}: {cause}"));
        let word = quote(path);
        match cause.kind() {
            std::io::ErrorKind::NotFound => error
                .hint(format!(
                    "get it back, if git knows it: git checkout -- {word}"
                ))
                .hint(format!(
                    "or, if it was deleted on purpose: git rm --cached {word}"
                )),
            _ => error,
        }
    })?;
    if Utf8Path::new(path).is_relative() {
        require_inside(root, path, &real)?;
    }
    regular(&real, path)
}

/// The text of a regular file of bounded size, which errors call `path`.
///
/// # Errors
/// It is missing, no file, too large, or not UTF-8.
pub fn regular(real: &Utf8Path, path: &str) -> Result<String> {
    let found = std::fs::metadata(real).doing(|| format!("read {path}"))?;
    if !found.is_file() {
        let what = if found.is_dir() {
            "a folder"
        } else {
            "a pipe or a device"
        };
        return Err(Error::failure(format!("{path}: {what}, not a lock file")));
    }
    // With one byte more than it had, so that the end is seen without growing.
    let expected = found.len().min(SIZE_LIMIT) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    File::open(real)
        .and_then(|file| file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|cause| Error::failure(format!("read {path}: {cause}")))?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(Error::failure(format!(
            "{path}: more than {SIZE_LIMIT} bytes, which no lock file has"
        ))
        .hint("if it is no lock file, leave it out with [[audit.skip]] in release.toml"));
    }
    String::from_utf8(bytes).map_err(|cause| {
        let before = cause
            .as_bytes()
            .iter()
            .take(cause.utf8_error().valid_up_to());
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Error::failure(format!("{path}:{line}: not UTF-8")).hint(format!("save {path} as UTF-8"))
    })
}

fn require_inside(root: &Utf8Path, path: &str, real: &Utf8PathBuf) -> Result<()> {
    let root = root
        .canonicalize_utf8()
        .doing(|| format!("read the folder {root}"))?;
    match real.starts_with(&root) {
        true => Ok(()),
        false => Err(Error::failure(format!(
            "{path} leads out of the repository, to {real}: what it says is not part of the commit"
        ))
        .hint(format!(
            "commit a copy instead of the link, or name the file itself: {real}"
        ))),
    }
}
