//! `dist/ledger.jsonl`: what was done and what was read back, a line each, never changed.
//!
//! It is evidence and nothing else: no decision reads it, and deleting it changes nothing. Every
//! line is on the disk before the next act.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Mutex;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::artifact::Digest;
use crate::error::{Context, Error, Result};
use crate::world::{World, files};

/// Its name in `dist/`.
pub const LEDGER_FILE: &str = "ledger.jsonl";

/// The format of a line.
const SCHEMA: u32 = 1;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Something is about to be sent; written before, so that a killed run leaves its trace.
    Send,
    /// What came of sending.
    Sent,
    /// What the place says that it has.
    Read,
    /// The bytes that the place gave, hashed.
    Verified,
    /// A test of what the place gives.
    Tested,
    /// The release's tag, once everything was verified.
    Tagged,
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'entry> {
    /// What it is about.
    pub act: Act,
    /// The release: name and version.
    pub release: &'entry str,
    /// The name of the target.
    pub target: &'entry str,
    /// The item, by its name at the target.
    pub item: &'entry str,
    /// The digest that was sent, or that was expected.
    pub sha256: &'entry Digest,
    /// The HTTP status, where the client tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the target calls the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<&'entry str>,
    /// What came of it, in a few words, without secrets.
    pub outcome: &'entry str,
}

#[derive(Serialize)]
struct Line<'entry> {
    schema: u32,
    time: String,
    #[serde(flatten)]
    entry: &'entry Entry<'entry>,
}

/// The open file.
#[derive(Debug)]
pub struct Ledger<'world> {
    world: &'world World,
    path: Utf8PathBuf,
    file: Mutex<File>,
}

impl<'world> Ledger<'world> {
    /// Opens the ledger of `dist/` for more lines.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn open(world: &'world World) -> Result<Ledger<'world>> {
        let path = world.dist().join(LEDGER_FILE);
        files::create_folder(&world.dist())?;
        let doing = || format!("open {path}");
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(Error::precondition(format!("{path} is no plain file"))
                .hint("move it away: it is evidence only, and a new one is begun"));
        }
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let mut file = opened.doing(doing)?;
        // A run that was killed, or a full disk, may have left half a line.
        let text = std::fs::read(&path).doing(doing)?;
        if text.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n").doing(doing)?;
        }
        Ok(Ledger {
            world,
            path,
            file: Mutex::new(file),
        })
    }

    /// Writes a line and waits until it is on the disk.
    ///
    /// # Errors
    /// The disk is full. Nothing more is sent then: an act without its line is no evidence.
    pub fn write(&self, entry: &Entry<'_>) -> Result<()> {
        let line = Line {
            schema: SCHEMA,
            time: self.world.now().to_string(),
            entry,
        };
        let mut text = serde_json::to_string(&line).expect("plain fields always serialise");
        text.push('\n');
        // A writer that panicked has written a whole line or none: each is one call.
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_data())
            .doing(|| format!("write {}", self.path))
    }
}
