//! What a checkout of the repository has: its files, its npm scripts, its make targets.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde_json::Value;

use crate::error::Result;
use crate::source;
use crate::workflow::repository::Disk;
use crate::world::World;

/// Folders that are never in a checkout.
const SKIPPED: [&str; 4] = [".git", "node_modules", "target", ".venv"];

/// So many files are looked at in a folder without git.
const MOST_FILES: usize = 100_000;

/// Looks at the repository. What git ignores is not in a checkout; without git, everything is.
///
/// # Errors
/// The run is interrupted.
pub fn look(world: &World) -> Result<Disk> {
    let files = match tracked(world)? {
        Some(files) => files,
        None => walked(&world.root),
    };
    let mut disk = Disk {
        files,
        ..Disk::default()
    };
    for path in &disk.files {
        let path = Utf8Path::new(path);
        let folder = path
            .parent()
            .unwrap_or(Utf8Path::new(""))
            .as_str()
            .to_owned();
        let text = || std::fs::read_to_string(world.root.join(path)).unwrap_or_default();
        match path.file_name() {
            Some("package.json") => {
                disk.scripts.insert(folder, scripts(&text()));
            }
            Some("Makefile" | "makefile" | "GNUmakefile") => {
                disk.targets.insert(folder, targets(&text()));
            }
            _ => {}
        }
    }
    Ok(disk)
}

fn tracked(world: &World) -> Result<Option<BTreeSet<String>>> {
    let listed = source::git(world)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output();
    world.check_interrupted()?;
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return Ok(None);
    };
    let names = listed.stdout.split('\0').filter(|name| !name.is_empty());
    let there = names.filter(|name| world.root.join(name).symlink_metadata().is_ok());
    Ok(Some(there.map(str::to_owned).collect()))
}

fn walked(root: &Utf8Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = folder.read_dir_utf8() else {
            continue;
        };
        for entry in entries.flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !SKIPPED.contains(&entry.file_name()) {
                open.push(entry.path().to_path_buf());
            } else if !is_folder && files.len() < MOST_FILES {
                let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
                files.insert(path.as_str().replace('\\', "/"));
            }
        }
    }
    files
}

/// The names of npm scripts; none for a text that is not JSON.
fn scripts(text: &str) -> BTreeSet<String> {
    let package: Value = serde_json::from_str(text).unwrap_or_default();
    let scripts = package.get("scripts").and_then(Value::as_object);
    let names = scripts.into_iter().flatten().map(|(name, _)| name.clone());
    names.collect()
}

/// The targets of a Makefile; `*` when some are known to make only.
fn targets(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.replace("\\\n", " ").lines() {
        if line.starts_with(['\t', '#']) {
            continue;
        }
        if line.starts_with("include")
            || line.starts_with("-include")
            || line.starts_with("sinclude")
        {
            names.insert("*".to_owned());
        }
        let Some((heads, rest)) = line.split_once(':') else {
            continue;
        };
        if rest.starts_with('=') || heads.contains('=') || line.contains(":::=") {
            continue;
        }
        if heads.contains(['%', '$']) {
            names.insert("*".to_owned());
        }
        names.extend(
            heads
                .split_whitespace()
                .filter(|name| !name.starts_with('.'))
                .map(str::to_owned),
        );
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_makefiles() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(targets(text).iter().collect::<Vec<_>>(), expected, "{text}");
        };
        check("a b: c\n\techo x: y\nX := 1\n.PHONY: a\n", &["a", "b"]);
        check("%.o: %.c\nt:\n", &["%.o", "*", "t"]);
        check("include x.mk\n", &["*"]);
    }

    #[test]
    fn scripts_are_read_from_package_json() {
        assert!(scripts("{\"scripts\": {\"a\": \"x\"}}").contains("a"));
        assert!(!scripts("not JSON").contains("a"));
    }
}
