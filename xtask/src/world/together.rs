//! Several files that change together: all of them or none.
//!
//! Each is written beside its place first. What the files held is kept in the tool's private
//! folder until the caller is done, so that a failure puts it back at once, and the next run does
//! after a kill.

use std::fs;
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{World, files};
use crate::artifact::Digest;
use crate::error::{Context, Error, Result};

/// The format of the note about what is being changed.
const SCHEMA: u32 = 1;

/// How a file begins that is written beside its place.
const PREFIX: &str = ".xtask-rewrite-";

/// A file and what it will hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The file, from the root.
    pub path: Utf8PathBuf,
    /// What it holds.
    pub old: Vec<u8>,
    /// What it will hold.
    pub new: Vec<u8>,
}

/// What was being changed, and on which commit.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    schema: u32,
    commit: String,
    files: Vec<Kept>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    path: Utf8PathBuf,
    new: Digest,
    name: String,
}

/// Files that have been changed; dropped without [`Changed::keep`], they are put back.
#[derive(Debug)]
pub struct Changed<'world> {
    world: &'world World,
    replacements: Vec<Replacement>,
    kept: bool,
}

fn folder(world: &World) -> Utf8PathBuf {
    world.private().join("rewrite")
}

fn note_path(world: &World) -> Utf8PathBuf {
    folder(world).join("note.json")
}

/// Puts back what a run that was killed has left half done on this commit. A file that was
/// changed since is left as it is. Only for the holder of the lock.
///
/// # Errors
/// A file cannot be read or written.
pub fn recover(world: &World, commit: &str) -> Result<()> {
    let path = note_path(world);
    if !path.exists() {
        return files::remove_folder(&folder(world));
    }
    let note: Note = serde_json::from_str(&files::read_text(&path)?)
        .map_err(|cause| Error::failure(format!("{path}: {cause}")))?;
    sweep(world, &note)?;
    if note.commit == commit {
        let mut restored = 0;
        for kept in &note.files {
            let place = world.root.join(&kept.path);
            let is_ours = files::read(&place).is_ok_and(|bytes| Digest::of(&bytes) == kept.new);
            if is_ours {
                let old = files::read(&folder(world).join(&kept.name))?;
                Prepared::of(&place, &old)?.put()?;
                restored += 1;
            }
        }
        if restored > 0 {
            world.terminal.warn(&format!(
                "an earlier run was ended while it changed files together: {restored} of them were \
                 put back"
            ));
        }
    }
    forget(world)
}

/// Removes what was written beside the files and never got their place.
fn sweep(world: &World, note: &Note) -> Result<()> {
    for kept in &note.files {
        let Ok(place) = world.root.join(&kept.path).canonicalize_utf8() else {
            continue;
        };
        let folder = place.parent().unwrap_or(Utf8Path::new("/"));
        let entries = folder.read_dir_utf8().doing(|| format!("list {folder}"))?;
        for entry in entries.flatten() {
            if entry.file_name().starts_with(PREFIX) {
                let path = entry.path();
                fs::remove_file(path).doing(|| format!("remove {path}"))?;
            }
        }
    }
    Ok(())
}

/// The note goes first: without it, what else is there means nothing.
fn forget(world: &World) -> Result<()> {
    let path = note_path(world);
    if path.exists() {
        fs::remove_file(&path).doing(|| format!("remove {path}"))?;
    }
    files::remove_folder(&folder(world))
}

/// Changes all files, or none.
///
/// # Errors
/// One of them holds something else by now, or cannot be written; all are then as they were.
pub fn change<'world>(
    world: &'world World,
    commit: &str,
    replacements: Vec<Replacement>,
) -> Result<Changed<'world>> {
    for replacement in &replacements {
        if files::read(&world.root.join(&replacement.path))? != replacement.old {
            return Err(Error::conflict(format!(
                "{} was changed by somebody else meanwhile",
                replacement.path
            ))
            .hint("nothing was written; run again"));
        }
    }
    remember(world, commit, &replacements)?;
    let changed = Changed {
        world,
        replacements,
        kept: false,
    };
    // Whatever fails from here on, what was put is put back when `changed` goes.
    let files = changed.replacements.iter();
    let prepare = |file: &Replacement| Prepared::of(&world.root.join(&file.path), &file.new);
    let prepared: Vec<Prepared> = files.map(prepare).collect::<Result<_>>()?;
    for file in prepared {
        file.put()?;
    }
    Ok(changed)
}

fn remember(world: &World, commit: &str, replacements: &[Replacement]) -> Result<()> {
    let folder = folder(world);
    let mut kept = Vec::new();
    for (index, replacement) in replacements.iter().enumerate() {
        let name = index.to_string();
        files::write_synced(&folder.join(&name), &replacement.old)?;
        kept.push(Kept {
            path: replacement.path.clone(),
            new: Digest::of(&replacement.new),
            name,
        });
    }
    let note = Note {
        schema: SCHEMA,
        commit: commit.to_owned(),
        files: kept,
    };
    let text = serde_json::to_string(&note).expect("plain fields always serialise");
    files::write_synced(&note_path(world), text.as_bytes())
}

impl Changed<'_> {
    /// Leaves the files as they are now.
    ///
    /// # Errors
    /// The note cannot be removed.
    pub fn keep(mut self) -> Result<()> {
        self.kept = true;
        forget(self.world)
    }

    fn put_back(&self) -> Result<()> {
        for replacement in &self.replacements {
            let place = self.world.root.join(&replacement.path);
            // A hook may have written into it, too; what it did there goes with it.
            if files::read(&place).is_ok_and(|bytes| bytes != replacement.old) {
                Prepared::of(&place, &replacement.old)?.put()?;
            }
        }
        forget(self.world)
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(error) = self.put_back() {
            let text = format!("{}; the next run puts the files back", error.message);
            self.world.terminal.warn(&text);
        }
    }
}

/// A file written beside its place, with the mode of what is there.
struct Prepared {
    file: NamedTempFile,
    place: Utf8PathBuf,
}

impl Prepared {
    fn of(place: &Utf8Path, bytes: &[u8]) -> Result<Prepared> {
        let doing = || format!("write {place}");
        // The file behind a link is written, and the link stays.
        let place = place.canonicalize_utf8().doing(doing)?;
        let parent = place.parent().unwrap_or(Utf8Path::new("/"));
        let mut file = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempfile_in(parent)
            .doing(doing)?;
        file.write_all(bytes).doing(doing)?;
        let found = fs::metadata(&place).doing(doing)?;
        file.as_file()
            .set_permissions(found.permissions())
            .doing(doing)?;
        file.as_file().sync_all().doing(doing)?;
        Ok(Prepared { file, place })
    }

    fn put(self) -> Result<()> {
        let Prepared { file, place } = self;
        file.persist(&place)
            .map_err(|cause| cause.error)
            .doing(|| format!("write {place}"))?;
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::world::interrupt::Interrupt;
    use crate::world::temporary::Temporary;
    use crate::world::terminal::{Detail, Format, Terminal};

    fn world(root: &Utf8Path) -> World {
        World {
            root: root.to_owned(),
            directory: root.to_owned(),
            environment: std::collections::BTreeMap::new(),
            terminal: Terminal::new(Format::Text, Detail::Quiet),
            interrupt: Interrupt::default(),
            temporary: Temporary::default(),
        }
    }

    fn replacement(path: &str) -> Replacement {
        Replacement {
            path: path.into(),
            old: b"old".to_vec(),
            new: b"new".to_vec(),
        }
    }

    /// Runs a case in a folder with two files, and says what they hold and what else is there.
    fn case(run: impl FnOnce(&World)) -> (String, String, bool) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for name in ["a", "b"] {
            fs::write(root.join(name), "old").unwrap();
        }
        let world = world(root);
        run(&world);
        let text = |name| fs::read_to_string(root.join(name)).unwrap();
        let names = root.read_dir_utf8().unwrap().flatten();
        let clean = !names
            .into_iter()
            .any(|it| it.file_name().starts_with(".xtask"));
        assert!(clean, "something was left beside the files");
        (text("a"), text("b"), self::folder(&world).exists())
    }

    fn said(a: &str, b: &str, noted: bool) -> (String, String, bool) {
        (a.to_owned(), b.to_owned(), noted)
    }

    #[test]
    fn all_files_change_or_none() {
        let both = || vec![replacement("a"), replacement("b")];
        let kept = case(|world| change(world, "c", both()).unwrap().keep().unwrap());
        assert_eq!(kept, said("new", "new", false));
        let dropped = case(|world| drop(change(world, "c", both()).unwrap()));
        assert_eq!(dropped, said("old", "old", false));
        // The second of them cannot be written at all.
        let failed = case(|world| {
            change(world, "c", vec![replacement("a"), replacement("missing")]).unwrap_err();
        });
        assert_eq!(failed, said("old", "old", false));
        let foreign = case(|world| {
            fs::write(world.root.join("b"), "other").unwrap();
            let error = change(world, "c", both()).unwrap_err();
            assert_eq!(error.kind.exit_code(), 4);
        });
        assert_eq!(foreign, said("old", "other", false));
    }

    #[test]
    fn a_failure_while_they_are_swapped_puts_back_what_was_swapped() {
        let failed = case(|world| {
            // Between its preparation and its swap, a folder takes the place of the second file.
            let first = Prepared::of(&world.root.join("a"), b"new").unwrap();
            let second = Prepared::of(&world.root.join("b"), b"new").unwrap();
            remember(world, "c", &[replacement("a"), replacement("b")]).unwrap();
            let changed = Changed {
                world,
                replacements: vec![replacement("a"), replacement("b")],
                kept: false,
            };
            fs::remove_file(world.root.join("b")).unwrap();
            fs::create_dir(world.root.join("b")).unwrap();
            first.put().unwrap();
            second.put().unwrap_err();
            drop(changed);
            fs::remove_dir(world.root.join("b")).unwrap();
            fs::write(world.root.join("b"), "old").unwrap();
        });
        assert_eq!(failed, said("old", "old", false));
    }

    #[test]
    fn what_a_killed_run_left_is_put_back_by_the_next() {
        let killed = |commit: &'static str, edited: bool| {
            case(move |world| {
                remember(world, "c", &[replacement("a"), replacement("b")]).unwrap();
                fs::write(world.root.join(".xtask-rewrite-x"), "half").unwrap();
                fs::write(world.root.join("a"), if edited { "mine" } else { "new" }).unwrap();
                recover(world, commit).unwrap();
            })
        };
        assert_eq!(killed("c", false), said("old", "old", false));
        // Whatever a person did since stays.
        assert_eq!(killed("c", true), said("mine", "old", false));
        // The commit of the release was made; only the end of the run is missing.
        assert_eq!(killed("d", false), said("new", "old", false));
    }

    #[test]
    fn modes_and_links_stay() {
        use std::os::unix::fs::PermissionsExt;
        let ended = case(|world| {
            let (a, link) = (world.root.join("a"), world.root.join("link"));
            fs::set_permissions(&a, fs::Permissions::from_mode(0o755)).unwrap();
            std::os::unix::fs::symlink("a", &link).unwrap();
            let changed = change(world, "c", vec![replacement("link")]).unwrap();
            changed.keep().unwrap();
            assert!(link.is_symlink());
            let mode = fs::metadata(&a).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
        });
        assert_eq!(ended, said("new", "old", false));
    }
}
