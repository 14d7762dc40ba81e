//! Everything the tool touches outside its own memory: the repository root, the
//! environment, the clock, processes and the terminal.
//!
//! Values that tests want to choose (root, environment) are fields. Rooms that
//! decide (`plan`, `gate`, `artifact`, `lockfile`) never see a `World`.

mod actions;
pub mod files;
pub mod interrupt;
pub mod lock;
pub mod loopback;
pub mod process;
pub mod remote;
pub mod runtime;
pub mod secret;
pub mod surroundings;
pub mod temporary;
pub mod terminal;
pub mod together;

use std::collections::BTreeMap;
use std::io::IsTerminal;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};
use interrupt::Interrupt;
use process::Command;
use surroundings::{Surroundings, Terminals};
use temporary::Temporary;
use terminal::Terminal;

/// The name of the configuration file, which also marks the root of a repository.
pub const CONFIGURATION_FILE: &str = "release.toml";

/// The world as one run of the tool sees it.
pub struct World {
    /// The folder that holds `release.toml`.
    pub root: Utf8PathBuf,
    /// The folder the user stands in; relative paths on the command line start here.
    pub directory: Utf8PathBuf,
    /// The environment of this process, read once.
    pub environment: BTreeMap<String, String>,
    /// What the user sees.
    pub terminal: Terminal,
    /// Whether the run has been asked to stop, and the processes that end with it.
    pub interrupt: Interrupt,
    /// Where programs put their temporary files while this run holds the lock.
    pub temporary: Temporary,
}

impl std::fmt::Debug for World {
    /// Of the environment only the names are shown: the values hold tokens.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.environment.keys().collect();
        formatter
            .debug_struct("World")
            .field("root", &self.root)
            .field("directory", &self.directory)
            .field("environment", &names)
            .finish_non_exhaustive()
    }
}

impl World {
    /// Looks at the real world. Without a `root` the search for `release.toml` starts in the
    /// current folder and goes up.
    ///
    /// # Errors
    /// A working directory or a path that is not UTF-8, or no `release.toml` in it or above it.
    pub fn observe(root: Option<&Utf8Path>, terminal: Terminal) -> Result<World> {
        World::found(root, terminal, find_root)
    }

    /// As [`World::observe`], in any repository: without a `release.toml` the root is the nearest
    /// folder with `.github` or `.git` in it, else the current one.
    ///
    /// # Errors
    /// A working directory or a path that is not UTF-8.
    pub fn observe_any(root: Option<&Utf8Path>, terminal: Terminal) -> Result<World> {
        World::found(root, terminal, |start| Ok(find_any_root(start)))
    }

    fn found(
        root: Option<&Utf8Path>,
        terminal: Terminal,
        find: impl Fn(&Utf8Path) -> Result<Utf8PathBuf>,
    ) -> Result<World> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads them"
        )]
        let (current, environment) = (std::env::current_dir(), std::env::vars_os());
        let current = current.map_err(|cause| {
            Error::precondition(format!("read the working directory: {cause}"))
                .hint("change into a folder that exists")
        })?;
        let directory = utf8(current)?;
        let environment = environment
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let root = match root {
            Some(root) => named_root(&directory, root)?,
            None => find(&directory)?,
        };
        terminal.locate(root.as_str());
        Ok(World {
            root,
            directory,
            environment,
            terminal,
            interrupt: Interrupt::default(),
            temporary: Temporary::default(),
        })
    }

    /// The same world as it would be if nobody had asked to stop: for a question after an
    /// interrupt, about how far it let something come. Its commands must be short.
    #[must_use]
    pub fn unstopped(&self) -> World {
        World {
            root: self.root.clone(),
            directory: self.directory.clone(),
            environment: self.environment.clone(),
            terminal: self.terminal.clone(),
            interrupt: Interrupt::default(),
            temporary: self.temporary.clone(),
        }
    }

    /// A command to be run in the repository root, with this world's environment.
    pub fn command(&self, program: impl AsRef<str>) -> Command<'_> {
        Command::new(self, program.as_ref())
    }

    /// The value of an environment variable, if it is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Turns a path from the command line into an absolute one.
    pub fn resolve(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.directory.join(path)
    }

    /// Shows a path the way a reader would type it: relative to the root when it is below it.
    pub fn show<'path>(&self, path: &'path Utf8Path) -> &'path Utf8Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// Where finished artifacts are handed from verb to verb.
    pub fn dist(&self) -> Utf8PathBuf {
        self.root.join("dist")
    }

    /// Private state of the tool: tools, caches, staging folders. Safe to delete.
    pub fn private(&self) -> Utf8PathBuf {
        let target = self.variable("CARGO_TARGET_DIR").unwrap_or("target");
        self.root.join(target).join("xtask")
    }

    /// Where private environments are installed. `XTASK_TOOLS_DIR` lets several repositories
    /// share one Node.js and one build environment.
    pub fn tools(&self) -> Utf8PathBuf {
        let shared = self.variable("XTASK_TOOLS_DIR");
        shared.map_or_else(
            || self.private().join("tools"),
            |folder| self.root.join(folder),
        )
    }

    /// The time.
    pub fn now(&self) -> jiff::Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
        let now = std::time::SystemTime::now();
        // A clock outside the years that jiff knows is no clock.
        jiff::Timestamp::try_from(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The path of the running tool.
    ///
    /// # Errors
    /// The operating system cannot say, or the path is not UTF-8.
    pub fn program(&self) -> Result<Utf8PathBuf> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
        let path = std::env::current_exe();
        utf8(path.map_err(|cause| Error::failure(format!("find the running program: {cause}")))?)
    }

    /// Fails when the run has been asked to stop; call it between steps.
    ///
    /// # Errors
    /// [`Error::interrupted`].
    pub fn check_interrupted(&self) -> Result<()> {
        if self.interrupt.requested() {
            Err(Error::interrupted())
        } else {
            Ok(())
        }
    }
}

fn named_root(directory: &Utf8Path, root: &Utf8Path) -> Result<Utf8PathBuf> {
    let root = directory.join(root);
    if root.is_dir() {
        return Ok(root);
    }
    Err(Error::usage(format!("--root {root} is not a folder"))
        .hint("name the folder that holds release.toml"))
}

fn find_any_root(start: &Utf8Path) -> Utf8PathBuf {
    let marks = [CONFIGURATION_FILE, ".github", ".git"];
    let is_root = |folder: &&Utf8Path| marks.iter().any(|mark| folder.join(mark).exists());
    let root = start.ancestors().find(is_root).unwrap_or(start);
    root.to_path_buf()
}

fn find_root(start: &Utf8Path) -> Result<Utf8PathBuf> {
    start
        .ancestors()
        .find(|folder| folder.join(CONFIGURATION_FILE).is_file())
        .map(Utf8Path::to_path_buf)
        .ok_or_else(|| {
            Error::usage(format!(
                "no {CONFIGURATION_FILE} in {start} or in any folder above it"
            ))
            .hint("change into the repository, or name it with --root DIR")
            .hint("a new repository: cargo xtask init writes one")
        })
}

/// Turns a path into UTF-8, which the configuration, the manifests and JSON need.
///
/// # Errors
/// A path with bytes that are not UTF-8.
pub fn utf8(path: std::path::PathBuf) -> Result<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(path).map_err(|path| {
        Error::precondition(format!("the path {} is not valid UTF-8", path.display()))
            .hint("move the repository to a folder whose name is valid UTF-8")
    })
}

/// Where output goes, as the real environment says.
pub fn surroundings() -> Surroundings {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads it"
    )]
    let environment = std::env::vars_os();
    let environment = environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let terminals = Terminals {
        results: std::io::stdout().is_terminal(),
        messages: std::io::stderr().is_terminal(),
    };
    Surroundings::of(&environment, terminals)
}
