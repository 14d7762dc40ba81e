//! Real registries on the loopback interface: devpi and pypiserver from a private environment,
//! and Debian's `docker-registry`. Each keeps its store in a temporary folder and ends with its
//! value.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
use xtask::tools::python;
use xtask::world::World;
use xtask::world::interrupt::Interrupt;
use xtask::world::temporary::Temporary;
use xtask::world::terminal::{Detail, Format, Terminal};

use crate::repository::{Repository, workspace};

/// The pinned servers.
const INDEXES: &str = include_str!("../indexes.txt");

/// How long a server may take to start on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server.
pub struct Server {
    child: Child,
    pub folder: TempDir,
    /// Host and port.
    pub authority: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its keeper ends it when nobody holds this pipe any more.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// Starts a program, and ends it when its own standard input ends: also when the tests are killed,
/// and for servers that live as long as the tests do, of which nothing is ever dropped.
const KEEPER: &str = "\"$0\" \"$@\" </dev/null & child=$!; cat; kill $child; wait $child";

impl Server {
    pub fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }
}

/// A folder of a world in which the private environments of tests are.
#[expect(
    clippy::disallowed_methods,
    reason = "a test gives its own environment to the servers it starts"
)]
pub fn world() -> World {
    World {
        root: workspace().to_owned(),
        directory: workspace().to_owned(),
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .chain([(
                "XTASK_TOOLS_DIR".to_owned(),
                workspace().join("target/it-tools").into_string(),
            )])
            .collect(),
        terminal: Terminal::new(Format::Text, Detail::Quiet),
        interrupt: Interrupt::default(),
        temporary: Temporary::default(),
    }
}

/// A program of the environment with the servers.
fn program(name: &str) -> Utf8PathBuf {
    let environment = python::create(&world(), "indexes", INDEXES).unwrap();
    environment.python.with_file_name(name)
}

/// Starts a program and waits for a line that tells where it listens.
pub fn start(program: &str, arguments: &[&str], folder: TempDir, mark: &str) -> Server {
    let repository = Repository::folder("server");
    let mut command = repository.command("sh");
    command
        .args(["-c", KEEPER, program])
        .args(arguments)
        .current_dir(folder.path())
        .env("PYTHONWARNINGS", "ignore")
        .env("PYTHONUNBUFFERED", "1");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, receiver) = mpsc::channel();
    let pipes: [Box<dyn Read + Send>; 2] = [
        Box::new(child.stdout.take().unwrap()),
        Box::new(child.stderr.take().unwrap()),
    ];
    for pipe in pipes {
        let sender = sender.clone();
        // Reads to the end, so that the server never waits for somebody to read.
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
    }
    let mut said = Vec::new();
    let authority = loop {
        let Ok(line) = receiver.recv_timeout(PATIENCE) else {
            panic!("{program} did not start: {said:#?}");
        };
        if let Some((_, rest)) = line.split_once(mark) {
            let word = rest.split([' ', '"', '/', '\'']).next().unwrap();
            break word.to_owned();
        }
        said.push(line);
    };
    Server {
        child,
        folder,
        authority,
    }
}

/// A devpi-server with the user `me` and no index yet.
pub fn devpi() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    let repository = Repository::folder("devpi");
    let python = program("python");
    let made = crate::repository::ended(
        repository
            .command(python.as_str())
            .args(["-c", "from devpi_server.init import init; init()"])
            .args(["--serverdir", &store])
            .args(["--no-root-pypi", "--root-passwd", "root"])
            .env("PYTHONWARNINGS", "ignore"),
    );
    assert_eq!(made.code, Some(0), "{}{}", made.stdout, made.stderr);
    let arguments = [
        "-m",
        "devpi_server",
        "--serverdir",
        &store,
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--offline-mode",
        "--threads",
        "4",
        "--argon2-memory-cost",
        "8",
        "--argon2-parallelism",
        "1",
        "--argon2-time-cost",
        "1",
    ];
    let server = start(python.as_str(), &arguments, folder, "Serving on http://");
    put(&server.authority, "/me", None, r#"{"password":"hunter22"}"#);
    server
}

/// Makes an index of `me` in which no file can be replaced.
pub fn devpi_index(authority: &str, name: &str) {
    let body = r#"{"type":"stage","bases":[],"volatile":false}"#;
    put(authority, &format!("/me/{name}"), Some("me:hunter22"), body);
}

fn put(authority: &str, path: &str, user: Option<&str>, body: &str) {
    use base64::Engine;
    let mut request = ureq::put(format!("http://{authority}{path}"))
        .header("content-type", "application/json")
        .header("accept", "application/json");
    if let Some(user) = user {
        let encoded = base64::engine::general_purpose::STANDARD.encode(user);
        request = request.header("authorization", format!("Basic {encoded}"));
    }
    let answer = request.send(body).unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

/// A pypiserver that everybody may write to; its store is `store/` in its folder.
pub fn pypiserver() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    std::fs::create_dir(&store).unwrap();
    // The port has to be known beforehand; between here and there somebody else may take it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let arguments = [
        "-m",
        "pypiserver",
        "run",
        "-v",
        "-p",
        &port,
        "-i",
        "127.0.0.1",
        "-P",
        ".",
        "-a",
        ".",
        "--disable-fallback",
        store.to_str().unwrap(),
    ];
    let python = program("python");
    start(python.as_str(), &arguments, folder, "Listening on http://")
}

/// Whether Debian's registry is installed; says so when it is not. A continuous integration that
/// has installed it wants no test left out.
#[expect(clippy::disallowed_macros, reason = "the test runner shows it")]
pub fn has_docker_registry() -> bool {
    let installed = Utf8Path::new("/usr/bin/docker-registry").exists();
    let required = std::env::var_os("XTASK_TEST_REGISTRY").is_some_and(|value| value == "1");
    assert!(installed || !required, "docker-registry is not installed");
    if !installed {
        eprintln!("left out: apt-get install docker-registry");
    }
    installed
}

/// A docker-registry that everybody may write to.
pub fn docker_registry() -> Server {
    docker_registry_with("")
}

/// The password of `me`, as bcrypt has it: hunter22.
const PASSWORDS: &str = "me:$2b$04$X3G64DB.d1GwOktUAM8fMu63j62FFNd9b6geSsOEIJdygl50QcoWS\n";

/// A docker-registry that only `me` may read and write.
pub fn closed_docker_registry() -> Server {
    docker_registry_with("auth:\n  htpasswd:\n    realm: demo\n    path: htpasswd\n")
}

fn docker_registry_with(settings: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let configuration = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: \
         true\nhttp:\n  addr: 127.0.0.1:0\n{settings}",
        store.display()
    );
    let file = folder.path().join("config.yml");
    std::fs::write(&file, configuration).unwrap();
    std::fs::write(folder.path().join("htpasswd"), PASSWORDS).unwrap();
    let arguments = ["serve", file.to_str().unwrap()];
    start("docker-registry", &arguments, folder, "listening on ")
}

/// The digests of everything that a repository of a docker-registry has.
pub fn registry_blobs(server: &Server, repository: &str) -> Vec<String> {
    let store = server.path().join("store/docker/registry/v2");
    let own = store.join("repositories").join(repository);
    let mut blobs = Vec::new();
    for folder in ["_layers/sha256", "_manifests/revisions/sha256"] {
        let Ok(entries) = own.join(folder).read_dir_utf8() else {
            continue;
        };
        for entry in entries.flatten() {
            let digest = entry.file_name().to_owned();
            let data = store.join(format!("blobs/sha256/{}/{digest}/data", &digest[..2]));
            assert!(data.exists(), "{data}");
            blobs.push(digest);
        }
    }
    blobs.sort();
    blobs
}
