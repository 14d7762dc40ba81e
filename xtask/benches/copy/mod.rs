//! A copy of this workspace, in which the alias is compiled and ready; the checkout is not touched.

#[path = "../../tests/it/advisories.rs"]
mod advisories;
#[expect(
    dead_code,
    reason = "it is shared with the tests, which need more of it"
)]
#[path = "../../tests/it/repository.rs"]
pub mod repository;

use std::path::Path;

use camino::Utf8PathBuf;
use repository::{Repository, ended};

/// What a user types.
pub const ALIAS: [&str; 3] = ["cargo", "xtask", "release"];

/// The files of this workspace, as git's index holds them, as a repository with one commit.
///
/// The libraries that are compiled already are taken over, so that cargo compiles little.
pub fn of_workspace() -> Repository {
    let mut repository = Repository::of_workspace("repository");
    let is_database = |(name, _): &(String, String)| name == "XTASK_DATABASE_DIR";
    repository.environment.retain(is_database);
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-xtask"));
    let target = program.ancestors().nth(2).unwrap();
    let place = repository.root.join("target/tool");
    std::fs::create_dir_all(&place).unwrap();
    for name in [".fingerprint", "build", "deps"] {
        let from = target.join("tool").join(name);
        if from.is_dir() {
            let from = from.to_str().unwrap();
            succeeds(&repository, &["cp", "--archive", from, place.as_str()]);
        }
    }
    succeeds(&repository, &["cargo", "xtask", "--version"]);
    repository
}

/// The program the alias runs.
pub fn tool(repository: &Repository) -> Utf8PathBuf {
    repository.root.join("target/tool/cargo-xtask")
}

/// Takes away what a release made, but not the private environments.
pub fn forget(repository: &Repository) {
    for made in ["dist", "vscode-extension/python_server"] {
        drop(std::fs::remove_dir_all(repository.root.join(made)));
    }
}

/// A command line in the repository, with its environment.
pub fn command(repository: &Repository, line: &[&str]) -> std::process::Command {
    let mut command = repository.command(line[0]);
    command.args(&line[1..]);
    command
}

/// Runs a command line that must succeed and returns what it printed.
pub fn succeeds(repository: &Repository, line: &[&str]) -> String {
    let ended = ended(&mut command(repository, line));
    assert_eq!(ended.code, Some(0), "{line:?}: {}", ended.stderr);
    ended.stdout
}
