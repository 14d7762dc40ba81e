//! The one error type of the platform. It knows nothing of HTTP, MCP or exit codes; each face maps
//! the kind in one place.

use std::fmt;

use serde::Serialize;

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, as far as a caller has to tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The request or a file is wrong; sending it again changes nothing.
    Invalid,
    /// There is no such server, template, namespace or file.
    NotFound,
    /// The request does not fit the present state: a singleton scaled to 2, a lost race.
    Conflict,
    /// Nobody said who is asking.
    Unauthenticated,
    /// The one who asks may not do this.
    Forbidden,
    /// The back end cannot be reached, or says that it is overloaded or has no room.
    Unavailable,
    /// The back end took the request, and the server was not ready in time.
    Timeout,
    /// The server was started and failed: image pull, crash loop, probe.
    Failed,
    /// A tool, a file or a permission of this machine is missing.
    Precondition,
    /// Anything else: an answer that cannot be understood, a full disk.
    Internal,
}

/// One place in the input that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// A JSON pointer (RFC 6901) into the input, or the name of a field.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// A failure with what a person needs to mend it.
///
/// `message` is a lower-case fragment that names the server, file, URL or command; every hint is a
/// sentence or a command the reader can paste. Neither ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit code and the HTTP status.
    pub kind: Kind,
    /// What failed, and where.
    pub message: String,
    /// What to do next.
    pub hints: Vec<String>,
    /// Every single problem, when there can be several.
    pub details: Vec<Detail>,
}

impl Error {
    /// An error of any kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            hints: Vec::new(),
            details: Vec::new(),
        }
    }

    /// The request or a file is wrong.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(Kind::Invalid, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error::new(Kind::NotFound, message)
    }

    /// The request does not fit the present state.
    pub fn conflict(message: impl Into<String>) -> Error {
        Error::new(Kind::Conflict, message)
    }

    /// The back end cannot be reached or has no room.
    pub fn unavailable(message: impl Into<String>) -> Error {
        Error::new(Kind::Unavailable, message)
    }

    /// Something of this machine is missing.
    pub fn precondition(message: impl Into<String>) -> Error {
        Error::new(Kind::Precondition, message)
    }

    /// Anything that should have worked.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(Kind::Internal, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hints.push(hint.into());
        self
    }

    /// Adds one place that is wrong.
    #[must_use]
    pub fn detail(mut self, path: impl Into<String>, message: impl Into<String>) -> Error {
        self.details.push(Detail {
            path: path.into(),
            message: message.into(),
        });
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        for detail in &self.details {
            write!(formatter, "\n  {}: {}", detail.path, detail.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
