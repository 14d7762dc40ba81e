//! Reads the logs of a server, and goes on reading as they grow.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;

use crate::backend::LogOptions;
use crate::error::{Error, Result};
use crate::model::{Identity, LogLine};

use super::folder::Folder;

/// Between two looks at files that are followed.
const PERIOD: Duration = Duration::from_millis(200);

/// The lines of a server.
///
/// # Errors
/// There is no such instance.
pub fn read(
    folder: &Folder,
    identity: &Identity,
    options: &LogOptions,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    let mut places = BTreeMap::new();
    let mut lines = Vec::new();
    let files = files(folder, options);
    if let (Some(instance), true) = (&options.instance, files.is_empty()) {
        return Err(
            Error::not_found(format!("{identity} has no log of an instance {instance:?}"))
                .hint(format!("mcp-platform logs {}", identity.name)),
        );
    }
    for (instance, path) in files {
        let mut of_one = Vec::new();
        if !options.previous {
            take(&path.with_extension("log.1"), &instance, 0, &mut of_one);
        }
        let place = take(&path, &instance, 0, &mut of_one);
        places.insert(path, place);
        let from = options
            .tail
            .map_or(0, |tail| of_one.len().saturating_sub(tail as usize));
        lines.extend(of_one.drain(from..));
    }
    lines.sort_by_key(|line| line.at);
    let first = stream::iter(lines.into_iter().map(Ok));
    if options.follow && !options.previous {
        let (sender, receiver) = mpsc::channel(256);
        tokio::spawn(follow(folder.clone(), options.clone(), places, sender));
        return Ok(first
            .chain(tokio_stream::wrappers::ReceiverStream::new(receiver))
            .boxed());
    }
    Ok(first.boxed())
}

/// The logs by instance: the present ones, or those before the last start.
fn files(folder: &Folder, options: &LogOptions) -> Vec<(String, PathBuf)> {
    let suffix = if options.previous {
        ".previous.log"
    } else {
        ".log"
    };
    let entries = fs::read_dir(folder.logs()).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let instance = name.strip_suffix(suffix)?.to_owned();
            let fits = options
                .instance
                .as_ref()
                .is_none_or(|wanted| *wanted == instance);
            (fits && !instance.contains('.')).then(|| (instance, entry.path()))
        })
        .collect();
    found.sort();
    found
}

/// Reads whole lines from a place in a file; gives the place after them.
fn take(path: &Path, instance: &str, from: u64, lines: &mut Vec<LogLine>) -> u64 {
    let Ok(mut file) = File::open(path) else {
        return 0;
    };
    // Shorter than it was: it was begun anew.
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut place = if length < from { 0 } else { from };
    if file.seek(SeekFrom::Start(place)).is_err() {
        return place;
    }
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    while reader
        .read_until(b'\n', &mut bytes)
        .is_ok_and(|length| length > 0)
        && bytes.ends_with(b"\n")
    {
        place += bytes.len() as u64;
        let text = String::from_utf8_lossy(&bytes);
        lines.push(line(instance, text.trim_end_matches('\n')));
        bytes.clear();
    }
    place
}

fn line(instance: &str, text: &str) -> LogLine {
    let (at, rest) = text.split_once(' ').unwrap_or((text, ""));
    let at = at.parse().ok();
    LogLine {
        instance: instance.to_owned(),
        text: if at.is_some() {
            rest.to_owned()
        } else {
            text.to_owned()
        },
        at,
    }
}

async fn follow(
    folder: Folder,
    options: LogOptions,
    mut places: BTreeMap<PathBuf, u64>,
    sender: mpsc::Sender<Result<LogLine>>,
) {
    while !sender.is_closed() && folder.0.exists() {
        let mut lines = Vec::new();
        for (instance, path) in files(&folder, &options) {
            let place = places.entry(path.clone()).or_default();
            *place = take(&path, &instance, *place, &mut lines);
        }
        places.retain(|path, _| path.exists());
        lines.sort_by_key(|line| line.at);
        for line in lines {
            if sender.send(Ok(line)).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}
