//! What is printed, and where: results to stdout, everything else to stderr.

use std::io::Write as _;

use serde::Serialize;

use crate::error::Error;
use crate::model::{Action, Identity, Status};
use crate::service::Progress;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The two streams of this process. A closed stream ends the output, never the program: an
/// operation that is under way comes to its end.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    /// Output in a format; `quiet` leaves out the progress.
    pub fn new(format: Format, quiet: bool) -> Output {
        Output { format, quiet }
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// A result: the text for people, or the value as JSON with `"schema": 1`.
    pub fn result(&self, text: &str, value: &impl Serialize) {
        match self.format {
            Format::Text => self.raw(text.as_bytes()),
            Format::Json => {
                let mut value = serde_json::to_value(value).unwrap_or_default();
                if let Some(object) = value.as_object_mut() {
                    object.insert("schema".to_owned(), 1.into());
                }
                let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
                text.push('\n');
                self.raw(text.as_bytes());
            }
        }
    }

    /// One item of a stream: a line of text, or a line of JSON.
    pub fn item(&self, text: &str, value: &impl Serialize) {
        match self.format {
            Format::Text => self.raw(format!("{text}\n").as_bytes()),
            Format::Json => {
                let text = serde_json::to_string(value).unwrap_or_default();
                self.raw(format!("{text}\n").as_bytes());
            }
        }
    }

    /// Bytes as they are, to stdout.
    pub fn raw(&self, bytes: &[u8]) {
        let mut stdout = std::io::stdout().lock();
        // Nobody listens any more: there is nobody to tell.
        let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
    }

    /// A line for people while work goes on, to stderr.
    pub fn progress(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// An error with its hints, to stderr; as JSON when that was asked for.
    pub fn error(&self, error: &Error) {
        let mut stderr = std::io::stderr().lock();
        let _ = match self.format {
            Format::Json => writeln!(
                stderr,
                "{}",
                serde_json::json!({
                    "schema": 1,
                    "error": {
                        "kind": error.kind,
                        "message": error.message,
                        "hints": error.hints,
                        "details": error.details,
                    },
                })
            ),
            Format::Text => writeln!(stderr, "error: {error}").and_then(|()| {
                error
                    .hints
                    .iter()
                    .try_for_each(|hint| writeln!(stderr, "  try: {hint}"))
            }),
        };
    }
}

impl Progress for Output {
    fn acting(&self, identity: &Identity, action: &Action) {
        self.progress(&format!("{identity}: {}", action.line()));
    }

    fn waiting(&self, identity: &Identity, status: &Status) {
        self.progress(&format!(
            "{identity}: {}: {} ({})",
            status.state.word(),
            status.message,
            status.cause.word()
        ));
    }

    fn note(&self, identity: &Identity, text: &str) {
        self.progress(&format!("{identity}: {text}"));
    }
}

/// Columns, each as wide as its widest cell; the last one is not padded.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
