//! The one error type and the exit codes it maps to.
//!
//! A hint is attached where the error is born; nothing later guesses one.

use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, as far as a script that called us cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something failed that should have worked.
    Failure,
    /// The command line or `release.toml` is wrong.
    Usage,
    /// The work is done here but not yet visible elsewhere; run again.
    Pending,
    /// Two things that must be equal differ; a human must look.
    Conflict,
    /// A tool, a credential or a state of the repository is missing.
    Precondition,
    /// The gate or a policy said no.
    Refused,
    /// The advisories to compare with are not there, not whole or too old.
    Database,
    /// The user or the system asked us to stop.
    Interrupted,
}

/// Every exit code and its meaning, in the order the help shows them.
pub const EXIT_CODES: [(u8, &str); 9] = [
    (0, "done"),
    (1, "failure"),
    (2, "usage or configuration"),
    (3, "pending elsewhere, run again"),
    (4, "conflict, a human must look"),
    (
        5,
        "precondition missing (tool, credential, state of the repository)",
    ),
    (6, "refused by the gate or the policy"),
    (7, "advisory database missing, empty, damaged or too old"),
    (130, "interrupted"),
];

impl Kind {
    /// The documented exit code, one of [`EXIT_CODES`].
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failure => 1,
            Kind::Usage => 2,
            Kind::Pending => 3,
            Kind::Conflict => 4,
            Kind::Precondition => 5,
            Kind::Refused => 6,
            Kind::Database => 7,
            Kind::Interrupted => 130,
        }
    }

    /// The word for this kind in JSON output.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Failure => "failure",
            Kind::Usage => "usage",
            Kind::Pending => "pending",
            Kind::Conflict => "conflict",
            Kind::Precondition => "precondition",
            Kind::Refused => "refused",
            Kind::Database => "database",
            Kind::Interrupted => "interrupted",
        }
    }
}

/// A failure with what a person needs to mend it.
///
/// `message` is a lower-case fragment that names the path, command or URL;
/// every hint is a sentence or a command the reader can paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit code.
    pub kind: Kind,
    /// What failed, and where.
    pub message: String,
    /// What to do next.
    pub hints: Vec<String>,
}

impl Error {
    /// An error of any kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: bounded(message.into()),
            hints: Vec::new(),
        }
    }

    /// Something failed that should have worked: exit code 1.
    pub fn failure(message: impl Into<String>) -> Error {
        Error::new(Kind::Failure, message)
    }

    /// Wrong command line or configuration: exit code 2.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(Kind::Usage, message)
    }

    /// A digest or a version differs from what it must equal: exit code 4.
    pub fn conflict(message: impl Into<String>) -> Error {
        Error::new(Kind::Conflict, message)
    }

    /// A tool or a state of the repository is missing: exit code 5.
    pub fn precondition(message: impl Into<String>) -> Error {
        Error::new(Kind::Precondition, message)
    }

    /// The gate or a policy said no: exit code 6.
    pub fn refused(message: impl Into<String>) -> Error {
        Error::new(Kind::Refused, message)
    }

    /// The advisories to compare with are not there, not whole or too old: exit code 7.
    pub fn database(message: impl Into<String>) -> Error {
        Error::new(Kind::Database, message)
    }

    /// The run was asked to stop: exit code 130.
    pub fn interrupted() -> Error {
        Error::new(
            Kind::Interrupted,
            "interrupted; nothing in dist/ was changed",
        )
    }

    /// Several errors as one: the first decides the exit code, and no hint is said twice.
    pub fn together(errors: Vec<Error>) -> Option<Error> {
        let kind = errors.first()?.kind;
        let mut messages = Vec::new();
        let mut hints: Vec<String> = Vec::new();
        for error in errors {
            messages.push(error.message);
            for hint in error.hints {
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
        }
        Some(Error {
            kind,
            message: messages.join("\n       "),
            hints,
        })
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hints.push(bounded(hint.into()));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.message)?;
        for hint in &self.hints {
            write!(formatter, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// How many characters a line of a message may have. What is quoted may be a name of megabytes.
const LONGEST_LINE: usize = 2_000;
/// How many of them stand behind the gap when a line is longer.
const LONGEST_END: usize = 500;

/// The text with the middle of every long line left out: what went wrong stands at either end.
fn bounded(text: String) -> String {
    if text.split('\n').all(|line| line.len() <= LONGEST_LINE) {
        return text;
    }
    let lines: Vec<String> = text.split('\n').map(bounded_line).collect();
    lines.join("\n")
}

fn bounded_line(line: &str) -> String {
    let start = line.char_indices().nth(LONGEST_LINE - LONGEST_END - 1);
    let end = line.char_indices().nth_back(LONGEST_END - 1);
    match (start, end) {
        (Some((start, _)), Some((end, _))) if start < end => {
            let start = line.get(..start).unwrap_or_default();
            let end = line.get(end..).unwrap_or_default();
            format!("{start}…{end}")
        }
        _ => line.to_owned(),
    }
}

/// What to do about a full disk.
pub const DISK_FULL: &str = "the disk is full: free some space and run again";

/// What to do about a folder that cannot be written.
pub const READ_ONLY: &str = "make the folder writable for this user, or run in a checkout that is";

/// Says what was being done when an underlying error came up.
pub trait Context<T> {
    /// Turns any error into a failure `doing: cause`. The closure names the path or command.
    ///
    /// # Errors
    /// The original error, described.
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for std::io::Result<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| {
            let error = Error::failure(format!("{}: {cause}", doing()));
            match cause.kind() {
                std::io::ErrorKind::StorageFull => error.hint(DISK_FULL),
                std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                    error.hint(READ_ONLY)
                }
                _ => error,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_lose_their_middle() {
        let check = |message: &str, expected: &str| {
            assert_eq!(Error::failure(message).message, expected);
            assert_eq!(Error::failure("a").hint(message).hints, [expected]);
        };
        check("short", "short");
        check("", "");
        let full = "ä".repeat(1_999);
        check(&full, &full);
        let long = format!("file:1: {}: why\nsecond", "ä".repeat(1_000_000));
        let (start, end) = ("ä".repeat(1_491), "ä".repeat(495));
        check(&long, &format!("file:1: {start}…{end}: why\nsecond"));
    }
}
