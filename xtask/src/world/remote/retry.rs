//! What went wrong on the network, whether it passes, and how long to wait. Pure, but for the
//! one function that waits.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::world::World;

/// How often a wait looks whether the run has been asked to stop.
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes a second below which a transfer is not worth waiting for.
const SLOWEST: u64 = 1 << 10;

/// How long to wait for what.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte.
    pub silence: Duration,
    /// How often something is tried.
    pub attempts: u32,
    /// Between the first attempt and the second; doubled with each.
    pub first: Duration,
    /// At most between two attempts. A server that asks for more is left alone.
    pub longest: Duration,
    /// Waits; tests do not.
    pub sleep: fn(&World, Duration) -> Result<()>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            attempts: 5,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            sleep: pass_time,
        }
    }
}

impl Patience {
    /// How long to wait after so many attempts that failed; `None` to give up.
    pub fn wait(&self, failed: u32, trouble: &Trouble) -> Option<Duration> {
        let Fate::Passing { after } = trouble.fate else {
            return None;
        };
        if failed >= self.attempts {
            return None;
        }
        let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
        let own = self.first.saturating_mul(doubled).min(self.longest);
        match after {
            Some(asked) if asked > self.longest => None,
            Some(asked) => Some(asked.max(own)),
            None => Some(own),
        }
    }

    /// Whether a transfer is slower than anybody should wait for. A first stretch is free.
    pub fn is_too_slow(&self, received: u64, elapsed: Duration) -> bool {
        let expected = elapsed.as_secs().saturating_mul(SLOWEST);
        elapsed > self.silence.saturating_mul(2) && received < expected
    }
}

/// Waits, but not longer than the run lasts.
///
/// # Errors
/// The run is interrupted.
pub fn pass_time(world: &World, time: Duration) -> Result<()> {
    let mut left = time;
    while !left.is_zero() {
        world.check_interrupted()?;
        let now = left.min(PAUSE);
        std::thread::sleep(now);
        left = left.saturating_sub(now);
    }
    world.check_interrupted()
}

/// What went wrong in one attempt.
#[derive(Debug)]
pub struct Trouble {
    what: String,
    fate: Fate,
}

#[derive(Debug)]
enum Fate {
    /// It may be gone the next time, which the server wants to be not before `after`.
    Passing { after: Option<Duration> },
    /// It will not pass; what to do about it.
    Last { hint: &'static str },
    /// It was not the network.
    Ours(Error),
}

impl Trouble {
    /// Trouble that may have passed the next time.
    pub fn passing(what: impl Into<String>) -> Trouble {
        let fate = Fate::Passing { after: None };
        let what = what.into();
        Trouble { what, fate }
    }

    /// Trouble that will not pass.
    pub fn last(what: impl Into<String>) -> Trouble {
        let hint = "is the address right? a proxy or a mirror may answer in its place";
        let (what, fate) = (what.into(), Fate::Last { hint });
        Trouble { what, fate }
    }

    /// Nobody vouches for the server.
    fn untrusted(cause: impl std::fmt::Display) -> Trouble {
        let hint = "a proxy that reads along needs its certificate: CURL_CA_BUNDLE=FILE.pem";
        let what = format!("no trusted connection: {cause}");
        let fate = Fate::Last { hint };
        Trouble { what, fate }
    }

    /// An error that already says everything.
    pub fn error(error: Error) -> Trouble {
        let (what, fate) = (String::new(), Fate::Ours(error));
        Trouble { what, fate }
    }

    /// A server that has no time.
    pub fn busy(status: u16, after: Option<Duration>) -> Trouble {
        let what = format!("answers {status}");
        let fate = Fate::Passing { after };
        Trouble { what, fate }
    }

    /// What the HTTP client says. Its own texts may hold addresses, so most are not repeated.
    pub fn of_transport(error: ureq::Error) -> Trouble {
        use ureq::Error as Cause;
        match error {
            // What is wrong with a certificate comes in this form.
            Cause::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => {
                Trouble::untrusted(cause)
            }
            Cause::Io(cause) => Trouble::passing(cause.to_string()),
            Cause::Timeout(which) => Trouble::passing(format!("no answer in time ({which})")),
            Cause::HostNotFound => Trouble::passing("the host is not found"),
            Cause::ConnectionFailed => Trouble::passing("no connection"),
            Cause::Protocol(cause) => Trouble::passing(format!("no sound HTTP: {cause}")),
            Cause::ConnectProxyFailed(_) => Trouble::passing("the proxy refuses"),
            Cause::Rustls(cause) => Trouble::untrusted(cause),
            Cause::Tls(cause) => Trouble::untrusted(cause),
            Cause::TooManyRedirects => Trouble::last("redirects in a circle"),
            Cause::RequireHttpsOnly(_) => Trouble::last("redirects to an address without TLS"),
            Cause::RedirectFailed => Trouble::last("redirects what was posted"),
            Cause::LargeResponseHeader(_, _) => Trouble::last("answers with too long a head"),
            Cause::BadUri(_) => Trouble::last("no address"),
            _ => Trouble::last("cannot be asked"),
        }
    }

    /// Whether it may have passed the next time.
    pub fn passes(&self) -> bool {
        matches!(self.fate, Fate::Passing { .. })
    }

    /// The error to show when no further attempt is made.
    pub fn into_error(self, shown: &str, attempts: u32) -> Error {
        let what = self.what;
        let times = match attempts {
            0 | 1 => String::new(),
            times => format!(" ({times} attempts)"),
        };
        let error = Error::failure(format!("{shown}: {what}{times}"));
        match self.fate {
            Fate::Ours(error) => error,
            Fate::Passing { after: Some(after) } => {
                let seconds = after.as_secs();
                error.hint(format!(
                    "the server asks to be left alone for {seconds} s; run again then"
                ))
            }
            Fate::Last { hint } => error.hint(hint),
            Fate::Passing { after: None } => error.hint(
                "is the network up, and does HTTPS_PROXY name the proxy if there is one? run again",
            ),
        }
    }
}

/// Whether a server says that it cannot answer now.
pub fn is_busy(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// What `Retry-After` asks for: seconds, or a date.
pub fn after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new();
    let date = date.parse_timestamp(text).ok()?;
    // A date that is past asks for nothing.
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}
