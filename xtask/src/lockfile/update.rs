//! Taking a fixed version into a lock file: what is to be changed, and what a person does for it.

/// What is to be changed.
#[derive(Debug, Clone, Copy)]
pub struct Update<'text> {
    /// The lock file, from the root.
    pub file: &'text str,
    /// The version of its format, as its reader said it.
    pub format: &'text str,
    /// The package.
    pub package: &'text str,
    /// The locked version.
    pub from: &'text str,
    /// The version to take.
    pub to: &'text str,
    /// What keeps the new version out.
    pub bar: Bar<'text>,
    /// Whether the project itself asks for the package.
    pub direct: bool,
}

/// What keeps a version out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar<'text> {
    /// Nothing that is known.
    None,
    /// The manifest of the project, which asks in this group.
    Project {
        /// The group: `main`, `dev`.
        group: Option<&'text str>,
    },
    /// Another locked package, of which a newer version may let it in.
    Package(&'text str),
}

/// What a person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// This, in the folder of the lock file; word by word, not quoted.
    Run(Vec<String>),
    /// Something that no command does, in a few words.
    Edit(String),
}

impl Act {
    /// A command of these words; empty ones are left out.
    pub fn run(words: &[&str]) -> Act {
        let words = words.iter().filter(|word| !word.is_empty());
        Act::Run(words.map(|&word| word.to_owned()).collect())
    }
}

impl Update<'_> {
    /// `package@version`.
    pub fn at(&self) -> String {
        format!("{}@{}", self.package, self.to)
    }

    /// The package that keeps the version out, or nothing.
    pub fn barrier(&self) -> &str {
        match self.bar {
            Bar::Package(name) => name,
            Bar::None | Bar::Project { .. } => "",
        }
    }

    /// Whether the manifest must be changed.
    pub fn raises(&self) -> bool {
        matches!(self.bar, Bar::Project { .. })
    }

    /// The group of the manifest that asks, when it is not the main one.
    pub fn group(&self) -> Option<&str> {
        match self.bar {
            Bar::Project { group } => group.filter(|group| *group != "main"),
            Bar::None | Bar::Package(_) => None,
        }
    }
}
