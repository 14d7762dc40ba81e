//! Where Node finds a package: in the nearest `node_modules` upwards.

use std::collections::HashMap;

/// What stands before a name in a path.
pub const FOLDER: &str = "node_modules/";

/// The longest path that is read.
const LONGEST: usize = 4096;

/// The deepest path that is read.
const DEEPEST: usize = 256;

/// The paths of a lock file, by folder.
pub struct Tree<'text> {
    entries: HashMap<&'text str, usize>,
    folders: HashMap<&'text str, Names<'text>>,
}

/// The names in one `node_modules` and their entries.
pub type Names<'text> = HashMap<&'text str, usize>;

impl<'text> Tree<'text> {
    /// The tree of these paths; an entry is its place in the order.
    pub fn new(paths: impl Iterator<Item = &'text str>) -> Tree<'text> {
        let mut tree = Tree {
            entries: HashMap::new(),
            folders: HashMap::new(),
        };
        for (index, path) in paths.enumerate() {
            tree.entries.insert(path, index);
            if let Some((folder, name)) = split(path) {
                tree.folders.entry(folder).or_default().insert(name, index);
            }
        }
        tree
    }

    /// The entry at exactly this path.
    pub fn entry(&self, path: &str) -> Option<usize> {
        self.entries.get(path).copied()
    }

    /// What can be seen from a path, the nearest first.
    pub fn chain(&self, path: &str) -> Vec<&Names<'text>> {
        let mut chain = Vec::new();
        let mut folder = path;
        loop {
            chain.extend(self.folders.get(folder));
            folder = match folder.rfind('/') {
                Some(slash) => folder.get(..slash).unwrap_or_default(),
                // Above a folder that is outside, the project is not.
                None if folder.is_empty() || folder == ".." => return chain,
                None => "",
            };
        }
    }

    /// The entry of this name that is seen first.
    pub fn find(chain: &[&Names<'_>], name: &str) -> Option<usize> {
        chain.iter().find_map(|names| names.get(name).copied())
    }
}

/// The folder whose `node_modules` a path is in, and the name there.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let at = path.rfind(FOLDER)?;
    let name = path.get(at + FOLDER.len()..)?;
    match path.get(..at)? {
        "" => Some(("", name)),
        folder => folder.strip_suffix('/').map(|folder| (folder, name)),
    }
}

/// Whether a path is short and flat enough to be walked for each package.
pub fn is_bounded(path: &str) -> bool {
    path.len() <= LONGEST && path.bytes().filter(|byte| *byte == b'/').count() <= DEEPEST
}
