//! The clock of the mock: somebody else's, or one that stands still until it is moved.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A clock as a value.
pub type Reading = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells the mock what time it is. Copies of one clock show the same time.
#[derive(Clone)]
pub enum MockClock {
    /// Follows another clock, such as the real one.
    Follow(Reading),
    /// Stands still until [`super::MockBackend::advance`] moves it.
    Manual(Arc<Mutex<Timestamp>>),
    /// Jumps to the next thing that is due as soon as somebody waits for a change: no test waits
    /// for real time, and every run is the same.
    Stepping(Arc<Mutex<Timestamp>>),
}

impl MockClock {
    /// A clock that is moved by calls and begins at `start`.
    pub fn manual(start: Timestamp) -> MockClock {
        MockClock::Manual(Arc::new(Mutex::new(start)))
    }

    /// A clock that moves when somebody waits and begins at `start`.
    pub fn stepping(start: Timestamp) -> MockClock {
        MockClock::Stepping(Arc::new(Mutex::new(start)))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            MockClock::Follow(reading) => reading(),
            MockClock::Manual(time) | MockClock::Stepping(time) => {
                *time.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// The same clock for whoever else needs one, such as the service.
    pub fn reading(&self) -> Reading {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    /// Moves it; one that follows another cannot be moved.
    pub(super) fn advance(&self, by: Duration) {
        if let MockClock::Manual(time) | MockClock::Stepping(time) = self {
            let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
            *time = later(*time, by);
        }
    }

    /// Moves it forward to a time, never back.
    pub(super) fn reach(&self, to: Timestamp) {
        if let MockClock::Manual(time) | MockClock::Stepping(time) = self {
            let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
            *time = (*time).max(to);
        }
    }
}

impl fmt::Debug for MockClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MockClock({})", self.now())
    }
}

/// A moment after another one; the end of time when there is no such.
pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| time.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}
