//! `prove` against real servers: one sound one, and for every check one that fails it.
//!
//! The servers are variants of `cases/prove/server.py` in one wheel, each with a console
//! script of its own, so that one installation serves all of them. No index is needed.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod cases;
mod command;
mod imports;
mod servers;
mod wheel;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use xtask::config::{self, Config};
use xtask::world::World;
use xtask::world::interrupt::Interrupt;
use xtask::world::temporary::Temporary;
use xtask::world::terminal::{Detail, Format, Terminal};

/// What every case starts from.
const SETTINGS: &str = r#"
schema = 1
name = "case"
[server]
path = "server"
console-script = "SCRIPT"
[prove]
start-seconds = 30
stop-seconds = 20
[prove.stdio]
[prove.http]
arguments = ["{host}", "{port}"]
environment = { CASE_TOKEN = "{token}" }
[prove.call]
tool = "ping"
"#;

/// The settings with the given texts replaced; each must occur.
fn settings(script: &str, changes: &[(&str, &str)]) -> String {
    let text = SETTINGS.replace("SCRIPT", script);
    changes.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

fn configuration(script: &str, changes: &[(&str, &str)]) -> Config {
    config::parse(&settings(script, changes), "release.toml").unwrap()
}

/// A world whose root is a new folder below the target directory, and whose environment is
/// the search path alone.
fn world(name: &str) -> World {
    let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("prove")
        .join(name);
    xtask::world::files::remove_folder(&root).unwrap();
    xtask::world::files::create_folder(&root).unwrap();
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    World {
        directory: root.clone(),
        root,
        environment: BTreeMap::from([("PATH".to_owned(), path)]),
        terminal: Terminal::new(Format::Text, Detail::Quiet),
        interrupt: Interrupt::default(),
        temporary: Temporary::default(),
    }
}

fn python(world: &World) -> Utf8PathBuf {
    let path = world.variable("PATH").unwrap();
    std::env::split_paths(path)
        .map(|folder| Utf8PathBuf::from_path_buf(folder.join("python3")).unwrap())
        .find(|program| program.is_file())
        .expect("Python 3.10 or later is on PATH")
}
