//! What the engine refuses, as errors of ours.

use bollard::errors::Error as Refusal;

use crate::error::{Error, Kind};

/// An answer of the engine as an error; `what` is what was asked for.
pub fn refused(what: &str, refusal: Refusal) -> Error {
    match refusal {
        Refusal::DockerResponseServerError {
            status_code,
            message,
        } => answered(what, status_code, message.trim()),
        Refusal::DockerStreamError { error } => answered(what, 500, error.trim()),
        other => Error::unavailable(format!("{what}: the engine cannot be asked: {other}"))
            .hint("start the engine, or set DOCKER_HOST to its socket")
            .hint("docker version"),
    }
}

/// What the system says when a disk is full, as the engine passes it on.
const FULL: &str = "no space left on device";

/// Whether the engine has no room.
pub fn is_full(error: &Error) -> bool {
    error.kind == Kind::Unavailable && error.message.contains(FULL)
}

fn answered(what: &str, status: u16, message: &str) -> Error {
    let text = format!("{what}: the engine says: {message}");
    if message.contains(FULL) {
        return Error::unavailable(text).hint("docker system df");
    }
    match status {
        400 => Error::invalid(text),
        403 => Error::new(Kind::Forbidden, text),
        404 => Error::not_found(text),
        409 => Error::conflict(text),
        _ => Error::new(Kind::Failed, text),
    }
}

/// Whether the engine says that there is no such thing.
pub fn is_missing(refusal: &Refusal) -> bool {
    status(refusal) == Some(404)
}

/// Whether the engine says that the name is taken, or that it is doing just that already.
pub fn is_taken(refusal: &Refusal) -> bool {
    status(refusal) == Some(409)
}

/// Whether it is as asked for already: started, stopped, gone.
pub fn is_already(refusal: &Refusal) -> bool {
    matches!(status(refusal), Some(304 | 404))
}

fn status(refusal: &Refusal) -> Option<u16> {
    match refusal {
        Refusal::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}
