//! The socket of a supervisor: one line of JSON asks, one line answers. It is in the server's folder,
//! which only our user may enter.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::error::{Error, Result};

use super::folder::{Folder, failed};
use super::state::{Answer, Ask};

/// How long an answer may take; it is made from memory, or from one file.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries to reach one that begins or ends at this moment.
const LOOK: Duration = Duration::from_millis(10);
/// The longest line.
const LIMIT: u64 = 16 << 20;

/// The folder, open, and a path to its socket through it: a socket's path may have 107 bytes only,
/// however deep the folder is (unix(7)).
fn socket(folder: &Folder) -> Result<(File, PathBuf)> {
    let open = File::open(&folder.0).map_err(|error| failed(&folder.0, &error))?;
    let path = format!("/proc/self/fd/{}/{}", open.as_raw_fd(), Folder::SOCKET);
    Ok((open, PathBuf::from(path)))
}

/// Asks the supervisor; none when there is none.
///
/// # Errors
/// There is one and it does not answer.
pub async fn ask(folder: &Folder, ask: Ask) -> Result<Option<Answer>> {
    if !folder.supervised() {
        return Ok(None);
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let answered = match tokio::time::timeout_at(until, exchange(folder, ask)).await {
            Ok(answered) => answered,
            Err(_) => Err(Error::unavailable(format!(
                "the supervisor of {} does not answer",
                folder.0.display()
            ))
            .hint(format!("see {}", folder.supervisor_log().display()))),
        };
        match answered {
            Ok(answer) => return Ok(Some(answer)),
            // It ended, or is about to.
            Err(_) if !folder.supervised() => return Ok(None),
            Err(error) if Instant::now() >= until => return Err(error),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Returns when the supervisor is gone: the system closes its end of the connection then. It may also
/// return when it cannot be reached at the moment.
pub async fn outlive(folder: &Folder) {
    let connected = match socket(folder) {
        Ok((_open, path)) => UnixStream::connect(&path).await,
        Err(_) => return tokio::time::sleep(LOOK * 10).await,
    };
    let Ok(mut stream) = connected else {
        return tokio::time::sleep(LOOK * 10).await;
    };
    let mut rest = [0_u8; 64];
    // It says nothing that it is not asked.
    while matches!(stream.read(&mut rest).await, Ok(length) if length > 0) {}
}

async fn exchange(folder: &Folder, ask: Ask) -> Result<Answer> {
    let wrong = |error: std::io::Error| {
        Error::unavailable(format!("the supervisor of {}: {error}", folder.0.display()))
    };
    let mut stream = loop {
        let (_open, path) = socket(folder)?;
        match UnixStream::connect(&path).await {
            Ok(stream) => break stream,
            // It has its lock and is about to listen; the caller's patience ends this.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused
                ) && folder.supervised() =>
            {
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => return Err(wrong(error)),
        }
    };
    let mut line = serde_json::to_vec(&ask).unwrap_or_default();
    line.push(b'\n');
    stream.write_all(&line).await.map_err(wrong)?;
    let mut text = String::new();
    let mut reader = BufReader::new(stream).take(LIMIT);
    reader.read_line(&mut text).await.map_err(wrong)?;
    serde_json::from_str(&text).map_err(|error| wrong(error.into()))
}

/// A question that came in, and where its answer goes.
pub type Question = (Ask, oneshot::Sender<Answer>);

/// Listens; gives the questions.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(folder: &Folder) -> Result<mpsc::Receiver<Question>> {
    let (_open, path) = socket(folder)?;
    // The lock is ours, so nobody listens on what is there.
    remove(&path)?;
    let listener = UnixListener::bind(&path)
        .map_err(|error| failed(&folder.0.join(Folder::SOCKET), &error))?;
    let (questions, incoming) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, questions.clone()));
        }
    });
    Ok(incoming)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

async fn converse(stream: UnixStream, questions: mpsc::Sender<Question>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(4096)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(ask) = serde_json::from_str(&line) else {
            return;
        };
        let (answer, answered) = oneshot::channel();
        if questions.send((ask, answer)).await.is_err() {
            return;
        }
        let Ok(answer) = answered.await else { return };
        let mut text = serde_json::to_vec(&answer).unwrap_or_default();
        text.push(b'\n');
        if writer.write_all(&text).await.is_err() {
            return;
        }
    }
}
