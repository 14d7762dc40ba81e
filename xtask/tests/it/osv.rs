//! The advisory database brought up to date, and OSV asked live, against a stand-in for OSV.

mod database;
mod failure;
mod live;
pub mod server;
mod shared;
mod sync;

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::world::World;
use xtask::world::interrupt::Interrupt;
use xtask::world::remote::Patience;
use xtask::world::temporary::Temporary;
use xtask::world::terminal::{Detail, Format, Terminal};

use server::Osv;

/// The stand-in, an empty folder, and a world to look at both.
struct Fixture {
    _folder: TempDir,
    folder: Utf8PathBuf,
    osv: Osv,
    world: World,
    patience: Patience,
}

impl Fixture {
    fn empty() -> Fixture {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(temporary.path()).unwrap().to_owned();
        let world = World {
            root: folder.clone(),
            directory: folder.clone(),
            environment: BTreeMap::new(),
            terminal: Terminal::new(Format::Text, Detail::Quiet),
            interrupt: Interrupt::default(),
            temporary: Temporary::default(),
        };
        let patience = Patience {
            attempts: 3,
            sleep: |_, _| Ok(()),
            longest: Duration::from_secs(60),
            ..Patience::default()
        };
        Fixture {
            _folder: temporary,
            folder,
            osv: Osv::start(),
            world,
            patience,
        }
    }
}

/// A record about a PyPI package, changed on a day of November 2026.
fn record(id: &str, day: u8, name: &str, fixed: &str) -> Value {
    json!({
        "schema_version": "1.7.3",
        "id": id,
        "modified": format!("2026-11-{day:02}T01:02:03.456789Z"),
        "summary": format!("{id} of {name}"),
        "affected": [{
            "package": { "ecosystem": "PyPI", "name": name },
            "ranges": [{
                "type": "ECOSYSTEM",
                "events": [{ "introduced": "0" }, { "fixed": fixed }],
            }],
        }],
    })
}
