//! Reads a repository for the rules of `inspect`: what git tracks, or what lies in the folder, and
//! of that the texts that tell something. Bounded, and only ever inside of the root.

use std::io::Read;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};

use crate::inspect::{Repository, Unread, interest};
use crate::source;
use crate::world::World;

/// The most files that are listed.
const MOST_FILES: usize = 200_000;
/// The most files that are read.
const MOST_READ: usize = 20_000;
/// The most bytes that are read.
const MOST_BYTES: u64 = 64 << 20;

/// Reads the repository of this world.
pub fn observe(world: &World) -> Repository {
    let mut unread = Vec::new();
    let files = tracked(world).unwrap_or_else(|| walked(&world.root, &mut unread));
    let mut repository = Repository::of(files);
    repository.unread = unread;
    read_all(&world.root, &mut repository);
    repository
}

/// The files that git tracks below the root; `None` outside of a repository.
fn tracked(world: &World) -> Option<Vec<String>> {
    let listed = source::git(world).args(["ls-files", "-z", "--cached"]);
    let listed = listed.output().ok()?;
    if !listed.status.success() {
        return None;
    }
    let mut files: Vec<String> = listed
        .stdout
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    files.dedup();
    // A repository in which nothing is added yet is a folder like any other.
    (!files.is_empty()).then_some(files)
}

/// Every file below the root but those that tools put there.
fn walked(root: &Utf8Path, unread: &mut Vec<Unread>) -> Vec<String> {
    const PASSED: [&str; 8] = [
        ".git",
        "node_modules",
        ".venv",
        "venv",
        "target",
        "__pycache__",
        ".tox",
        ".mypy_cache",
    ];
    let mut folders: Vec<Utf8PathBuf> = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir_utf8() else {
            unread.push(Unread {
                path: inside(root, &folder),
                why: "the folder cannot be listed".to_owned(),
            });
            continue;
        };
        for entry in entries.flatten() {
            if files.len() >= MOST_FILES {
                unread.push(Unread {
                    path: inside(root, &folder),
                    why: format!("there are more than {MOST_FILES} files"),
                });
                return files;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !PASSED.contains(&entry.file_name()) => {
                    folders.push(entry.into_path());
                }
                Ok(kind) if kind.is_file() => files.push(inside(root, entry.path())),
                _ => {}
            }
        }
    }
    files
}

fn inside(root: &Utf8Path, path: &Utf8Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<&str> = relative.components().map(|part| part.as_str()).collect();
    parts.join("/")
}

/// What came of reading one file.
enum Outcome {
    Text(String),
    Gone,
    Unread(String),
}

/// Reads the files that tell something, on as many threads as the machine has.
fn read_all(root: &Utf8Path, repository: &mut Repository) {
    let wanted: Vec<(String, u64)> = repository
        .files
        .iter()
        .filter_map(|path| Some((path.clone(), interest(path)?)))
        .collect();
    let Ok(real) = root.canonicalize_utf8() else {
        return;
    };
    let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || {
        let mut outcomes = Vec::new();
        while let Some((path, most)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            outcomes.push((path, read(&real, path, *most, &bytes)));
        }
        outcomes
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut outcomes = work();
        for other in others {
            match other.join() {
                Ok(more) => outcomes.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcomes
    });
    for (path, outcome) in outcomes {
        match outcome {
            Outcome::Text(text) if repository.texts.len() < MOST_READ => {
                repository.texts.insert(path.clone(), text);
            }
            Outcome::Text(_) => repository.unread.push(Unread {
                path: path.clone(),
                why: format!("more than {MOST_READ} files tell something"),
            }),
            Outcome::Gone => drop(repository.files.remove(path)),
            Outcome::Unread(why) => repository.unread.push(Unread {
                path: path.clone(),
                why,
            }),
        }
    }
    repository
        .unread
        .sort_by(|one, other| one.path.cmp(&other.path));
}

fn read(real: &Utf8Path, path: &str, most: u64, total: &AtomicU64) -> Outcome {
    let file = real.join(path);
    let Ok(metadata) = file.symlink_metadata() else {
        return Outcome::Gone;
    };
    if metadata.is_symlink() {
        let target = file.canonicalize_utf8();
        match target {
            Ok(target) if target.starts_with(real) && target.is_file() => {}
            Ok(target) if target.is_dir() => return Outcome::Gone,
            _ => return Outcome::Unread("a link that leads out of the repository".to_owned()),
        }
    } else if !metadata.is_file() {
        // A submodule is listed as a file and is a folder.
        return Outcome::Gone;
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(&file);
    let result = opened.and_then(|opened| opened.take(most + 1).read_to_end(&mut bytes));
    if let Err(cause) = result {
        return Outcome::Unread(cause.to_string());
    }
    let size = bytes.len() as u64;
    if size > most {
        return Outcome::Unread(format!("larger than {most} bytes"));
    }
    if total.fetch_add(size, Ordering::Relaxed) + size > MOST_BYTES {
        return Outcome::Unread(format!("{MOST_BYTES} bytes were read before it"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Outcome::Text(text),
        Err(_) => Outcome::Unread("not UTF-8".to_owned()),
    }
}
