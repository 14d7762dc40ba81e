//! One real container engine for the whole run: `dockerd` on a socket and data folder of its own,
//! ended by its id when the test process ends, however that ends.
//!
//! Switched on by `MCP_TEST_DOCKER=1`; needs root and Debian's `docker.io`, `iptables` and `runc`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::TryStreamExt as _;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

/// The name of the image with the echo server in it.
const ECHO_IMAGE: &str = "mcp-platform-echo:1";

/// How long the engine may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the engine until standard input ends, which it does when the test process is gone; then ends
/// it by its id, and what it leaves mounted, and removes its folder.
const WATCH: &str = r#"
folder=$1; network=$2; mtu=$3; size=$4
if [ -n "$size" ]; then
    # A second engine in the same network leaves the packet filter to the first.
    more=--iptables=false
    mkdir "$folder/data"
    mount -t tmpfs -o "size=$size" tmpfs "$folder/data"
fi
dockerd $more -H "unix://$folder/engine.sock" --data-root "$folder/data" --exec-root "$folder/exec" \
    --pidfile "$folder/engine.pid" --bridge none --mtu "$mtu" --shutdown-timeout 2 \
    --default-address-pool "base=10.$network.0.0/16,size=24" \
    >"$folder/engine.log" 2>&1 </dev/null &
engine=$!
cat >/dev/null
kill "$engine" 2>/dev/null
wait "$engine"
grep -F " $folder/" /proc/mounts | cut -d' ' -f2 | sort -r | while read -r place; do
    umount -l "$place" 2>/dev/null
done
rm -rf "$folder"
"#;

/// A running engine.
pub struct Engine {
    folder: PathBuf,
    /// Ends when this process does, for it reads from us.
    _watch: Child,
    echo: OnceCell<()>,
}

static ENGINE: OnceCell<Option<Engine>> = OnceCell::const_new();

impl Engine {
    /// The engine of this run, started by the first who asks; none when it is switched off.
    pub async fn start() -> Option<&'static Engine> {
        ENGINE
            .get_or_init(|| async {
                if variable("MCP_TEST_DOCKER").as_deref() == Some("1") {
                    let network = 100 + std::process::id() % 100;
                    return Some(Engine::run(network, "").await);
                }
                say("switched off: tests with a real engine; set MCP_TEST_DOCKER=1");
                None
            })
            .await
            .as_ref()
    }

    /// One more engine, whose data has only so much room.
    pub async fn small(size: &str) -> Engine {
        let network = 100 + (std::process::id() + 50) % 100;
        Engine::run(network, size).await
    }

    /// Where it keeps its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// `unix://…`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.join("engine.sock").display())
    }

    /// A client of it.
    pub fn client(&self) -> bollard::Docker {
        bollard::Docker::connect_with_unix(
            &self.folder.join("engine.sock").display().to_string(),
            120,
            &bollard::ClientVersion {
                major_version: 1,
                minor_version: 41,
            },
        )
        .unwrap()
    }

    /// An image with the real binary in it, for `mcp-platform echo`.
    pub async fn echo_image(&self) -> &'static str {
        self.echo
            .get_or_init(|| async { self.import_echo().await })
            .await;
        ECHO_IMAGE
    }

    async fn run(network: u32, size: &str) -> Engine {
        let folder = tempfile::Builder::new()
            .prefix("mcp-engine-")
            .tempdir()
            .unwrap()
            .keep();
        let mut watch = Command::new("sh");
        watch
            .args(["-c", WATCH, "engine"])
            .arg(&folder)
            .arg(network.to_string())
            .arg(mtu().await)
            .arg(size)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C ends us, and thereby it.
            .process_group(0);
        let watch = watch.spawn().expect("sh can be started");
        let engine = Engine {
            folder,
            _watch: watch,
            echo: OnceCell::new(),
        };
        let answers = async {
            loop {
                if engine.folder.join("engine.sock").exists()
                    && engine.client().ping().await.is_ok()
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, answers).await.is_err() {
            let log = std::fs::read_to_string(engine.folder.join("engine.log"));
            panic!("dockerd did not start: {}", log.unwrap_or_default());
        }
        engine
    }

    async fn import_echo(&self) {
        let archive = rootfs(Path::new(env!("CARGO_BIN_EXE_mcp-platform"))).await;
        let changes = [
            "ENV PATH=/bin",
            "USER 65532:65532",
            r#"CMD ["mcp-platform", "echo", "--host", "0.0.0.0", "--port", "8080"]"#,
        ];
        self.import(ECHO_IMAGE, archive, &changes).await;
    }

    /// Makes an image of the archive of a root folder.
    pub async fn import(&self, image: &str, archive: Vec<u8>, changes: &[&str]) {
        let (name, tag) = image.rsplit_once(':').unwrap();
        let options = CreateImageOptionsBuilder::new()
            .from_src("-")
            .repo(name)
            .tag(tag)
            .changes(changes.iter().map(|change| (*change).to_owned()).collect())
            .build();
        let body = bollard::body_full(archive.into());
        self.client()
            .create_image(Some(options), Some(body), None)
            .try_collect::<Vec<_>>()
            .await
            .unwrap();
    }
}

/// A root folder with the binary as `/bin/mcp-platform` and the libraries that it needs.
async fn rootfs(binary: &Path) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let small = scratch.path().join("mcp-platform");
    // Without symbols it is a third of the size; where there is no `strip`, it is copied as it is.
    let stripped = Command::new("strip")
        .arg("-o")
        .arg(&small)
        .arg(binary)
        .status()
        .await;
    if !stripped.is_ok_and(|status| status.success()) {
        std::fs::copy(binary, &small).unwrap();
    }
    let listed = Command::new("ldd").arg(binary).output().await.unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_path_with_name(&small, "bin/mcp-platform")
        .unwrap();
    for word in listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let library = std::fs::canonicalize(word).unwrap();
        archive
            .append_path_with_name(&library, word.trim_start_matches('/'))
            .unwrap();
    }
    archive.into_inner().unwrap()
}

/// The largest packet of the way out, which containers must not exceed.
async fn mtu() -> String {
    let route = Command::new("ip")
        .args(["-o", "route", "get", "1.1.1.1"])
        .output()
        .await;
    let route = route.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let device = route
        .ok()
        .and_then(|text| Some(text.split_once(" dev ")?.1.split(' ').next()?.to_owned()));
    device
        .and_then(|device| std::fs::read_to_string(format!("/sys/class/net/{device}/mtu")).ok())
        .map_or_else(|| "1500".to_owned(), |text| text.trim().to_owned())
}

/// A variable of the test run.
#[expect(
    clippy::disallowed_methods,
    reason = "the switches of tests are environment variables"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A line on standard error, past the capture of the test harness.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
