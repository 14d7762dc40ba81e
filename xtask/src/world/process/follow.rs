//! Watching a program line by line until it ends.

use std::process::ExitStatus;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::stream::lines_of;
use super::{Command, Pipes, Stdio};
use crate::error::{Error, Result};
use crate::world::interrupt::Signal;

/// How often it is asked whether a silent program has ended.
const PAUSE: Duration = Duration::from_millis(50);

impl Command<'_> {
    /// Runs to the end, whatever the exit code, and hands over every line of both outputs as it
    /// comes. What the program leaves running in the background is left running.
    ///
    /// # Errors
    /// The program is missing, takes too long, or the run is interrupted.
    pub fn follow(self, take: &mut dyn FnMut(&str)) -> Result<ExitStatus> {
        let (line, timeout) = (self.line(), self.timeout);
        let interrupt = self.world.interrupt.clone();
        let (reader, writer) = std::io::pipe()
            .map_err(|cause| Error::failure(format!("open a pipe for {line}: {cause}")))?;
        let mut running = self.start(Stdio::null(), Pipes::Joined(writer))?;
        let lines = lines_of(Some(reader));
        let deadline = Instant::now() + timeout;
        let mut status = None;
        loop {
            match lines.recv_timeout(PAUSE) {
                Ok(bytes) => take(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Disconnected) => break,
                // One in the background may hold the pipe for as long as it likes.
                Err(RecvTimeoutError::Timeout) if status.is_some() => break,
                Err(RecvTimeoutError::Timeout) => status = running.poll()?,
            }
            if interrupt.requested() {
                return Err(Error::interrupted());
            }
            if status.is_none() && Instant::now() > deadline {
                running.signal(Signal::Kill);
                let seconds = timeout.as_secs();
                let message = format!("no end after {seconds} s, so it was stopped: {line}");
                return Err(Error::failure(message));
            }
        }
        let status = match status {
            Some(status) => status,
            None => loop {
                if let Some(status) = running.poll()? {
                    break status;
                }
                if interrupt.requested() {
                    return Err(Error::interrupted());
                }
                if Instant::now() > deadline {
                    return Err(Error::failure(format!("no end, so it was stopped: {line}")));
                }
                std::thread::sleep(PAUSE);
            },
        };
        match interrupt.requested() {
            true => Err(Error::interrupted()),
            false => Ok(status),
        }
    }
}
