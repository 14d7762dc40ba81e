//! The pages of a package index on disk, made anew from the files beside them.

use camino::Utf8Path;
use serde_json::Value;

use crate::artifact::Digest;
use crate::error::{Context, Error, Result};
use crate::product::index::{Listed, project_pages, root_pages};
use crate::product::wheel::inspect;
use crate::registry::Item;
use crate::world::files;

/// Whether the page of a project lists a file with its digest.
///
/// # Errors
/// The page cannot be read.
pub fn lists(folder: &Utf8Path, project: &str, item: &Item) -> Result<bool> {
    let path = folder.join(format!("index/{project}/index.json"));
    if !path.exists() {
        return Ok(false);
    }
    let page: Value = serde_json::from_str(&files::read_text(&path)?)
        .map_err(|cause| Error::failure(format!("{path}: {cause}")))?;
    let name = item.key.rsplit('/').next().unwrap_or_default();
    let entries = page["files"].as_array().into_iter().flatten();
    let mut named = entries.filter(|entry| entry["filename"] == name);
    Ok(named.any(|entry| entry["hashes"]["sha256"] == item.sha256.hex()))
}

/// Writes the pages anew, from what is there.
///
/// # Errors
/// A folder cannot be read or written.
pub fn renew(folder: &Utf8Path, project: &str) -> Result<()> {
    let mut listed = Vec::new();
    for name in names(&folder.join(format!("index/{project}")))? {
        if name.ends_with(".whl") || name.ends_with(".tar.gz") {
            let path = folder.join(format!("index/{project}/{name}"));
            listed.push(entry(project, &name, &files::read(&path)?));
        }
    }
    let folders = names(&folder.join("index"))?;
    let is_folder = |name: &String| folder.join("index").join(name).is_dir();
    let projects: Vec<String> = folders.into_iter().filter(is_folder).collect();
    let mut pages = project_pages(project, &listed);
    pages.extend(root_pages(&projects));
    for (path, bytes) in pages {
        files::write_synced(&folder.join(path), &bytes)?;
    }
    Ok(())
}

fn entry(project: &str, name: &str, bytes: &[u8]) -> Listed {
    let facts = inspect::wheel(name, bytes).ok();
    let version = match &facts {
        Some(facts) => facts.version.clone(),
        // An sdist is NAME-VERSION.tar.gz, and its name has no other hyphen (PEP 625).
        None => {
            let stem = name.strip_suffix(".tar.gz").unwrap_or(name);
            let version = stem.rsplit_once('-').map(|(_, version)| version);
            version.unwrap_or(project).to_owned()
        }
    };
    Listed {
        filename: name.to_owned(),
        url: name.to_owned(),
        version,
        sha256: Digest::of(bytes),
        size: bytes.len() as u64,
        requires_python: facts.and_then(|facts| facts.requires_python),
    }
}

/// What is in a folder, sorted.
fn names(folder: &Utf8Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().doing(|| format!("list {folder}"))? {
        let entry = entry.doing(|| format!("list {folder}"))?;
        names.push(entry.file_name().to_owned());
    }
    names.sort();
    Ok(names)
}
