//! A repository as it is inspected: the paths of its files, and the texts that tell something.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::lockfile;

/// A file that tells something and was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file, from the root.
    pub path: String,
    /// Why it was not read.
    pub why: String,
}

/// What was read of a repository.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// Every file, from the root, with slashes.
    pub files: BTreeSet<String>,
    /// Every folder that holds one.
    pub folders: BTreeSet<String>,
    /// The texts of those in which there is [`interest`].
    pub texts: BTreeMap<String, String>,
    /// What was not read and why.
    pub unread: Vec<Unread>,
}

/// Folders that hold what others made, what a tool made, what a test breaks on purpose, or what
/// only shows how something is used.
const FOREIGN: [&str; 29] = [
    "node_modules",
    "bower_components",
    "site-packages",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".git",
    "target",
    "vendor",
    "third_party",
    "__pycache__",
    "test",
    "tests",
    "testing",
    "testdata",
    "__tests__",
    "fixtures",
    "fuzz",
    "e2e",
    "archive",
    "benchmarks",
    "cassettes",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
];

/// Whether a file is not this project's own product.
pub fn is_foreign(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').any(|folder| FOREIGN.contains(&folder))
}

/// The most bytes of this file that are worth reading; `None` when it tells nothing.
pub fn interest(path: &str) -> Option<u64> {
    const SOURCE: u64 = 512 << 10;
    const TEXT: u64 = 1 << 20;
    const LOCK: u64 = 8 << 20;
    if is_foreign(path) {
        return None;
    }
    let name = file_name(path);
    if lockfile::kind_of(name).is_some() {
        return Some(LOCK);
    }
    let lower = name.to_ascii_lowercase();
    let known = [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "manifest.in",
        "package.json",
        "server.json",
        "version",
        "makefile",
        ".gitignore",
        ".vscodeignore",
        "release.toml",
    ];
    if known.contains(&lower.as_str())
        || lower.starts_with("readme")
        || docker_name(&lower)
        || lower.starts_with("requirements")
    {
        return Some(TEXT);
    }
    match lower.rsplit_once('.').map(|(_, end)| end) {
        Some("py" | "go" | "ts" | "js" | "mjs" | "cjs" | "sh") => Some(SOURCE),
        Some("yml" | "yaml") => Some(TEXT),
        _ => None,
    }
}

/// Whether a lower-case name is that of a recipe for an image.
pub fn docker_name(lower: &str) -> bool {
    const OTHERS: [&str; 12] = [
        "dockerignore",
        "md",
        "py",
        "go",
        "ts",
        "js",
        "mjs",
        "cjs",
        "sh",
        "yml",
        "yaml",
        "json",
    ];
    let end = lower.rsplit_once('.').map_or("", |(_, end)| end);
    (lower.starts_with("dockerfile") || lower.ends_with(".dockerfile") || lower == "containerfile")
        && !OTHERS.contains(&end)
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a file, empty for the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path from the root for one that is written in a file of `folder`; `None` when it leaves the
/// root or is absolute.
pub fn beside(folder: &str, path: &str) -> Option<String> {
    crate::audit::discover::beside(folder, path)
}

/// The line of the first place of `needle`, counted from 1; 1 when it is nowhere.
pub fn line_of(text: &str, needle: &str) -> usize {
    text.find(needle)
        .map_or(1, |at| 1 + text[..at].matches('\n').count())
}

impl Repository {
    /// A repository of these files; the folders follow from them.
    pub fn of(files: impl IntoIterator<Item = String>) -> Repository {
        let mut repository = Repository::default();
        for file in files {
            let mut folder = folder_of(&file);
            while !folder.is_empty() && repository.folders.insert(folder.to_owned()) {
                folder = folder_of(folder);
            }
            repository.files.insert(file);
        }
        repository
    }

    /// The text of a file, when it was read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether there is a file or a folder of this path; the empty path is the root.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.files.contains(path) || self.folders.contains(path)
    }

    /// Whether something in the repository makes a file that git does not track: it is ignored by
    /// name, or stands in a folder that tools write into.
    pub fn is_made(&self, path: &str) -> bool {
        const MADE: [&str; 12] = [
            "dist",
            "build",
            "out",
            "target",
            "node_modules",
            "bin",
            "wheels",
            "wheelhouse",
            ".venv",
            "generated",
            "coverage",
            "tmp",
        ];
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if parts.iter().any(|part| MADE.contains(part)) {
            return true;
        }
        let ignores = self
            .texts
            .iter()
            .filter(|(path, _)| file_name(path) == ".gitignore");
        ignores.into_iter().any(|(_, text)| {
            text.lines().any(|line| {
                let line = line.trim().trim_matches('/');
                let last = file_name(line);
                let matches = |part: &&str| match last.strip_prefix('*') {
                    Some(end) if !end.is_empty() && !end.contains('*') => part.ends_with(end),
                    _ => last == *part,
                };
                !line.is_empty() && !line.starts_with('#') && parts.iter().any(matches)
            })
        })
    }

    /// Whether everything that tells something was read.
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty()
    }

    /// The files below a folder, whose paths begin with it.
    pub fn below<'files>(&'files self, folder: &str) -> impl Iterator<Item = &'files str> {
        let start = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let all = self.files.range::<String, _>(start.clone()..);
        all.map(String::as_str)
            .take_while(move |path| path.starts_with(&start))
    }
}
