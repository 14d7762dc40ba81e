//! What is known of a repository before anything is decided: paths and texts. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Folders whose projects are nobody's release.
const ASIDE: [&str; 14] = [
    "test",
    "tests",
    "testing",
    "fixtures",
    "example",
    "examples",
    "sample",
    "samples",
    "docs",
    "node_modules",
    "vendor",
    "third_party",
    "dist",
    "build",
];

/// What was read of a repository. Paths are from its top, with slashes.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Every file that git tracks or would track.
    pub paths: BTreeSet<String>,
    /// The texts of manifests, lock files, changelogs, ignore files and Python sources.
    pub texts: BTreeMap<String, String>,
    /// Paths of files that exist although git ignores them.
    pub ignored: BTreeSet<String>,
    /// `owner/name` on GitHub, as the remote `origin` says.
    pub repository: Option<String>,
    /// The branch that is checked out.
    pub branch: String,
    /// The version of this tool.
    pub tool: String,
}

impl Facts {
    /// Whether a text is worth reading for [`Facts::texts`].
    pub fn wants(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let named = [
            "pyproject.toml",
            "package.json",
            ".gitignore",
            ".vscodeignore",
            "uv.lock",
            "poetry.lock",
        ];
        let lower = name.to_ascii_lowercase();
        let listed = lower.starts_with("requirements") && lower.ends_with(".txt")
            || lower.ends_with("requirements.txt")
            || lower.starts_with("changelog")
            || lower.starts_with("readme");
        !is_aside(path) && (named.contains(&name) || listed || name.ends_with(".py"))
    }

    /// Whether nothing can be decided or added to when such a file is no text. What else is in
    /// another encoding decides nothing: a picture called `readme.png`, a list of somebody's.
    pub fn needs(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let lists = name == ".gitignore" || name == ".vscodeignore";
        lists || ["pyproject.toml", "package.json", "uv.lock", "poetry.lock"].contains(&name)
    }

    /// The text of a file, if it was read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether git has the file, or would have it.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Folders that hold a file of this name, leaving out tests and examples.
    pub fn folders_of(&self, name: &str) -> Vec<String> {
        let end = format!("/{name}");
        let folder = |path: &String| match path.strip_suffix(&end) {
            Some(folder) => Some(folder.to_owned()),
            None => (path == name).then(String::new),
        };
        let paths = self.paths.iter().filter(|path| !is_aside(path));
        paths.filter_map(folder).collect()
    }

    /// The files below a folder; all for the top.
    pub fn below<'facts>(&'facts self, folder: &str) -> impl Iterator<Item = &'facts str> {
        let start = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let paths = self.paths.iter();
        paths
            .filter(move |path| path.starts_with(&start))
            .map(String::as_str)
    }
}

/// Whether a path lies in a folder of tests, examples or other people's files.
fn is_aside(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders
        .split('/')
        .any(|folder| ASIDE.contains(&folder.to_ascii_lowercase().as_str()))
}

/// A path in a folder; the top's folder has the empty name.
pub fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// How a folder is named to people and in `release.toml`.
pub fn shown(folder: &str) -> &str {
    match folder {
        "" => ".",
        folder => folder,
    }
}

/// The folder that an option names, as [`Facts`] names it.
pub fn named(path: &camino::Utf8Path) -> String {
    let parts: Vec<&str> = path
        .as_str()
        .split(['/', '\\'])
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    parts.join("/")
}
