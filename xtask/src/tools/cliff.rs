//! git-cliff: the reader of commit messages, in a private environment. It only reads; what comes
//! of the commits is decided here.

use camino::Utf8Path;

use super::executable;
use super::python;
use crate::changelog::commit::{self, Commit};
use crate::error::Result;
use crate::world::{World, files};

/// The pinned git-cliff, with hashes for every platform.
const REQUIREMENTS: &str = include_str!("../../tools/changelog.txt");

/// What it is told: to read every message, to leave out none, and to see no tags.
const CONFIGURATION: &str = "[changelog]\nbody = \"\"\n\n[git]\nconventional_commits = true\n\
    filter_unconventional = false\nrequire_conventional = false\nsplit_commits = false\n\
    filter_commits = false\nsort_commits = \"oldest\"\ntag_pattern = \"^no tag counts$\"\n";

/// What it needs of the caller's environment; settings of its own are not among it.
const INHERITED: [&str; 8] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "USERPROFILE",
    "XDG_CONFIG_HOME",
];

/// Reads the commits of a range such as `v1.0.0..HEAD`, oldest first. `top` is the folder of the
/// repository, and `prefix` the part of it that counts, empty for all of it.
///
/// # Errors
/// git-cliff cannot be installed or started, or says something else.
pub fn commits(world: &World, top: &Utf8Path, prefix: &str, range: &str) -> Result<Vec<Commit>> {
    let environment = match python::existing(world, "changelog", REQUIREMENTS) {
        Some(environment) => environment,
        None => python::create(world, "changelog", REQUIREMENTS)?,
    };
    let folder = environment.python.parent().and_then(Utf8Path::parent);
    let program = executable(folder.unwrap_or(Utf8Path::new(".")), "git-cliff");
    let configuration = world.private().join("programs").join("cliff.toml");
    if std::fs::read_to_string(&configuration).ok().as_deref() != Some(CONFIGURATION) {
        files::write(&configuration, CONFIGURATION.as_bytes())?;
    }
    let mut command = world
        .command(&program)
        .inherit_only(&INHERITED)
        .directory(top)
        .args([
            "--config",
            configuration.as_str(),
            "--repository",
            top.as_str(),
        ])
        .args(["--context", "--offline", "--no-exec"]);
    if !prefix.is_empty() {
        command = command.args(["--include-path", &format!("{prefix}**")]);
    }
    let output = command.args(["--", range]).purpose("git-cliff").run()?;
    commit::read(&output.stdout)
}
