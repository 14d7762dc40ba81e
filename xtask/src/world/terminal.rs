//! What the user sees: results on standard output, everything else on standard error.
//!
//! On a terminal, running steps show a spinner; elsewhere each step is a plain line.
//! With `--format json` only the result itself goes to standard output. What GitHub's runner is
//! told goes to standard error, and no other line there or on standard output gives it orders.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::surroundings::Surroundings;
use crate::error::{Error, Result};
use crate::github::{annotation, command};
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
    surroundings: Surroundings,
    prefix: Arc<OnceLock<String>>,
    lost: Arc<AtomicBool>,
}

/// Which stream a text goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Results,
    Messages,
}

impl Terminal {
    /// A terminal without colours, where nothing moves.
    pub fn new(format: Format, detail: Detail) -> Terminal {
        Terminal::among(format, detail, Surroundings::default())
    }

    /// A terminal with the colours and spinners that its surroundings can show; no spinners when
    /// somebody asked for silence or for every command.
    pub fn among(format: Format, detail: Detail, surroundings: Surroundings) -> Terminal {
        let lively = detail == Detail::Normal && surroundings.lively;
        let spinners = lively.then(MultiProgress::new);
        Terminal {
            format,
            detail,
            spinners,
            surroundings,
            prefix: Arc::default(),
            lost: Arc::default(),
        }
    }

    /// Whether GitHub's runner reads along.
    pub fn in_actions(&self) -> bool {
        self.surroundings.actions
    }

    /// Says where the repository's root is, so that the runner finds files by their paths.
    pub fn locate(&self, root: &str) {
        let workspace = self.surroundings.workspace.as_deref();
        let below = workspace.and_then(|workspace| root.strip_prefix(workspace));
        let below = below.unwrap_or_default().replace('\\', "/");
        let below = below.trim_matches('/');
        if !below.is_empty() {
            // The root is said once; a second time changes nothing.
            let _known = self.prefix.set(format!("{below}/"));
        }
    }

    /// The folder of `release.toml` below the runner's checkout, with a slash at its end.
    pub fn prefix(&self) -> &str {
        self.prefix.get().map_or("", String::as_str)
    }

    /// Gives GitHub's runner an order: a line made by [`crate::github`].
    pub fn order(&self, line: &str) {
        if self.surroundings.actions {
            self.put(Stream::Messages, line);
        }
    }

    /// Folds the log around a child that writes it itself. The order goes to the stream that the
    /// child's lines go to first, so that the runner gets them in this order.
    pub fn fold(&self, line: &str) {
        if self.surroundings.actions {
            let stream = match self.format {
                Format::Text => Stream::Results,
                Format::Json | Format::Sarif | Format::Markdown => Stream::Messages,
            };
            self.put(stream, line);
        }
    }

    /// Prints a result for people; nothing in a machine format.
    pub fn text(&self, text: &str) {
        if self.format == Format::Text {
            let text = printable::lines(text);
            match self.surroundings.colour_results {
                true => self.write(Stream::Results, &marked(&text)),
                false => self.write(Stream::Results, &text),
            }
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
            self.write(Stream::Results, &printable::json(&text));
        }
    }

    /// Prints a whole document as it is, in whichever format.
    pub fn document(&self, text: &str) {
        self.put(Stream::Results, text);
    }

    /// Says that something was done: `✓ label  detail`.
    pub fn done(&self, label: &str, detail: &str) {
        self.status('✓', label, detail);
    }

    /// Says that something needed no doing: `= label  detail`.
    pub fn same(&self, label: &str, detail: &str) {
        self.status('=', label, detail);
    }

    /// Says that something was refused or failed: `✗ label  detail`.
    pub fn failed(&self, label: &str, detail: &str) {
        self.status('✗', label, detail);
    }

    /// Says something worth knowing that is not an error.
    pub fn warn(&self, text: &str) {
        let mark = paint('!', self.surroundings.colour_messages);
        self.log_marked(&mark, text);
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
                let text = printable::lines(&format!("error: {error}")).into_owned();
                match self.surroundings.colour_messages {
                    true => coloured(&text),
                    false => text,
                }
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
        self.write(Stream::Messages, &text);
        if self.surroundings.actions {
            let workspace = self.surroundings.workspace.as_deref().unwrap_or_default();
            let is_file = |path: &str| Utf8Path::new(workspace).join(path).is_file();
            for line in annotation::of_error(error, self.prefix(), &is_file) {
                self.order(&line);
            }
        }
    }

    /// Shows a command that is about to run, under `--verbose`.
    pub fn command(&self, line: &str) {
        if self.detail == Detail::Verbose {
            self.write(Stream::Messages, &format!("$ {line}"));
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

    fn status(&self, mark: char, label: &str, detail: &str) {
        let (stream, colour) = match self.format {
            Format::Text => (Stream::Results, self.surroundings.colour_results),
            Format::Json | Format::Sarif | Format::Markdown => {
                (Stream::Messages, self.surroundings.colour_messages)
            }
        };
        if self.detail != Detail::Quiet {
            let line = format!("{label:<12} {detail}");
            let line = printable::lines(&line);
            self.write(stream, &format!("{} {line}", paint(mark, colour)));
        }
    }

    fn log(&self, line: &str) {
        if self.detail != Detail::Quiet {
            self.write(Stream::Messages, &printable::lines(line));
        }
    }

    fn log_marked(&self, mark: &str, text: &str) {
        if self.detail != Detail::Quiet {
            let text = printable::lines(text);
            self.write(Stream::Messages, &format!("{mark} {text}"));
        }
    }

    /// Writes what may hold words of somebody else.
    fn write(&self, stream: Stream, text: &str) {
        match self.surroundings.actions {
            true => self.put(stream, &command::defused(text)),
            false => self.put(stream, text),
        }
    }

    fn put(&self, stream: Stream, text: &str) {
        let (mut results, mut messages) = (std::io::stdout(), std::io::stderr());
        let stream: &mut dyn Write = match stream {
            Stream::Results => &mut results,
            Stream::Messages => &mut messages,
        };
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

/// A mark in its colour.
fn paint(mark: char, colour: bool) -> String {
    let paint = match mark {
        '✓' => AnsiColor::Green,
        '✗' => AnsiColor::Red,
        '!' => AnsiColor::Yellow,
        _ => AnsiColor::Cyan,
    };
    match colour {
        true => wrapped(&mark.to_string(), paint.on_default().bold()),
        false => mark.to_string(),
    }
}

/// Text with the marks at the start of its lines in colour.
fn marked(text: &str) -> String {
    let line = |line: &str| {
        let mut rest = line.trim_start_matches(' ').chars();
        let mark = rest.next().filter(|mark| "✓✗!=".contains(*mark));
        let blanks = line.len() - line.trim_start_matches(' ').len();
        match mark {
            Some(mark) if rest.as_str().starts_with(' ') => {
                let blanks = " ".repeat(blanks);
                format!("{blanks}{}{}", paint(mark, true), rest.as_str())
            }
            _ => line.to_owned(),
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// An error with its words `error` and `hint` in colour.
fn coloured(text: &str) -> String {
    let error = wrapped("error:", AnsiColor::Red.on_default().bold());
    let hint = wrapped("hint:", AnsiColor::Cyan.on_default());
    let text = text.replacen("error:", &error, 1);
    text.replace("\n  hint:", &format!("\n  {hint}"))
}

fn wrapped(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
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
    fn marks_are_coloured_where_they_stand_for_something() {
        let green = paint('✓', true);
        assert_eq!(green, "\u{1b}[1m\u{1b}[32m✓\u{1b}[0m");
        assert_eq!(paint('✓', false), "✓");
        let text = "✓ a ✓\n  ✓ b\n✓c\n";
        assert_eq!(marked(text), format!("{green} a ✓\n  {green} b\n✓c\n"));
        let error = coloured("error: x\n  hint: error: y");
        assert_eq!(error.matches('\u{1b}').count(), 5, "{error:?}");
    }

    #[test]
    fn sizes_are_short() {
        let check = |bytes, expected: &str| assert_eq!(size(bytes), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(161_792, "158 KiB");
        check(2_000_000, "1.91 MiB");
    }
}
