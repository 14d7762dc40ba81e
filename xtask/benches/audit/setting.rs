//! The lock files, the advisories and the databases that are made of them.

use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::rustsec;

/// What is audited, and what it is held against.
pub struct Setting {
    shared: Utf8PathBuf,
    folder: tempfile::TempDir,
    /// The folder of our indexes.
    pub database: Utf8PathBuf,
}

impl Setting {
    /// The shared data, when it is there, and an empty folder.
    pub fn find() -> Option<Setting> {
        let beside = workspace().join("../shared/data");
        #[expect(clippy::disallowed_methods, reason = "a benchmark has no World")]
        let shared = std::env::var("XTASK_SHARED_DATA").map_or(beside, Utf8PathBuf::from);
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let database = root.join("database");
        std::fs::write(root.join("release.toml"), policy()).unwrap();
        shared.join("osv").is_dir().then_some(Setting {
            shared,
            folder,
            database,
        })
    }

    /// A lock file.
    pub fn lock(&self, name: &str) -> Utf8PathBuf {
        self.shared.join("locks").join(name)
    }

    /// Every lock file.
    pub fn locks(&self) -> Vec<Utf8PathBuf> {
        let folders = self.shared.join("locks").read_dir_utf8().unwrap();
        let files = folders.flat_map(|folder| folder.unwrap().path().read_dir_utf8().unwrap());
        let mut locks: Vec<Utf8PathBuf> = files
            .map(|file| file.unwrap().into_path())
            .filter(|path| xtask::lockfile::kind_of(path.file_name().unwrap()).is_some())
            .collect();
        locks.sort();
        locks
    }

    /// An audit of these lock files with the indexes.
    pub fn audit(&self, locks: &[&Utf8Path]) -> Command {
        let mut command = program(&tool(), &["audit", "--max-age", "36000 days"]);
        command
            .args(locks.iter().map(|lock| workspace().join(lock)))
            .env("XTASK_DATABASE_DIR", &self.database)
            .current_dir(self.folder.path());
        command
    }

    /// Makes the indexes, and audits the smallest of our own lock files.
    pub fn import(&self) -> Command {
        let osv = self.shared.join("osv");
        let mut command = self.audit(&[Utf8Path::new("vscode-extension/package-lock.json")]);
        command.args(["--update", "--database", osv.as_str()]);
        command
    }

    /// The advisories for cargo as cargo-audit wants them.
    pub fn checkout(&self) -> Utf8PathBuf {
        let folder = Utf8Path::from_path(self.folder.path()).unwrap();
        let checkout = folder.join("advisory-db");
        let archive = self.shared.join("osv/crates.io.zip");
        rustsec::checkout(&checkout, &rustsec::records(&archive));
        checkout
    }
}

/// Our own `release.toml` without what it says of audits: judging licenses starts `cargo metadata`,
/// which is another program, and none of the peers does it.
fn policy() -> String {
    let text = std::fs::read_to_string(workspace().join("release.toml")).unwrap();
    let (before, _) = text.split_once("[audit]").unwrap();
    before.to_owned()
}

/// The program that is measured.
pub fn tool() -> Utf8PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a benchmark has no World")]
    let named = std::env::var("XTASK_BENCH_TOOL").ok();
    let built = env!("CARGO_BIN_EXE_cargo-xtask");
    workspace().join(named.as_deref().unwrap_or(built))
}

fn workspace() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A program as a user starts it in the workspace.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark starts programs the way a user does"
)]
pub fn program(program: &Utf8Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace());
    command
}

/// What a program prints as JSON, whatever it ends with.
pub fn json(command: &mut Command) -> Value {
    let output = command.stdin(Stdio::null()).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
