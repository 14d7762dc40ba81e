//! Small repositories in temporary folders, and the tool run in them as a user runs it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::advisories::database;

/// The server that the cases of `prove` start from: sound, and plain standard library.
const SERVER: &str = include_str!("cases/prove/server.py");

const PYPROJECT: &str = r#"[project]
name = "demo-server"
version = "1.0.0"
description = "A sound server"
requires-python = ">=3.10,<4"
[project.scripts]
demo-server = "demo_server.server:main"
[build-system]
requires = ["poetry-core==2.5.0"]
build-backend = "poetry.core.masonry.api"
"#;

pub const CONFIGURATION: &str = r#"schema = 1
name = "demo"
changelog = "CHANGELOG.md"
[server]
path = "server"
console-script = "demo-server"
[prove.stdio]
arguments = []
[prove.call]
tool = "ping"
[version]
files = ["server/pyproject.toml", "server/demo_server/__init__.py"]
"#;

/// A repository of its own, and the environment its tool calls get.
pub struct Repository {
    _folder: TempDir,
    pub root: Utf8PathBuf,
    pub environment: Vec<(String, String)>,
}

/// How a call of the tool ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Whether the slow tests are asked for; says so when they are not.
#[expect(clippy::disallowed_macros, reason = "the test runner shows it")]
pub fn slow() -> bool {
    let asked = std::env::var_os("XTASK_TEST_SLOW").is_some_and(|value| value == "1");
    if !asked {
        eprintln!("left out: set XTASK_TEST_SLOW=1, or run cargo xtask test");
    }
    asked
}

/// The workspace that is being tested.
pub fn workspace() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Repository {
    /// An empty folder, not yet a repository; its name asks for quoting.
    pub fn folder(name: &str) -> Repository {
        let folder = tempfile::Builder::new()
            .prefix("xtask-it-")
            .tempdir()
            .unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join(name);
        std::fs::create_dir(&root).unwrap();
        let tools = workspace().join("target/it-tools");
        let environment = [
            ("XTASK_TOOLS_DIR", tools.as_str()),
            ("XTASK_DATABASE_DIR", database().as_str()),
            ("TZ", "UTC"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        Repository {
            _folder: folder,
            root,
            environment,
        }
    }

    /// A sound repository with one commit.
    pub fn sound() -> Repository {
        let repository = Repository::folder("straße mit leerzeichen");
        repository.write("release.toml", CONFIGURATION);
        repository.write(
            "CHANGELOG.md",
            "# Changelog\n\n## [1.0.0]\n\n- The first one.\n",
        );
        repository.write(".gitignore", "/dist/\n/target/\n");
        repository.write("server/pyproject.toml", PYPROJECT);
        repository.write("server/poetry.lock", &lock(PYPROJECT));
        repository.write(
            "server/demo_server/__init__.py",
            "__version__ = \"1.0.0\"\n",
        );
        repository.write("server/demo_server/server.py", SERVER);
        repository.commit();
        repository
    }

    /// The tracked files of this very workspace in a folder of this name, as one commit.
    pub fn of_workspace(name: &str) -> Repository {
        let repository = Repository::folder(name);
        let prefix = format!("--prefix={}/", repository.root);
        let export = ["checkout-index", "--all", prefix.as_str()];
        git(workspace(), &export, &[]);
        repository.commit();
        repository
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.root.join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
    }

    /// Commits everything at a fixed time, so that equal trees give equal commits.
    pub fn commit(&self) {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=A commit"]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let fixed = [
            ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
            ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
            ("GIT_AUTHOR_NAME", "Test"),
            ("GIT_AUTHOR_EMAIL", "test@example.invalid"),
            ("GIT_COMMITTER_NAME", "Test"),
            ("GIT_COMMITTER_EMAIL", "test@example.invalid"),
        ];
        git(&self.root, arguments, &fixed)
    }

    /// Starts the tool here, with piped output.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(env!("CARGO_BIN_EXE_cargo-xtask"))
            .args(arguments)
            .spawn()
            .unwrap()
    }

    /// Runs the tool here to its end.
    pub fn xtask(&self, arguments: &[&str]) -> Ended {
        ended(
            self.command(env!("CARGO_BIN_EXE_cargo-xtask"))
                .args(arguments),
        )
    }

    /// Runs the tool to success.
    pub fn succeeds(&self, arguments: &[&str]) -> Ended {
        let ended = self.xtask(arguments);
        assert_eq!(
            ended.code,
            Some(0),
            "{arguments:?}\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
        ended
    }

    /// A program with the scrubbed environment of this repository.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests start the tool from outside"
    )]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.root);
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(self.environment.iter().cloned());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Every file of `dist/` with its bytes.
    pub fn dist(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        collect(
            self.root.join("dist").as_std_path(),
            self.root.as_std_path(),
            &mut files,
        );
        files.sort();
        files
    }
}

/// What package clients and toolchains need from the machine they run on.
const KEPT: [&str; 16] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "PIP_INDEX_URL",
    "PIP_CERT",
    "PIP_FIND_LINKS",
    "PIP_DEFAULT_TIMEOUT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_registry",
    "npm_config_cafile",
    "TMPDIR",
];

pub fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[expect(clippy::disallowed_methods, reason = "tests call git from outside")]
fn git(folder: &Utf8Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(arguments)
        .envs(variables.iter().copied());
    let ended = ended(&mut command);
    assert_eq!(ended.code, Some(0), "git {arguments:?}: {}", ended.stderr);
    ended.stdout
}

fn collect(folder: &Path, root: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
}

/// A lock file without packages that fits a `pyproject.toml`.
fn lock(pyproject: &str) -> String {
    let hash = xtask::requirements::content_hash(pyproject).unwrap();
    format!(
        "package = []\n\n[metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.10,<4\"\n\
         content-hash = \"{hash}\"\n"
    )
}
