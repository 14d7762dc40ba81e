//! What is measured: the face on the mock, the program itself, and what they are compared with.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_platform::api::audit::Audit;
use mcp_platform::api::gate::{Gate, Tokens};
use mcp_platform::api::tokens::TokenFile;
use mcp_platform::api::{Api, Limits, Parts, Rate, serve};
use mcp_platform::backend::Backend as _;
use mcp_platform::backend::mock::{MockBackend, MockClock};
use mcp_platform::lifecycle::{self, Patience, decide};
use mcp_platform::model::{Goal, Name};
use mcp_platform::service::{Cluster, Clusters, Service};
use mcp_platform::template::{Request, builtin, instantiate};
use mcp_platform::world;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::watch;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mcp-platform");

/// No registry is asked for an image that is named by its digest; none is pulled, as the servers
/// are stopped.
pub const IMAGE: &str =
    "registry.test/echo@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The face on a mock.
pub struct Face {
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// A face on a mock in memory with so many ready servers.
pub async fn mock(servers: usize) -> Face {
    let clock = MockClock::manual(world::now());
    let backend = MockBackend::new(clock.clone());
    let namespace = Name::label("team").unwrap();
    let catalogue = builtin().unwrap();
    for number in 0..servers {
        let request = Request {
            name: Some(format!("server-{number}")),
            ..Request::default()
        };
        let template = catalogue.get("echo").unwrap();
        let spec = instantiate(template, &namespace, &request, None, &mut world::random).unwrap();
        let identity = spec.identity.clone();
        let goal = Goal::Deploy(Box::new(spec));
        for action in decide(&goal, None, lifecycle::Limits::default()).unwrap() {
            backend.perform(&identity, &action).await.unwrap();
        }
    }
    for _ in 0..20 {
        backend.advance(Duration::from_secs(5)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let (closing, is_closing) = watch::channel(false);
    let service = Service {
        backend: Arc::new(backend.clone()),
        catalogue: Arc::new(catalogue),
        limits: lifecycle::Limits::default(),
        patience: Patience::default(),
        clock: clock.reading(),
        random: Arc::new(world::random),
    };
    let cluster = Cluster {
        name: "mock".to_owned(),
        service,
    };
    let api = Api::new(Parts {
        clusters: Clusters::new(cluster, Vec::new()),
        namespace,
        others: Vec::new(),
        gate: Gate {
            tokens: TokenFile::new(folder.path().join("tokens.toml")),
            needed: Tokens::NeededOnceThereAreAny,
            hosts: Vec::new(),
            rate: Rate::new(0, 1),
        },
        audit: Audit::to(folder.path().join("audit.jsonl")),
        limits: Limits::default(),
        closing: is_closing,
    });
    let listening = serve::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listening.address;
    let for_ever = std::future::pending::<()>();
    tokio::spawn(serve::serve(
        api,
        listening,
        None,
        for_ever,
        closing,
        Duration::from_secs(1),
    ));
    Face {
        address,
        _folder: folder,
    }
}

/// A program of ours that runs beside the benchmark.
pub struct Program(Child);

impl Program {
    pub fn start(arguments: &[String], surroundings: &[(&str, &str)]) -> Program {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .envs(surroundings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Program(command.spawn().unwrap())
    }

    pub fn id(&self) -> String {
        self.0.id().to_string()
    }

    pub fn end(self) {
        drop(self);
    }
}

impl Drop for Program {
    /// It ends also when the benchmark fails; one that has ended already is as good.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end, which must be a good one.
pub fn run(program: &str, arguments: &[&str], surroundings: &[(&str, &str)]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .envs(surroundings.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    output.stdout
}

/// Deploys one server that is stopped at once, and copies its Deployment.
pub fn fill(file: &str, namespace: &str, state: &str, servers: usize) {
    let ours = [
        "--backend",
        "kubernetes",
        "--namespace",
        namespace,
        "--quiet",
    ];
    let surroundings = [("KUBECONFIG", file), ("MCP_STATE_DIR", state)];
    for rest in [
        &[
            "deploy",
            "echo",
            "--name",
            "one-0",
            "--image",
            IMAGE,
            "--no-wait",
        ][..],
        &["stop", "one-0", "--force"][..],
    ] {
        run(PROGRAM, &[&ours[..], rest].concat(), &surroundings);
    }
    let arguments = ["get", "deployment", "one-0", "-o", "json", "-n", namespace];
    let text = run("kubectl", &arguments, &surroundings);
    let text = String::from_utf8(text).unwrap();
    let mut items = Vec::new();
    for number in 1..servers {
        let mut item: Value =
            serde_json::from_str(&text.replace("one-0", &format!("one-{number}"))).unwrap();
        item.as_object_mut().unwrap().remove("status");
        let metadata = item["metadata"].as_object_mut().unwrap();
        for key in ["uid", "resourceVersion", "managedFields", "ownerReferences"] {
            metadata.remove(key);
        }
        items.push(item);
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    let path = std::path::Path::new(state).join("servers.json");
    std::fs::write(&path, list.to_string()).unwrap();
    let path = path.to_str().unwrap();
    run(
        "kubectl",
        &["create", "-f", path, "-n", namespace],
        &surroundings,
    );
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// A page that must be there.
pub async fn get(client: &Client, url: &str) -> Vec<u8> {
    let response = client.get(url).send().await.unwrap();
    let status = response.status();
    let body = response.bytes().await.unwrap();
    assert!(
        status.is_success(),
        "{url}: {}",
        String::from_utf8_lossy(&body)
    );
    body.to_vec()
}

/// Reads a page to its end as it comes. Returns its bytes.
pub async fn drain(client: &Client, url: &str) -> usize {
    let mut response = client.get(url).send().await.unwrap();
    assert!(
        response.status().is_success(),
        "{url}: {}",
        response.status()
    );
    let mut size = 0;
    while let Some(piece) = response.chunk().await.unwrap() {
        size += piece.len();
    }
    size
}

/// Asks until a page is there: what is started by hand reports nothing that could be waited for.
pub async fn ready(url: &str) {
    let client = client();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = client.get(url).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        assert!(Instant::now() < deadline, "{url} is not there");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The resident memory of a process in MiB.
pub fn memory(process: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}
