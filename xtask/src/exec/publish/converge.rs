//! Bringing one item to its place: looking, sending once, reading back, until it is verified.

use std::time::Duration;

use super::Session;
use crate::artifact::Digest;
use crate::error::{Error, Kind, Result};
use crate::ledger::{Act, Entry};
use crate::publish::converge::{Next, Standing, again, next};
use crate::registry::{Answered, Attempt, Item, Level, Presence, Registry, Trouble};
use crate::world::remote;

/// How an item came to be where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was there.
    Found,
    /// It was sent and read back.
    Sent(Level),
}

impl<'run> Session<'run> {
    /// Asks a place for items until it answers.
    ///
    /// # Errors
    /// It does not answer, or the run is interrupted.
    pub(super) fn look(
        &self,
        target: &str,
        place: &(dyn Registry + 'run),
        items: &[&Item],
    ) -> Result<Vec<Presence>> {
        let found = self.persist(|| {
            let asked = place.presence(items);
            if let (Err(trouble), Some(item)) = (&asked, items.first()) {
                self.note_trouble(Act::Read, target, item, trouble)?;
            }
            asked
        })?;
        for (item, presence) in items.iter().zip(&found.value) {
            self.note(Act::Read, target, item, &found, &describe(presence))?;
        }
        Ok(found.value)
    }

    /// Brings an item to its place.
    ///
    /// # Errors
    /// A conflict, a trouble that does not pass, something that is not visible in time, or the
    /// run is interrupted. What was sent stays sent.
    pub(super) fn converge(
        &self,
        target: &str,
        place: &(dyn Registry + 'run),
        item: &Item,
    ) -> Result<Came> {
        let patience = &self.config.publish.patience;
        let mut standing = Standing::default();
        let mut sent = false;
        loop {
            let found = self.look(target, place, &[item])?;
            let presence = found.first().cloned().unwrap_or(Presence::Absent);
            match next(patience, &presence, &standing, jitter()) {
                Next::Done if sent => return self.verify(target, place, item, &presence),
                Next::Done => return Ok(Came::Found),
                Next::Conflict(remote) => return Err(conflict(item, &remote)),
                Next::Pending(why) => return Err(pending(item, &why)),
                Next::Wait(time) => {
                    remote::pass_time(self.world, time)?;
                    standing.waited += time;
                    standing.looks += 1;
                }
                // Whatever a place says in between: it is not sent to without an end.
                Next::Send if standing.troubles > patience.attempts.max(20) => {
                    return Err(pending(item, "it was sent often, and is not there"));
                }
                Next::Send => {
                    sent = true;
                    self.send(target, place, item, &mut standing)?;
                }
            }
        }
    }

    /// Sends an item once. A trouble that may pass is waited for, and the caller looks again.
    fn send(
        &self,
        target: &str,
        place: &(dyn Registry + 'run),
        item: &Item,
        standing: &mut Standing,
    ) -> Result<()> {
        self.world.check_interrupted()?;
        self.note(Act::Send, target, item, &Answered::plain(()), "sending")?;
        match place.upload(item) {
            Ok(receipt) => {
                standing.accepted = true;
                self.note(Act::Sent, target, item, &receipt, "accepted")
            }
            Err(trouble) => {
                self.note_trouble(Act::Sent, target, item, &trouble)?;
                self.world.check_interrupted()?;
                standing.troubles += 1;
                let patience = &self.config.publish.patience;
                let (failed, delayed) = (standing.troubles, standing.delayed);
                match again(patience, failed, delayed, &trouble, jitter()) {
                    Some(time) => {
                        standing.delayed += time;
                        remote::pass_time(self.world, time)
                    }
                    None => self.last_look(target, place, item, trouble, standing.troubles),
                }
            }
        }
    }

    /// A place may have taken what it says that it refused, or another run may have been faster:
    /// only what it has now tells.
    fn last_look(
        &self,
        target: &str,
        place: &(dyn Registry + 'run),
        item: &Item,
        trouble: Trouble,
        attempts: u32,
    ) -> Result<()> {
        let found = self.look(target, place, &[item])?;
        match found.first() {
            Some(Presence::Absent | Presence::Outdated { .. }) | None => {
                Err(trouble.into_error(attempts))
            }
            Some(_) => Ok(()),
        }
    }

    /// Reads the bytes back and hashes them.
    fn verify(
        &self,
        target: &str,
        place: &(dyn Registry + 'run),
        item: &Item,
        presence: &Presence,
    ) -> Result<Came> {
        let mut wrong = String::new();
        // A transfer can be damaged on its way; twice the same is what the place gives.
        for _ in 0..2 {
            let answered = self.persist(|| place.fetch(item))?;
            let Some(bytes) = &answered.value else {
                let level = match presence {
                    Presence::Same { level } => *level,
                    _ => Level::Digest,
                };
                return Ok(Came::Sent(level));
            };
            match place.compare(item, bytes) {
                Some(level) => {
                    self.note(Act::Verified, target, item, &answered, "the same bytes")?;
                    return Ok(Came::Sent(level));
                }
                None => {
                    wrong = Digest::of(bytes).to_string();
                    let outcome = format!("other bytes: {wrong}");
                    self.note(Act::Verified, target, item, &answered, &outcome)?;
                }
            }
        }
        Err(conflict(item, &wrong))
    }

    /// Asks until there is an answer, as long as the trouble is one that passes.
    pub(super) fn persist<T>(&self, mut ask: impl FnMut() -> Attempt<T>) -> Result<Answered<T>> {
        let patience = &self.config.publish.patience;
        let (mut failed, mut waited) = (0, Duration::ZERO);
        loop {
            self.world.check_interrupted()?;
            let trouble = match ask() {
                Ok(answered) => return Ok(answered),
                Err(trouble) => trouble,
            };
            self.world.check_interrupted()?;
            failed += 1;
            match again(patience, failed, waited, &trouble, jitter()) {
                Some(time) => {
                    waited += time;
                    remote::pass_time(self.world, time)?;
                }
                None => return Err(trouble.into_error(failed)),
            }
        }
    }

    /// Records what went wrong.
    fn note_trouble(&self, act: Act, target: &str, item: &Item, trouble: &Trouble) -> Result<()> {
        let answered = Answered {
            value: (),
            status: trouble.status,
            request: trouble.request.clone(),
        };
        self.note(act, target, item, &answered, &trouble.what)
    }

    pub(super) fn note<T>(
        &self,
        act: Act,
        target: &str,
        item: &Item,
        answered: &Answered<T>,
        outcome: &str,
    ) -> Result<()> {
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        let manifest = &self.release.manifest;
        ledger.write(&Entry {
            act,
            release: &format!("{} {}", manifest.name, manifest.version),
            target,
            item: &item.key,
            sha256: &item.sha256,
            status: answered.status,
            request: answered.request.as_deref(),
            outcome,
        })
    }
}

fn describe(presence: &Presence) -> String {
    match presence {
        Presence::Absent => "absent".to_owned(),
        Presence::Outdated { remote } => format!("outdated: {remote}"),
        Presence::Pending { why, .. } => format!("pending: {why}"),
        Presence::Same { .. } => "same".to_owned(),
        Presence::Differs { remote } => format!("differs: {remote}"),
    }
}

pub(super) fn conflict(item: &Item, remote: &str) -> Error {
    let what = match Digest::parse(remote) {
        Ok(_) => format!(
            " exists with other bytes: {remote} instead of {}",
            item.sha256
        ),
        Err(_) => format!(": {remote}"),
    };
    Error::conflict(format!("{}{what}", item.key))
        .hint("a published version is never replaced: raise the version, or find out who published")
}

fn pending(item: &Item, why: &str) -> Error {
    Error::new(Kind::Pending, format!("{}: {why}", item.key))
        .hint("run again in a few minutes: nothing is sent twice")
}

/// A number from 0 to 1 that nobody can foresee.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::hash::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random & 0xffff_ffff).unwrap_or_default()) / f64::from(u32::MAX)
}
