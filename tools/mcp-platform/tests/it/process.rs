//! The back end that runs servers as processes of this machine: real supervisors, real servers.

mod bridge;
pub mod clients;
mod faults;
mod jupyter;
mod kills;
mod operations;
mod revive;
mod sessions;
mod signals;
mod wheels;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use mcp_platform::backend::process::ProcessBackend;
use mcp_platform::backend::{Scope, Shared};
use mcp_platform::error::Result;
use mcp_platform::lifecycle::{Limits, Patience};
use mcp_platform::model::{Identity, Name, Observed};
use mcp_platform::service::{
    DeployRequest, Outcome, Quiet, Report, Service, StopMode, UpdateRequest, Waiting,
};
use mcp_platform::template::{Catalogue, Request, builtin, parse};
use mcp_platform::world::World;
use serde_json::{Value, json};

use crate::engine::variable;

/// Nothing takes longer, also on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const TOKEN: &str = "geheim-geheim-geheim";

/// A state folder of its own; whatever runs in it ends with it.
pub struct Room {
    pub service: Service,
    pub folder: tempfile::TempDir,
}

impl Room {
    pub fn new() -> Room {
        let folder = tempfile::Builder::new()
            .prefix("mcp state ü ")
            .tempdir()
            .unwrap();
        Room::at(folder)
    }

    pub fn at(folder: tempfile::TempDir) -> Room {
        // The program does so at its start; whoever is second finds the choice made.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let backend: Shared = Arc::new(ProcessBackend::new(&world(folder.path())));
        let service = Service {
            backend,
            catalogue: Arc::new(catalogue()),
            limits: Limits::default(),
            patience: Patience {
                total: PATIENCE,
                fault: Duration::from_secs(2),
            },
            clock: Arc::new(mcp_platform::world::now),
            random: Arc::new(mcp_platform::world::random),
        };
        Room { service, folder }
    }

    pub async fn deploy(
        &self,
        template: &str,
        replicas: u32,
        configuration: Value,
    ) -> Result<Outcome> {
        let request = DeployRequest {
            template: template.to_owned(),
            request: Request {
                name: Some("one".to_owned()),
                configuration: configuration.as_object().unwrap().clone(),
                replicas: Some(replicas),
                ..Request::default()
            },
        };
        let namespace = identity().namespace;
        self.service
            .deploy(&namespace, &request, Waiting::Wait, &Quiet)
            .await
    }

    /// The echo server, which never fails.
    pub async fn echo(&self, replicas: u32) -> Outcome {
        self.deploy("echo", replicas, json!({ "token": TOKEN }))
            .await
            .unwrap()
    }

    pub async fn update(&self, configuration: Value) -> Result<Outcome> {
        let update = UpdateRequest {
            configuration: configuration.as_object().unwrap().clone(),
            ..UpdateRequest::default()
        };
        self.service
            .update(&identity(), &update, Waiting::Wait, &Quiet)
            .await
    }

    pub async fn start(&self) -> Result<Outcome> {
        self.service.start(&identity(), Waiting::Wait, &Quiet).await
    }

    pub async fn stop(&self, mode: StopMode) -> Result<Outcome> {
        self.service
            .stop(&identity(), mode, Waiting::Wait, &Quiet)
            .await
    }

    pub async fn scale(&self, replicas: u32) -> Result<Outcome> {
        self.service
            .scale(&identity(), replicas, Waiting::Wait, &Quiet)
            .await
    }

    pub async fn restart(&self) -> Result<Outcome> {
        self.service
            .restart(&identity(), Waiting::Wait, &Quiet)
            .await
    }

    pub async fn status(&self) -> Report {
        self.service.status(&identity()).await.unwrap()
    }

    pub async fn endpoint(&self) -> String {
        self.status().await.observed.endpoints[0].url.clone()
    }

    pub fn server(&self) -> PathBuf {
        self.folder.path().join("state/mcp-servers/one")
    }

    /// Waits for what the back end reports.
    pub async fn until(&self, what: &str, fits: impl Fn(&Observed) -> bool) -> Observed {
        let mut changes = self.service.backend.changes(&Scope::default());
        let seen = async {
            loop {
                if let Some(observed) = self.service.backend.observe(&identity()).await.unwrap()
                    && fits(&observed)
                {
                    return observed;
                }
                let _ = tokio::time::timeout(Duration::from_secs(1), changes.next()).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen)
            .await
            .unwrap_or_else(|_| panic!("never {what}"))
    }

    /// Deletes it, and looks that nothing is left: no process, no file.
    pub async fn delete(&self) {
        self.service
            .delete(&identity(), Waiting::Wait, &Quiet)
            .await
            .unwrap();
        self.nothing_is_left().await;
    }

    pub async fn nothing_is_left(&self) {
        gone(|| processes(self.folder.path()).is_empty()).await;
        let state = self.folder.path().join("state");
        let left: Vec<PathBuf> = std::fs::read_dir(&state)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(left, Vec::<PathBuf>::new());
        let objects = self.service.backend.objects(&identity()).await.unwrap();
        assert_eq!(objects, Vec::<String>::new());
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.service.backend.stop_watching();
        // Supervisors first, so that they start nothing again.
        for kind in ["supervise", ""] {
            for process in processes(self.folder.path()) {
                if process.command.contains(kind) {
                    kill(process.pid);
                }
            }
        }
    }
}

/// A process whose working folder or arguments are in a folder.
#[derive(Debug)]
pub struct Process {
    pub pid: i32,
    pub command: String,
}

/// All living processes of a folder.
pub fn processes(folder: &Path) -> Vec<Process> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let over = stat
            .rsplit_once(')')?
            .1
            .trim_start()
            .starts_with(['Z', 'X']);
        let bytes = std::fs::read(entry.path().join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&bytes).replace('\0', " ");
        let inside =
            std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        (!over && (inside || command.contains(folder.to_str()?)))
            .then_some(Process { pid, command })
    })
    .collect()
}

pub fn kill(pid: i32) {
    let _ = nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid),
        nix::sys::signal::Signal::SIGKILL,
    );
}

/// Waits until the system says so; there is nothing that would report it.
pub async fn gone(so: impl Fn() -> bool) {
    let waited = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap();
}

pub fn identity() -> Identity {
    Identity {
        namespace: Name::label("mcp-servers").unwrap(),
        name: Name::server("one").unwrap(),
    }
}

pub fn world(folder: &Path) -> World {
    let mut environment: BTreeMap<String, String> = ["PATH", "HOME"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), variable(name)?)))
        .collect();
    let state = folder.join("state").display().to_string();
    environment.insert("MCP_STATE_DIR".to_owned(), state);
    // None of the server's business.
    environment.insert("MCP_TOKEN_OF_THE_PLATFORM".to_owned(), TOKEN.to_owned());
    World {
        environment,
        folder: folder.to_owned(),
        program: env!("CARGO_BIN_EXE_mcp-platform").into(),
    }
}

/// The echo server in several dresses.
pub fn catalogue() -> Catalogue {
    let echo = include_str!("../../templates/echo/template.toml");
    let http = r#"arguments = ["echo", "--host", "{host}", "--port", "{port}"]"#;
    let kind = "kind = \"streamable-http\"\npath = \"/mcp\"";
    let fails = "[configuration.schema.properties.fail]\ntype = \"string\"\n\n[[configuration.setting]]\nkey = \"fail\"\nenvironment = \"ECHO_FAIL\"\n";
    let stateless = "statefulness = \"stateless\"";
    let dresses = [
        (
            "flaw",
            format!(
                "{}\n{fails}",
                echo.replace("grace-seconds = 10", "grace-seconds = 1")
            ),
        ),
        (
            "stubborn",
            format!("{}\n{fails}", echo.replace("= 10", "= 50")),
        ),
        (
            "sticky",
            echo.replace(stateless, "statefulness = \"sticky\"\ndrain-seconds = 30")
                .replace("grace-seconds = 10", "grace-seconds = 40"),
        ),
        (
            "single",
            echo.replace(stateless, "statefulness = \"singleton\""),
        ),
        (
            "pipe",
            echo.replace(http, "arguments = [\"echo\"]")
                .replace(kind, "kind = \"stdio\""),
        ),
        (
            "socket",
            echo.replace(http, &http.replace("\"echo\"", "\"echo\", \"--websocket\""))
                .replace("streamable-http", "websocket"),
        ),
        ("absent", echo.replace("{self}", "no-such-program")),
        (
            "wheel",
            echo.replace(
                "command = [\"{self}\"]",
                "command = [\"{self}\"]\nwheel = \"wheels/*.whl\"",
            ),
        ),
    ];
    let mut catalogue = builtin().unwrap();
    for (id, text) in dresses {
        let text = text.replace("id = \"echo\"", &format!("id = \"{id}\""));
        let template = parse(&text, id).unwrap();
        catalogue.templates.insert(id.to_owned(), template);
    }
    catalogue
}
