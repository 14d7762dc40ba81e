//! Talking with a running program: its input as messages, its output line by line.
//!
//! Threads of their own read and write the pipes, so that a program that stops reading or
//! writing can never block the caller. The threads end when the pipes do.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Running;

/// A line longer than this is handed over in pieces, so that a program that never breaks its
/// lines cannot fill the memory.
const LINE_LIMIT: u64 = 64 << 20;

/// So many last lines of standard error are kept.
const TAIL_LINES: usize = 20;

/// The pipes of a running program.
#[derive(Debug)]
pub struct Streams {
    input: Option<mpsc::Sender<Vec<u8>>>,
    output: mpsc::Receiver<Vec<u8>>,
    errors: Arc<Mutex<VecDeque<String>>>,
    errors_ended: mpsc::Receiver<()>,
}

/// What came on standard output.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// One line without its line feed.
    Line(Vec<u8>),
    /// Nothing before the deadline.
    Silence,
    /// The program, and all that inherited the pipe, have closed it.
    End,
}

impl Running {
    /// Takes the program's pipes; works once.
    pub fn streams(&mut self) -> Streams {
        let input = self.child.stdin.take().map(write_from);
        let output = lines_of(self.child.stdout.take());
        let errors = Arc::new(Mutex::new(VecDeque::new()));
        let errors_ended = keep_tail(self.child.stderr.take(), Arc::clone(&errors));
        Streams {
            input,
            output,
            errors,
            errors_ended,
        }
    }
}

impl Streams {
    /// Sends bytes to the program; a program that no longer reads is noticed by its silence.
    pub fn send(&self, bytes: Vec<u8>) {
        if let Some(input) = &self.input {
            // The writer has gone only when the pipe broke: the program has closed its input.
            drop(input.send(bytes));
        }
    }

    /// Closes the program's standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// The next line of standard output, waited for until the deadline.
    pub fn next(&self, deadline: Instant) -> Next {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.output.recv_timeout(left) {
            Ok(line) => Next::Line(line),
            Err(RecvTimeoutError::Timeout) => Next::Silence,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// The last lines of standard error so far.
    pub fn last_errors(&self) -> Vec<String> {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.iter().cloned().collect()
    }

    /// The last lines of standard error of a program that has ended. Waits a moment for those
    /// that are still in the pipe.
    pub fn final_errors(&self) -> Vec<String> {
        // A child that outlived the program may hold the pipe open; its lines do not matter.
        let _late = self.errors_ended.recv_timeout(Duration::from_secs(1));
        self.last_errors()
    }
}

fn write_from(mut pipe: impl Write + Send + 'static) -> mpsc::Sender<Vec<u8>> {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for bytes in receiver {
            if pipe.write_all(&bytes).and_then(|()| pipe.flush()).is_err() {
                return;
            }
        }
    });
    sender
}

pub(super) fn lines_of(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    each_line(pipe, move |line| sender.send(line).is_ok(), || {});
    receiver
}

fn keep_tail(
    pipe: Option<impl Read + Send + 'static>,
    tail: Arc<Mutex<VecDeque<String>>>,
) -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    let keep = move |line: Vec<u8>| {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if !text.is_empty() {
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            if tail.len() == TAIL_LINES {
                tail.pop_front();
            }
            tail.push_back(text);
        }
        true
    };
    // Nobody may be waiting for the end any more.
    each_line(pipe, keep, move || {
        let _unheard = sender.send(());
    });
    receiver
}

/// Hands every line to `take` until the pipe ends or `take` wants no more.
fn each_line(
    pipe: Option<impl Read + Send + 'static>,
    mut take: impl FnMut(Vec<u8>) -> bool + Send + 'static,
    ended: impl FnOnce() + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut reader = pipe.map(BufReader::new);
        while let Some(reader) = &mut reader {
            let mut line = Vec::new();
            // A pipe that breaks means the program has ended; what came before counts.
            match reader.take(LINE_LIMIT).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if !take(line) {
                break;
            }
        }
        ended();
    });
}
