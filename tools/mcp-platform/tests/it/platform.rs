//! The real `mcp-platform serve` on the process back end, with a port and a state folder of its own.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// How long it may take to start and to end.
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_mcp-platform");

/// A template whose servers may not be doubled.
const ALONE: &str = r#"
schema = 1
id = "alone"
version = "1.0.0"
title = "A singleton"
statefulness = "singleton"

[process]
command = ["{self}"]

[run]
command = ["mcp-platform"]
arguments = ["echo", "--host", "{host}", "--port", "{port}"]

[image]
reference = "registry.example/alone:1"

[transport]
kind = "streamable-http"
path = "/mcp"
port = 8080

[ready]
path = "/ready"
period-seconds = 2

[resources]
cpu-request = "10m"
cpu-limit = "200m"
memory-request = "32Mi"
memory-limit = "128Mi"
"#;

/// A running platform.
pub struct Platform {
    folder: tempfile::TempDir,
    child: Child,
    /// What it goes on to print; when nobody read it, it could not be written.
    _said: BufReader<ChildStdout>,
    /// `http://127.0.0.1:port`.
    pub address: String,
}

fn program(folder: &tempfile::TempDir, words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(words)
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .env("PATH", "/usr/bin:/bin")
        .env("MCP_STATE_DIR", folder.path().join("state"))
        .env("MCP_TEMPLATES", folder.path().join("templates"))
        .stdin(Stdio::null());
    command
}

async fn serve(folder: &tempfile::TempDir) -> (Child, BufReader<ChildStdout>, String) {
    let mut child = program(folder, &["serve", "--listen", "127.0.0.1:0", "--rate", "0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    let read = tokio::time::timeout(PATIENCE, said.read_line(&mut line));
    read.await.expect("it says where it listens").unwrap();
    let address = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap_or_else(|| panic!("no address: {line:?}"));
    let address = address.trim_end_matches('/').to_owned();
    (child, said, address)
}

impl Platform {
    /// Starts one.
    pub async fn start() -> Platform {
        // The library leaves the choice to the program, and this is the program of the tests.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("templates/alone");
        std::fs::create_dir_all(&template).unwrap();
        std::fs::write(template.join("template.toml"), ALONE).unwrap();
        let (child, said, address) = serve(&folder).await;
        Platform {
            folder,
            child,
            _said: said,
            address,
        }
    }

    /// Ends it and starts another on the same state.
    pub async fn restart(&mut self) {
        self.stop().await;
        (self.child, self._said, self.address) = serve(&self.folder).await;
    }

    /// Makes a token.
    pub async fn token(&self, role: &str, namespace: Option<&str>) -> String {
        let name = format!("{role}-{}", namespace.unwrap_or("everywhere"));
        let mut words = vec!["token", "create", &name, "--role", role];
        if let Some(namespace) = namespace {
            words.extend(["--for-namespace", namespace]);
        }
        let done = program(&self.folder, &words).output().await.unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// The lines of the audit log.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("state/audit.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    async fn stop(&mut self) -> ExitStatus {
        let pid = i32::try_from(self.child.id().expect("it runs")).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("it ends when it is asked to")
            .unwrap()
    }

    /// Ends it.
    pub async fn end(mut self) -> ExitStatus {
        self.stop().await
    }
}

impl Drop for Platform {
    /// Servers outlive the platform that started them; after a test that failed, they end here.
    #[expect(clippy::disallowed_methods, reason = "a drop cannot wait for tokio")]
    fn drop(&mut self) {
        let _ = std::process::Command::new(PROGRAM)
            .args(["delete", "one", "--quiet"])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("MCP_STATE_DIR", self.folder.path().join("state"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
