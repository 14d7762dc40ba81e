//! How one item gets to where it belongs: what to do next, from what was seen. Pure.
//!
//! `absent → uploaded → visible → verified`. After anything that leaves it open whether an item
//! was taken, the place is asked before the item is sent again.

use std::time::Duration;

use crate::config::publish::Patience;
use crate::registry::{Fate, Presence, Trouble};

/// No pause is longer, whatever the doubling says.
const LONGEST: Duration = Duration::from_secs(60);

/// What has happened to an item in this run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The place has taken it, and said so.
    pub accepted: bool,
    /// How often sending it went wrong in a way that may pass.
    pub troubles: u32,
    /// How long has been waited for that to pass.
    pub delayed: Duration,
    /// How long it has been waited for since it was taken.
    pub waited: Duration,
    /// How often it was looked for since it was taken.
    pub looks: u32,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is there.
    Done,
    /// Send it.
    Send,
    /// Wait, then look again.
    Wait(Duration),
    /// It was taken and is not visible in time; the reason.
    Pending(String),
    /// Something else is there.
    Conflict(String),
}

/// Decides what to do about an item that looks like this. `jitter`, from 0 to 1, spreads the
/// pauses of those who wait for the same thing.
pub fn next(patience: &Patience, presence: &Presence, standing: &Standing, jitter: f64) -> Next {
    let unseen = |why: String| match standing.waited >= patience.wait {
        true => Next::Pending(why),
        false => {
            let left = patience.wait.saturating_sub(standing.waited);
            Next::Wait(pause(patience, standing.looks + 1, jitter).min(left))
        }
    };
    match presence {
        Presence::Same { .. } => Next::Done,
        Presence::Differs { remote } => Next::Conflict(remote.clone()),
        Presence::Pending { why, .. } => unseen(why.clone()),
        // What was accepted a moment ago is not sent twice because a cache does not show it.
        Presence::Absent | Presence::Outdated { .. } if standing.accepted => {
            unseen("it was taken, and is not visible yet".to_owned())
        }
        Presence::Absent | Presence::Outdated { .. } => Next::Send,
    }
}

/// How long to wait after so many attempts that failed and so long a time; `None` when it does not
/// pass or was tried often enough. What the place has not seen yet is waited for as long as what
/// cannot be seen there.
pub fn again(
    patience: &Patience,
    failed: u32,
    waited: Duration,
    trouble: &Trouble,
    jitter: f64,
) -> Option<Duration> {
    match trouble.fate {
        Fate::Last(_) => None,
        Fate::NotYet if waited >= patience.wait => None,
        Fate::NotYet => {
            let left = patience.wait.saturating_sub(waited);
            Some(pause(patience, failed, jitter).min(left))
        }
        _ if failed >= patience.attempts => None,
        Fate::Passing { after: Some(asked) } if asked > LONGEST => None,
        Fate::Passing { after: Some(asked) } => Some(asked.max(pause(patience, failed, jitter))),
        Fate::Passing { after: None } => Some(pause(patience, failed, jitter)),
    }
}

/// The first pause, doubled with every further one, between a half and the whole of it.
fn pause(patience: &Patience, number: u32, jitter: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(number.saturating_sub(1).min(16));
    let whole = patience.pause.saturating_mul(doubled).min(LONGEST);
    whole.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::registry::Level;

    fn patience() -> Patience {
        Patience {
            wait: Duration::from_secs(100),
            pause: Duration::from_secs(2),
            attempts: 3,
        }
    }

    #[test]
    fn what_was_seen_decides() {
        let fresh = Standing::default();
        let accepted = Standing {
            accepted: true,
            ..Standing::default()
        };
        let late = Standing {
            waited: Duration::from_secs(100),
            ..accepted.clone()
        };
        let check = |presence: Presence, standing: &Standing, expected: Next| {
            let found = next(&patience(), &presence, standing, 1.0);
            assert_eq!(found, expected, "{presence:?} {standing:?}");
        };
        let level = Level::Digest;
        let differs = || Presence::Differs { remote: "x".into() };
        let outdated = || Presence::Outdated { remote: "x".into() };
        let why = "validation".to_owned();
        let since = None;
        let pending = || Presence::Pending {
            since: since.clone(),
            why: why.clone(),
        };
        let two = Duration::from_secs(2);
        check(Presence::Same { level }, &fresh, Next::Done);
        check(Presence::Absent, &fresh, Next::Send);
        check(outdated(), &fresh, Next::Send);
        check(differs(), &fresh, Next::Conflict("x".into()));
        check(differs(), &accepted, Next::Conflict("x".into()));
        check(Presence::Absent, &accepted, Next::Wait(two));
        check(outdated(), &accepted, Next::Wait(two));
        check(pending(), &fresh, Next::Wait(two));
        check(pending(), &late, Next::Pending(why.clone()));
        let text = "it was taken, and is not visible yet".to_owned();
        check(Presence::Absent, &late, Next::Pending(text));
    }

    #[test]
    fn pauses_double_and_end() {
        let seconds = Duration::from_secs;
        let check = |failed, trouble: &Trouble, jitter, expected: Option<Duration>| {
            let found = again(&patience(), failed, Duration::ZERO, trouble, jitter);
            assert_eq!(found, expected);
        };
        let passing = Trouble::passing("x");
        check(1, &passing, 1.0, Some(seconds(2)));
        check(1, &passing, 0.0, Some(seconds(1)));
        check(2, &passing, 1.0, Some(seconds(4)));
        check(3, &passing, 1.0, None);
        check(1, &Trouble::not_yet("x"), 1.0, Some(seconds(2)));
        check(1, &Trouble::last(Kind::Failure, "x"), 1.0, None);
        let asked = |after| Trouble {
            fate: Fate::Passing {
                after: Some(seconds(after)),
            },
            ..Trouble::passing("x")
        };
        check(1, &asked(9), 1.0, Some(seconds(9)));
        check(1, &asked(1), 1.0, Some(seconds(2)));
        check(1, &asked(61), 1.0, None);
        let many = Patience {
            attempts: 99,
            ..patience()
        };
        assert_eq!(
            again(&many, 60, Duration::ZERO, &passing, 1.0),
            Some(LONGEST)
        );
        // What the place has not seen yet is bounded by time and not by number.
        let not_yet = |waited| again(&patience(), 9, seconds(waited), &Trouble::not_yet("x"), 1.0);
        assert_eq!(not_yet(0), Some(LONGEST));
        assert_eq!(not_yet(97), Some(seconds(3)));
        assert_eq!(not_yet(100), None);
    }
}
