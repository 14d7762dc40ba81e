//! The programs the tool provides for itself: an interpreter it finds, and private
//! environments it installs from checked-in, hash-locked requirements.
//!
//! Nothing is installed into the user's own environments. Each environment is built beside its
//! place and renamed into it, so one that exists is complete; its folder name holds the digest
//! of what is in it, so a new pin makes a new folder.

pub mod actionlint;
pub mod node;
pub mod python;
pub mod twine;
pub mod zizmor;

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::Digest;
use crate::error::{Error, Kind};
use crate::world::World;

/// A version as `major.minor.patch`; what follows is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Finds the first dotted number in a text such as `Python 3.11.7` or `v24.19.0`.
    pub fn find(text: &str) -> Option<Version> {
        text.split_whitespace().find_map(|word| {
            let word = word.trim_start_matches(|c: char| !c.is_ascii_digit());
            let mut parts = word
                .split(|c: char| !c.is_ascii_digit())
                .map(str::parse::<u32>);
            let major = parts.next()?.ok()?;
            let minor = parts.next().and_then(Result::ok)?;
            let patch = parts.next().and_then(Result::ok).unwrap_or(0);
            Some(Version(major, minor, patch))
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What pip and npm print when they cannot reach what they were told to reach.
const OFFLINE_SIGNS: [&str; 13] = [
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "NameResolutionError",
    "ProxyError",
    "Network is unreachable",
    "Connection refused",
    "Temporary failure in name resolution",
    "Could not fetch URL",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ETIMEDOUT",
];

/// Whether a package client failed because of the network and not because of what it was asked.
pub fn is_offline(said: &str) -> bool {
    OFFLINE_SIGNS.iter().any(|sign| said.contains(sign))
}

/// Turns pip's failure into one that says what to do about it.
fn pip_failed(what: &str, error: Error) -> Error {
    let offline = is_offline(&error.message);
    let error = Error {
        message: format!("{what}: {}", error.message),
        ..error
    };
    if !offline {
        return error;
    }
    Error {
        kind: Kind::Precondition,
        ..error
    }
    .hint("is the network up? pip must reach the configured package index once")
    .hint("behind a mirror or proxy: set PIP_INDEX_URL or HTTPS_PROXY, then run again")
}

/// Where an environment made from these requirements is installed.
fn place(world: &World, name: &str, requirements: &Digest) -> Utf8PathBuf {
    world
        .tools()
        .join(format!("{name}-{}", &requirements.hex()[..12]))
}

/// The file name of an executable in a virtual environment's or Node's folder.
fn executable(folder: &Utf8Path, name: &str) -> Utf8PathBuf {
    if cfg!(windows) {
        folder.join("Scripts").join(format!("{name}.exe"))
    } else {
        folder.join("bin").join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::interrupt::Interrupt;
    use crate::world::terminal::{Detail, Format, Terminal};

    #[test]
    fn environments_lie_where_the_user_wants_them() {
        let digest = Digest::of(b"requirements");
        let check = |shared: Option<&str>, expected: &str| {
            let shared = shared.map(|folder| ("XTASK_TOOLS_DIR".to_owned(), folder.to_owned()));
            let world = World {
                root: "/repository".into(),
                directory: "/repository".into(),
                environment: shared.into_iter().collect(),
                terminal: Terminal::new(Format::Text, Detail::Quiet),
                interrupt: Interrupt::default(),
                temporary: crate::world::temporary::Temporary::default(),
            };
            let place = place(&world, "node", &digest);
            assert_eq!(place.parent(), Some(Utf8Path::new(expected)));
        };
        check(None, "/repository/target/xtask/tools");
        check(Some("/shared"), "/shared");
        check(Some("shared"), "/repository/shared");
    }

    #[test]
    fn no_network_is_a_missing_precondition() {
        let check = |said: &str, expected: Kind| {
            let error = pip_failed("pip install", Error::failure(said));
            assert_eq!(error.kind, expected, "{said}");
        };
        check(
            "Caused by NewConnectionError('Connection refused')",
            Kind::Precondition,
        );
        check(
            "ERROR: No matching distribution found for a==1",
            Kind::Failure,
        );
    }

    #[test]
    fn versions_are_found_in_what_tools_print() {
        let check =
            |text: &str, expected: Option<Version>| assert_eq!(Version::find(text), expected);
        check("Python 3.11.7", Some(Version(3, 11, 7)));
        check("v24.19.0\n", Some(Version(24, 19, 0)));
        check(
            "git version 2.47.3 (Apple Git-154)",
            Some(Version(2, 47, 3)),
        );
        check("Python 3.13.0rc1+", Some(Version(3, 13, 0)));
        check("no number", None);
    }
}
