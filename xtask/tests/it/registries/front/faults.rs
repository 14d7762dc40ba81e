//! How requests fail, and which of them. It also holds answers back, for tests that end a client
//! between two of its requests.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::message::{Asked, decoded};

/// How a request fails.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, and what `Retry-After` says; the service never sees the request.
    Status(u16, Option<String>),
    /// The connection ends without an answer; the service never sees the request.
    CutBefore,
    /// The request is done, and the answer is this status.
    StatusAfter(u16),
    /// The request is done, and the connection ends without an answer.
    CutAfter,
    /// The request is done, and the answer's body ends after so many bytes.
    CutBody(usize),
    /// The request waits so long before it is done.
    Latency(Duration),
    /// One byte of the answer's body is another one.
    WrongBytes,
    /// The request is done, and the answer is held back until the test releases it.
    Hold,
}

/// A fault for some requests.
#[derive(Debug)]
pub struct Planned {
    method: Option<String>,
    part: String,
    fault: Fault,
    times: usize,
}

/// What a front keeps beside its service.
#[derive(Debug, Default)]
pub struct State {
    pub asked: Vec<Asked>,
    pub planned: Vec<Planned>,
    /// How many requests go by before one is held.
    until: Option<usize>,
    /// How many connections are held now.
    held: usize,
    /// Goes up with each release, so that only those who were held then go on.
    releases: usize,
    ended: bool,
}

/// The state, and the bell for those who wait for it to change.
#[derive(Debug, Default)]
pub struct Desk {
    state: Mutex<State>,
    bell: Condvar,
}

impl Desk {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ended(&self) -> bool {
        self.state().ended
    }

    pub fn end(&self) {
        self.state().ended = true;
        self.bell.notify_all();
    }

    pub fn plan(&self, method: Option<&str>, part: &str, fault: Fault, times: usize) {
        self.state().planned.push(Planned {
            method: method.map(str::to_owned),
            part: part.to_owned(),
            fault,
            times,
        });
    }

    /// Logs a request; says what becomes of it, and whether its answer is held back.
    pub fn take(&self, asked: &Asked) -> (Option<Fault>, bool) {
        let mut state = self.state();
        state.asked.push(asked.clone());
        let held = state.until == Some(0);
        state.until = state.until.and_then(|left| left.checked_sub(1));
        let plain = decoded(&asked.target);
        let mut planned = state.planned.iter_mut();
        let found = planned.find(|one| {
            let method = one.method.as_ref();
            one.times > 0
                && method.is_none_or(|method| *method == asked.method)
                && (asked.target.contains(&one.part) || plain.contains(&one.part))
        });
        let fault = found.map(|one| {
            one.times -= 1;
            one.fault.clone()
        });
        (fault, held)
    }

    pub fn hold_at(&self, n: usize) {
        self.state().until = Some(n);
    }

    /// Keeps a connection until the release.
    pub fn keep(&self) {
        let mut state = self.state();
        let releases = state.releases;
        state.held += 1;
        self.bell.notify_all();
        let waits = |state: &mut State| state.releases == releases && !state.ended;
        drop(self.bell.wait_while(state, waits));
    }

    pub fn held(&self, timeout: Duration) -> bool {
        let state = self.state();
        let waited = self
            .bell
            .wait_timeout_while(state, timeout, |state| state.held == 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.held > 0
    }

    pub fn release(&self) {
        let mut state = self.state();
        state.releases += 1;
        state.held = 0;
        state.until = None;
        self.bell.notify_all();
    }

    /// Lets time go by, and no more when the front ends.
    pub fn pass(&self, time: Duration) {
        let waits = |state: &mut State| !state.ended;
        drop(self.bell.wait_timeout_while(self.state(), time, waits));
    }
}
