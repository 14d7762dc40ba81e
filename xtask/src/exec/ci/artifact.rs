//! `actions/upload-artifact` and `actions/download-artifact`: a store of the run. Files come back
//! as they do at GitHub: without hidden ones, and none is executable.

use camino::{Utf8Path, Utf8PathBuf};

use super::step::{Ended, Inputs};
use crate::error::{Context, Error, Result};
use crate::workflow::local::paths::{Patterns, shared};
use crate::world::{World, files};

/// Stores files.
pub fn upload(
    world: &World,
    workspace: &Utf8Path,
    store: &Utf8Path,
    inputs: &Inputs,
) -> Result<Ended> {
    let name = inputs.get("name").unwrap_or("artifact");
    let wrong = |c: char| "\":<>|*?\r\n\\/".contains(c);
    if name.is_empty() || name.contains(wrong) || name.starts_with('.') {
        return Ok(Ended::Failed(format!(
            "an artifact cannot be named {name:?}"
        )));
    }
    let Some(text) = inputs.get("path") else {
        return Ok(Ended::Failed("the input path is needed".to_owned()));
    };
    let patterns = Patterns::parse(text, workspace);
    let hidden = match inputs.get("include-hidden-files") {
        Some("true") => Hidden::Taken,
        _ => Hidden::LeftOut,
    };
    let roots = patterns.roots();
    let mut found = Vec::new();
    for root in &roots {
        walk(&workspace.join(root), hidden, &mut |path| {
            let inside = path.strip_prefix(workspace).unwrap_or(path);
            if patterns.take(inside) && !found.contains(&path.to_owned()) {
                found.push(path.to_owned());
            }
        })?;
    }
    if found.is_empty() {
        let message = format!("no files were found with the path {}", text.trim());
        return match inputs.get("if-no-files-found") {
            Some("error") => Ok(Ended::Failed(message)),
            Some("ignore") => Ok(Ended::done()),
            _ => {
                world.terminal.warn(&message);
                Ok(Ended::done())
            }
        };
    }
    let top = workspace.join(shared(&roots));
    let top = match top.is_file() {
        true => top.parent().unwrap_or(workspace).to_path_buf(),
        false => top,
    };
    let place = store.join(name);
    if place.exists() && inputs.get("overwrite") != Some("true") {
        let message = format!("an artifact {name} was stored by this run already");
        return Ok(Ended::Failed(message));
    }
    let staged = files::Staged::beside(&place)?;
    for path in &found {
        let inside = path.strip_prefix(&top).unwrap_or(path);
        files::write(&staged.path().join(inside), &files::read(path)?)?;
    }
    staged.swap()?;
    let count = found.len();
    world
        .terminal
        .pass_on(&format!("  | artifact {name}: {count} files"));
    Ok(Ended::Done(vec![(
        "artifact-id".to_owned(),
        "1".to_owned(),
    )]))
}

/// Takes files out of the store.
pub fn download(
    world: &World,
    workspace: &Utf8Path,
    store: &Utf8Path,
    inputs: &Inputs,
) -> Result<Ended> {
    let folder = workspace.join(inputs.get("path").unwrap_or_default());
    let done = Ended::Done(vec![("download-path".to_owned(), folder.to_string())]);
    if let Some(name) = inputs.get("name").filter(|name| !name.is_empty()) {
        let place = store.join(name);
        if name.contains(['/', '\\']) || name.starts_with('.') || !place.is_dir() {
            return Ok(Ended::Failed(format!(
                "this run has stored no artifact {name}"
            )));
        }
        let count = copy(&place, &folder)?;
        world
            .terminal
            .pass_on(&format!("  | artifact {name}: {count} files"));
        return Ok(done);
    }
    let pattern = inputs
        .get("pattern")
        .filter(|pattern| !pattern.is_empty())
        .unwrap_or("*");
    let mut names: Vec<String> = match store.read_dir_utf8() {
        Ok(entries) => entries
            .flatten()
            .map(|entry| entry.file_name().to_owned())
            .collect(),
        Err(_) => Vec::new(),
    };
    names.retain(|name| !name.starts_with('.') && fast_glob::glob_match(pattern, name));
    names.sort();
    for name in &names {
        let target = match inputs.get("merge-multiple") {
            Some("true") => folder.clone(),
            _ => folder.join(name),
        };
        let count = copy(&store.join(name), &target)?;
        world
            .terminal
            .pass_on(&format!("  | artifact {name}: {count} files"));
    }
    Ok(done)
}

/// Whether files count whose names, or whose folders' names, begin with a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// They count.
    Taken,
    /// They do not.
    LeftOut,
}

/// Calls `take` with every file below a path, or with the file that it is, in order of names.
pub fn walk(path: &Utf8Path, hidden: Hidden, take: &mut dyn FnMut(&Utf8Path)) -> Result<()> {
    if path.is_file() {
        take(path);
        return Ok(());
    }
    let Ok(entries) = path.read_dir_utf8() else {
        return Ok(());
    };
    let mut paths: Vec<Utf8PathBuf> = entries
        .flatten()
        .map(camino::Utf8DirEntry::into_path)
        .collect();
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.starts_with('.'));
        if is_hidden && (hidden == Hidden::LeftOut || path.file_name() == Some(".git")) {
            continue;
        }
        // A link to a folder may lead back up.
        if path.is_dir() && path.is_symlink() {
            continue;
        }
        walk(&path, hidden, take)?;
    }
    Ok(())
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<usize> {
    let mut paths = Vec::new();
    walk(from, Hidden::Taken, &mut |path| paths.push(path.to_owned()))?;
    for path in &paths {
        let inside = path.strip_prefix(from).unwrap_or(path);
        files::write(&to.join(inside), &files::read(path)?)?;
    }
    files::create_folder(to)?;
    Ok(paths.len())
}

/// The digest that `hashFiles` gives: of the digests of the files, empty when there are none.
pub fn hash(workspace: &Utf8Path, patterns: &[String]) -> Result<String> {
    let patterns = Patterns::parse(&patterns.join("\n"), workspace);
    let mut paths = Vec::new();
    walk(workspace, Hidden::Taken, &mut |path| {
        let inside = path.strip_prefix(workspace).unwrap_or(path);
        if patterns.take(inside) {
            paths.push(path.to_owned());
        }
    })?;
    if paths.is_empty() {
        return Ok(String::new());
    }
    let mut digests = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).doing(|| format!("read {path}"))?;
        digests.extend(<sha2::Sha256 as sha2::Digest>::digest(&bytes));
    }
    Ok(crate::artifact::Digest::of(&digests).hex().to_owned())
}

/// What `hashFiles` calls.
pub fn hashing(workspace: Utf8PathBuf) -> crate::workflow::local::scope::Files {
    std::rc::Rc::new(move |patterns| {
        hash(&workspace, patterns).map_err(|error: Error| error.message)
    })
}
