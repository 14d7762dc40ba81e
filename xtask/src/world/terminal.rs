//! What the user sees: results on standard output, everything else on standard error.
//!
//! On a terminal, running steps show a spinner; elsewhere each step is a plain line.
//! With `--format json` only the result itself goes to standard output.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::printable;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value on standard output.
    Json,
    /// For code-scanning services: SARIF 2.1.0 (findings only).
    Sarif,
    /// For the summary of a CI step: Markdown (`audit` only).
    Markdown,
}

/// How much is printed beside the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Errors only.
    Quiet,
    /// A line for each thing done.
    #[default]
    Normal,
    /// Also every command run, ready to paste.
    Verbose,
}

/// The user's terminal, or whatever stands in its place.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// How results are printed.
    pub format: Format,
    /// How much is printed.
    pub detail: Detail,
    spinners: Option<MultiProgress>,
    lost: Arc<AtomicBool>,
}

impl Terminal {
    /// A terminal with spinners when standard error is one and nobody asked for silence.
    pub fn new(format: Format, detail: Detail) -> Terminal {
        let lively = detail == Detail::Normal && std::io::stderr().is_terminal();
        let spinners = lively.then(MultiProgress::new);
        Terminal {
            format,
            detail,
            spinners,
            lost: Arc::default(),
        }
    }

    /// Prints a result for people; nothing in a machine format.
    pub fn text(&self, text: &str) {
        if self.format == Format::Text {
            self.write(&mut std::io::stdout(), &printable::lines(text));
        }
    }

    /// Prints a result for programs; nothing in the text format. What is invisible in it is
    /// escaped, as people look at it, too.
    ///
    /// # Panics
    /// Never: every result is plain data with texts for keys.
    pub fn json(&self, value: &impl Serialize) {
        if matches!(self.format, Format::Json | Format::Sarif) {
            let text = serde_json::to_string_pretty(value).expect("results are plain data");
            self.write(&mut std::io::stdout(), &printable::json(&text));
        }
    }

    /// Passes on a line that a program printed: beside the result when that is for programs.
    pub fn pass_on(&self, line: &str) {
        match (self.detail, self.format) {
            (Detail::Quiet, _) => {}
            (_, Format::Text) => self.text(line),
            _ => self.log(line),
        }
    }

    /// Prints a whole document as it is, in whichever format.
    pub fn document(&self, text: &str) {
        self.write(&mut std::io::stdout(), text.trim_end_matches('\n'));
    }

    /// Says that something was done: `✓ label  detail`.
    pub fn done(&self, label: &str, detail: &str) {
        self.status("✓", label, detail);
    }

    /// Says that something needed no doing: `= label  detail`.
    pub fn same(&self, label: &str, detail: &str) {
        self.status("=", label, detail);
    }

    /// Says that something was refused or failed: `✗ label  detail`.
    pub fn failed(&self, label: &str, detail: &str) {
        self.status("✗", label, detail);
    }

    /// Says something worth knowing that is not an error.
    pub fn warn(&self, text: &str) {
        self.log(&format!("! {text}"));
    }

    /// Whether something could not be printed, so that what a caller keeps is not whole.
    ///
    /// # Errors
    /// It could not, for another reason than a reader that went away.
    pub fn whole(&self) -> Result<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(
                Error::failure("the output could not be written, so it is not whole")
                    .hint("is the disk it goes to full? free some space and run again"),
            );
        }
        Ok(())
    }

    /// Prints an error with its hints, also under `--quiet`; as one line of JSON on standard
    /// error with `--format json`.
    pub fn error(&self, error: &Error) {
        let text = match self.format {
            Format::Text | Format::Sarif | Format::Markdown => {
                printable::lines(&format!("error: {error}")).into_owned()
            }
            Format::Json => {
                let value = serde_json::json!({ "schema": 1, "error": {
                    "kind": error.kind.word(),
                    "exitCode": error.kind.exit_code(),
                    "message": error.message,
                    "hints": error.hints,
                }});
                printable::json(&value.to_string())
            }
        };
        self.write(&mut std::io::stderr(), &text);
    }

    /// Shows a command that is about to run, under `--verbose`.
    pub fn command(&self, line: &str) {
        if self.detail == Detail::Verbose {
            self.write(&mut std::io::stderr(), &format!("$ {line}"));
        }
    }

    /// Starts showing a piece of work that takes a while.
    pub fn step(&self, label: &str, what: &str) -> Step {
        let bar = match &self.spinners {
            Some(spinners) => spinner(spinners, label, what),
            None => {
                self.log(&format!("· {label:<12} {what}"));
                ProgressBar::hidden()
            }
        };
        Step {
            terminal: self.clone(),
            label: label.to_owned(),
            bar,
            started: Instant::now(),
        }
    }

    fn status(&self, mark: &str, label: &str, detail: &str) {
        let line = format!("{mark} {label:<12} {detail}");
        let line = printable::lines(&line);
        match (self.detail, self.format) {
            (Detail::Quiet, _) => {}
            (_, Format::Text) => self.write(&mut std::io::stdout(), &line),
            (_, Format::Json | Format::Sarif | Format::Markdown) => {
                self.write(&mut std::io::stderr(), &line);
            }
        }
    }

    fn log(&self, line: &str) {
        if self.detail != Detail::Quiet {
            self.write(&mut std::io::stderr(), &printable::lines(line));
        }
    }

    fn write(&self, stream: &mut dyn Write, text: &str) {
        let mut print = || {
            let written = writeln!(stream, "{}", text.trim_end_matches('\n'));
            // A reader that went away (`| head`) is no reason to fail a release.
            if let Err(cause) = written.and_then(|()| stream.flush())
                && cause.kind() != ErrorKind::BrokenPipe
            {
                self.lost.store(true, Ordering::Relaxed);
            }
        };
        match &self.spinners {
            Some(spinners) => spinners.suspend(print),
            None => print(),
        }
    }
}

fn spinner(spinners: &MultiProgress, label: &str, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix:<12} {wide_msg} ({elapsed})")
        .expect("the template is a constant and valid");
    // One that draws before it is among the others is never erased.
    let bar = spinners.add(ProgressBar::new_spinner());
    bar.set_style(style);
    bar.set_prefix(label.to_owned());
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A running piece of work; dropping it without [`Step::done`] just removes the spinner.
#[derive(Debug)]
pub struct Step {
    terminal: Terminal,
    label: String,
    bar: ProgressBar,
    started: Instant,
}

impl Step {
    /// Changes what the spinner says.
    pub fn now(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Ends the work with its one-line result; the time is shown when it was worth noticing.
    pub fn done(self, detail: &str) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        if seconds < 1.0 {
            self.terminal.done(&self.label, detail);
        } else {
            self.terminal
                .done(&self.label, &format!("{detail}  ({seconds:.1} s)"));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A size as people read it: `158 KiB`. Binary units, IEC 80000-13.
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let scaled = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.0} KiB", scaled(1024)),
        1_048_576.. => format!("{:.2} MiB", scaled(1_048_576)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let check = |bytes, expected: &str| assert_eq!(size(bytes), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(161_792, "158 KiB");
        check(2_000_000, "1.91 MiB");
    }
}
