//! A real container engine: Debian's `dockerd`, started here on a socket and with a store of its
//! own, without a network. The base is Debian with its Python, made by `debian-base.sh`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

use super::setting::{ARCHIVE, setting};
use crate::publish::real::{self, Server};
use crate::repository::{Ended, Repository, ended, slow, workspace};

/// A server of the standard library that needs its dependency, its folder and its port.
const SERVER: &str = "\
import http.server, os, signal, sys
import alpha

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == '/health' else 404)
        self.end_headers()
        self.wfile.write(alpha.TAG.encode())

def main():
    assert sys.argv[1:] == ['--http'], sys.argv
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    open('written', 'w').close()
    http.server.ThreadingHTTPServer(('0.0.0.0', int(os.environ['PORT'])), Page).serve_forever()
";

/// Whether an engine is to be started; says so when it is not.
#[expect(clippy::disallowed_macros, reason = "the test runner shows it")]
fn asked() -> bool {
    let asked = std::env::var_os("XTASK_TEST_ENGINE").is_some_and(|value| value == "1");
    if !asked {
        eprintln!(
            "left out: set XTASK_TEST_ENGINE=1 as root, with docker.io, runc, tini and mmdebstrap"
        );
    }
    asked
}

struct Engine {
    _server: Server,
    address: String,
}

impl Engine {
    /// A new one. Its store goes with its value, so no test shares it with another.
    fn start() -> Engine {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let address = format!("unix://{}", inside("s"));
        let (data, exec, pid) = (inside("data"), inside("exec"), inside("pid"));
        let arguments = [
            "--host",
            &address,
            "--data-root",
            &data,
            "--exec-root",
            &exec,
            "--pidfile",
            &pid,
            "--bridge=none",
            "--iptables=false",
        ];
        let server = real::start("dockerd", &arguments, folder, "API listen on ");
        Engine {
            _server: server,
            address,
        }
    }

    fn command(&self, repository: &Repository, arguments: &[&str]) -> std::process::Command {
        let mut command = repository.command("docker");
        command.env("DOCKER_HOST", &self.address).args(arguments);
        command
    }

    /// What `docker` prints, which must succeed.
    fn docker(&self, repository: &Repository, arguments: &[&str]) -> String {
        let Ended {
            code,
            stdout,
            stderr,
        } = ended(&mut self.command(repository, arguments));
        assert_eq!(code, Some(0), "docker {arguments:?}: {stdout}{stderr}");
        stdout.trim().to_owned()
    }

    /// Waits until the health check has an opinion, and gives it.
    fn health(&self, repository: &Repository, name: &str) -> String {
        let mut command = repository.command("timeout");
        command
            .env("DOCKER_HOST", &self.address)
            .args(["180", "docker", "events", "--since=0"])
            .args(["--filter", "event=health_status", "--format={{.Action}}"])
            .arg(format!("--filter=container={name}"));
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        // `timeout` passes it on to its own child.
        drop(ended(
            repository.command("kill").arg(child.id().to_string()),
        ));
        drop(child.wait());
        line.trim().to_owned()
    }

    /// The status that a page in a container has, asked from inside of it.
    fn page(&self, repository: &Repository, name: &str, port: u16, path: &str) -> String {
        let script = format!(
            "import http.client as h;c=h.HTTPConnection('127.0.0.1',{port});\
             c.request('GET','{path}');print(c.getresponse().status)"
        );
        self.docker(repository, &["exec", name, "python3", "-c", &script])
    }
}

/// The archive of the base, made once, and the version of its Python.
fn debian() -> &'static (Utf8PathBuf, String) {
    static BASE: OnceLock<(Utf8PathBuf, String)> = OnceLock::new();
    BASE.get_or_init(|| {
        let file = workspace().join("target/debian-base.tar");
        let script = workspace().join("xtask/tests/it/image/debian-base.sh");
        let repository = Repository::folder("base");
        let mut command = repository.command(script.as_str());
        let made = ended(command.arg(&file));
        assert_eq!(made.code, Some(0), "{}{}", made.stdout, made.stderr);
        (file, made.stdout.trim().to_owned())
    })
}

/// The words that build on it for this machine.
fn arguments(base: &Utf8Path, python: &str) -> Vec<String> {
    let platform = match std::env::consts::ARCH {
        "aarch64" => "linux/arm64",
        _ => "linux/amd64",
    };
    let base = format!("oci:{base}");
    let words = [
        "image",
        "--platform",
        platform,
        "--base",
        &base,
        "--python",
        python,
    ];
    words.map(str::to_owned).to_vec()
}

#[test]
fn docker_loads_it_and_it_gets_healthy_as_nobody_special() {
    if !asked() {
        return;
    }
    let (base, python) = debian();
    let engine = Engine::start();
    let mut setting = setting("");
    setting.depend("alpha", &["py3-none-any"], "");
    setting.change_wheel(SERVER);
    let words = arguments(base, python);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    setting.build(&words[1..]);
    let repository = &setting.repository;
    let loaded = engine.docker(repository, &["load", "--input", ARCHIVE]);
    assert!(loaded.contains("demo-server:latest"), "{loaded}");
    let id = engine.docker(
        repository,
        &["run", "--detach", "--network=none", "demo-server:1.0.0"],
    );
    let moved = [
        "run",
        "--detach",
        "--network=none",
        "--env=PORT=9001",
        "demo-server:1.0.0",
    ];
    let moved = engine.docker(repository, &moved);
    for (name, port) in [(&id, 8000), (&moved, 9001)] {
        let health = engine.health(repository, name);
        assert_eq!(
            health,
            "health_status: healthy",
            "{}",
            engine.docker(repository, &["logs", name])
        );
        assert_eq!(engine.page(repository, name, port, "/health"), "200");
        assert_eq!(engine.page(repository, name, port, "/other"), "404");
    }
    assert_eq!(
        engine.docker(repository, &["exec", &id, "id", "-u"]),
        "10001"
    );
    assert_eq!(
        engine.docker(repository, &["exec", &id, "id", "-un"]),
        "mcp"
    );
    assert_eq!(
        engine.docker(repository, &["exec", &id, "ls", "/data"]),
        "written"
    );
    let import =
        "import importlib.metadata as m; print(m.version('alpha'), m.version('demo-server'))";
    let versions = engine.docker(repository, &["exec", &id, "python3", "-c", import]);
    assert_eq!(versions, "1.0 1.0.0");
    let inspected = engine.docker(repository, &["inspect", &id]);
    let mut trace = repository.command(env!("CARGO_BIN_EXE_cargo-xtask"));
    let mut trace = trace
        .args(["trace", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    trace
        .stdin
        .take()
        .unwrap()
        .write_all(inspected.as_bytes())
        .unwrap();
    let told = trace.wait_with_output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("yes: it says that it runs dist/demo_server"),
        "{told}"
    );
    engine.docker(repository, &["stop", &id]);
    let code = engine.docker(
        repository,
        &["inspect", "--format={{.State.ExitCode}}", &id],
    );
    assert_eq!(code, "0");
    engine.docker(repository, &["rm", "--force", &id, &moved]);
}

/// This workspace's own server, with all its dependencies; ready means that it can run a kernel.
#[test]
fn our_own_server_runs_a_kernel_in_its_container() {
    if !asked() || !slow() {
        return;
    }
    let (base, python) = debian();
    let engine = Engine::start();
    let repository = Repository::of_workspace("eigener server");
    repository.succeeds(&["release", "--without-audit"]);
    let words = arguments(base, python);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    repository.succeeds(&words);
    let archive = std::fs::read_dir(repository.root.join("dist")).unwrap();
    let mut names = archive.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let archive = names.find(|name| name.ends_with("-image.oci.tar")).unwrap();
    engine.docker(
        &repository,
        &["load", "--input", &format!("dist/{archive}")],
    );
    let tag = repository.succeeds(&["image", "--print", "build-id"]);
    let image = format!("mcp-server-jupyter:{}", tag.stdout.trim());
    let token = "--env=MCP_TOKEN=of-the-test-0123456789abcdef";
    let start = ["run", "--detach", "--network=none", token, &image];
    let id = engine.docker(&repository, &start);
    let health = engine.health(&repository, &id);
    assert_eq!(
        health,
        "health_status: healthy",
        "{}",
        engine.docker(&repository, &["logs", &id])
    );
    assert_eq!(engine.page(&repository, &id, 8000, "/ready"), "200");
    engine.docker(&repository, &["rm", "--force", &id]);
}
