//! Servers from wheels: which bytes run, whatever their version says, and what a full disk leaves.

use std::path::Path;
use std::time::Duration;

use mcp_platform::backend::process::ProcessBackend;
use mcp_platform::error::Result;
use mcp_platform::model::State;
use mcp_platform::service::{DeployRequest, Outcome, Quiet, UpdateRequest, Waiting};
use mcp_platform::template::{Request, parse};
use tokio::process::Command;

use super::kills::supervisors;
use super::{Room, gone, identity, kill, processes, world};
use crate::engine::say;

/// Packs a wheel `greeter` 1.0 whose every page is a word.
const PACK: &str = r#"
import sys, zipfile
path, word = sys.argv[1:]
module = f"""
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = {word!r}.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
def main():
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Page).serve_forever()
"""
info = "greeter-1.0.dist-info/"
files = {
    "greeter.py": module,
    info + "METADATA": "Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n",
    info + "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    info + "entry_points.txt": "[console_scripts]\ngreeter = greeter:main\n",
}
files[info + "RECORD"] = "".join(name + ",,\n" for name in [*files, info + "RECORD"])
with zipfile.ZipFile(path, "w") as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
"#;

const WHEEL: &str = "greeter-1.0-py3-none-any.whl";

async fn pack(folder: &Path, word: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let packed = Command::new("python3")
        .args(["-c", PACK])
        .arg(folder.join(WHEEL))
        .arg(word)
        .status();
    assert!(packed.await.unwrap().success());
}

/// A room with a template that runs the wheel.
fn room(folder: Option<tempfile::TempDir>) -> Room {
    let mut room = folder.map_or_else(Room::new, Room::at);
    // Wheels of the index come from a folder: nobody else is asked.
    let mut world = world(room.folder.path());
    let wheels = url::Url::from_directory_path(room.folder.path().join("wheels")).unwrap();
    for (name, value) in [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", wheels.as_str())] {
        world.environment.insert(name.to_owned(), value.to_owned());
    }
    room.service.backend = std::sync::Arc::new(ProcessBackend::new(&world));
    let text = include_str!("../../../templates/echo/template.toml")
        .replace("id = \"echo\"", "id = \"greeter\"")
        .replace(
            r#"arguments = ["echo", "--host", "{host}", "--port", "{port}"]"#,
            r#"arguments = ["{host}", "{port}"]"#,
        )
        .replace("command = [\"{self}\"]", "command = [\"greeter\"]");
    // An environment takes its time on a busy machine.
    room.service.patience.total = Duration::from_secs(300);
    let template = parse(&text, "greeter").unwrap();
    let catalogue = std::sync::Arc::make_mut(&mut room.service.catalogue);
    catalogue.templates.insert(template.id.clone(), template);
    room
}

async fn deploy(room: &Room, wheel: &str) -> Result<Outcome> {
    begin(room, wheel, Waiting::Wait).await
}

async fn begin(room: &Room, wheel: &str, waiting: Waiting) -> Result<Outcome> {
    let request = DeployRequest {
        template: "greeter".to_owned(),
        request: Request {
            name: Some("one".to_owned()),
            wheel: Some(wheel.to_owned()),
            ..Request::default()
        },
    };
    let namespace = identity().namespace;
    room.service
        .deploy(&namespace, &request, waiting, &Quiet)
        .await
}

/// What the server says.
async fn word(room: &Room) -> String {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(room.endpoint().await).send().await.unwrap();
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_the_index_by_name_and_version() {
    let room = room(None);
    pack(&room.folder.path().join("wheels"), "from the index").await;
    deploy(&room, "greeter==1.0").await.unwrap();
    assert_eq!(word(&room).await, "from the index");
    assert_eq!(deploy(&room, "greeter==1.0").await.unwrap().actions, []);
    let observed = room.status().await.observed;
    assert_eq!(observed.image.as_deref(), Some("greeter==1.0"));
    let update = UpdateRequest {
        wheel: Some("greeter==2.0".to_owned()),
        ..UpdateRequest::default()
    };
    let error = room
        .service
        .update(&identity(), &update, Waiting::Wait, &Quiet)
        .await
        .unwrap_err();
    assert!(error.message.contains("greeter==2.0"), "{error}");
    assert!(error.message.contains("rolled back"), "{error}");
    assert_eq!(word(&room).await, "from the index");
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wheel_of_the_same_version_runs() {
    let room = room(None);
    let folder = room.folder.path().join("wheels");
    let wheel = format!("wheels/{WHEEL}");
    pack(&folder, "first").await;
    deploy(&room, &wheel).await.unwrap();
    assert_eq!(word(&room).await, "first");
    let first = room.status().await.observed;
    assert_eq!(deploy(&room, &wheel).await.unwrap().actions, []);

    pack(&folder, "second").await;
    deploy(&room, &wheel).await.unwrap();
    assert_eq!(word(&room).await, "second");
    let second = room.status().await.observed;
    assert_ne!(first.revision, second.revision);
    let sha256 = |observed: &mcp_platform::model::Observed| {
        observed.labels["io.mcp-shipyard.wheel.sha256"].clone()
    };
    assert_ne!(sha256(&first), sha256(&second));

    // One that is broken goes back to the bytes that ran, although their file is gone.
    std::fs::write(folder.join(WHEEL), "no wheel").unwrap();
    let error = deploy(&room, &wheel).await.unwrap_err();
    assert!(error.message.contains("rolled back"), "{error}");
    assert_eq!(word(&room).await, "second");
    room.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_room_for_its_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
        .arg(folder.path())
        .output()
        .await;
    if !mounted.is_ok_and(|output| output.status.success()) {
        say("switched off: a full disk needs the right to mount");
        return;
    }
    let path = folder.path().to_owned();
    let room = room(Some(folder));
    pack(&path.join("wheels"), "small").await;
    let wheel = format!("wheels/{WHEEL}");
    let error = deploy(&room, &wheel).await.unwrap_err();
    let says = "MiB of room are left at";
    assert!(error.message.contains(says), "{error}");
    let where_it_is = path.join("state/.environments").display().to_string();
    assert!(error.message.contains(&where_it_is), "{error}");
    assert!(
        error.message.contains("removed what was created"),
        "{error}"
    );
    room.nothing_is_left().await;
    let grown = Command::new("mount")
        .args(["-o", "remount,size=200m"])
        .arg(&path)
        .output()
        .await
        .unwrap();
    assert!(grown.status.success());
    deploy(&room, &wheel).await.unwrap();
    assert_eq!(room.status().await.status.state, State::Running);
    assert_eq!(word(&room).await, "small");
    room.delete().await;
    drop(room);
    let _ = Command::new("umount").arg(&path).output().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_is_killed_while_it_builds() {
    let room = room(None);
    pack(&room.folder.path().join("wheels"), "built at last").await;
    begin(&room, &format!("wheels/{WHEEL}"), Waiting::Return)
        .await
        .unwrap();
    let builds = || {
        let all = processes(room.folder.path()).into_iter();
        all.filter(|one| one.command.contains("/.environments/"))
            .filter(|one| !one.command.contains("/bin/greeter"))
            .count()
    };
    gone(|| builds() > 0).await;
    kill(supervisors(&room)[0].pid);
    // What it had begun goes on by itself, and must not get in the way of who builds it next.
    room.start().await.unwrap();
    assert_eq!(room.status().await.status.state, State::Running);
    assert_eq!(word(&room).await, "built at last");
    gone(|| builds() == 0).await;
    room.delete().await;
}
