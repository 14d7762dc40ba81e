//! Runs the operations that change something: one after the other for each server, recorded, counted,
//! and to their end even when the client goes away.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Mutex as Lane, oneshot, watch};
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::model::{Action, Identity, Status};
use crate::service::{Outcome, Progress, Service};

use super::Api;
use super::audit::Entry;
use super::site::Site;

/// How many may wait for one server before more are sent away.
const WAITING: usize = 256;

/// The queue of each server, as long as somebody is in it.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: Mutex<HashMap<Identity, Weak<Lane<()>>>>,
}

impl Lanes {
    /// The queue of a server.
    ///
    /// # Errors
    /// Too many wait in it.
    fn of(&self, identity: &Identity) -> Result<Arc<Lane<()>>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|_, lane| lane.strong_count() > 0);
        if let Some(lane) = lanes.get(identity).and_then(Weak::upgrade) {
            if Arc::strong_count(&lane) > WAITING {
                return Err(Error::unavailable(format!(
                    "{WAITING} operations wait for {identity} already"
                )));
            }
            return Ok(lane);
        }
        let lane = Arc::new(Lane::new(()));
        lanes.insert(identity.clone(), Arc::downgrade(&lane));
        Ok(lane)
    }
}

/// Counts the operations under way, so that the end of the program can wait for them.
#[derive(Debug, Default)]
pub struct Running {
    count: Arc<AtomicUsize>,
    ended: Arc<tokio::sync::Notify>,
}

struct Counted {
    count: Arc<AtomicUsize>,
    ended: Arc<tokio::sync::Notify>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
        self.ended.notify_waiters();
    }
}

impl Running {
    fn begin(&self) -> Counted {
        self.count.fetch_add(1, Ordering::SeqCst);
        Counted {
            count: Arc::clone(&self.count),
            ended: Arc::clone(&self.ended),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Waits until there is none, at most so long. Says how many are left.
    pub async fn end(&self, at_most: Duration) -> usize {
        let deadline = Instant::now() + at_most;
        loop {
            let ended = self.ended.notified();
            let left = self.count();
            if left == 0 || tokio::time::timeout_at(deadline, ended).await.is_err() {
                return self.count();
            }
        }
    }
}

/// Whether the answer waits until everything has come true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It does.
    WhenDone,
    /// It comes once the back end has taken the change; the rest, going back included, goes on.
    WhenTaken,
}

/// What there is to answer.
#[derive(Debug)]
pub enum Done {
    /// It has come true.
    Finished(Box<Outcome>),
    /// It is taken, and goes on.
    Taken,
}

/// Hears when the actions are performed and the waiting begins.
struct Listener {
    taken: watch::Sender<bool>,
}

impl Progress for Listener {
    fn acting(&self, _: &Identity, action: &Action) {
        if matches!(action, Action::Drain { .. }) {
            self.taken.send_replace(true);
        }
    }

    fn waiting(&self, _: &Identity, _: &Status) {
        self.taken.send_replace(true);
    }

    fn note(&self, _: &Identity, _: &str) {}
}

/// What an operation does with the service while somebody listens.
pub type Work =
    Box<dyn for<'a> FnOnce(&'a Service, &'a dyn Progress) -> BoxFuture<'a, Result<Outcome>> + Send>;

/// Runs an operation on a server.
///
/// # Errors
/// What the operation says; `Unavailable` when it cannot be recorded or the program is ending;
/// `Timeout` when it takes longer than an answer may.
pub async fn change(
    api: &Arc<Api>,
    site: &Arc<Site>,
    identity: &Identity,
    entry: Entry,
    answer: Answer,
    work: Work,
) -> Result<Done> {
    if *api.closing.borrow() {
        return Err(Error::unavailable("this instance is ending").hint("ask another, or again"));
    }
    let lane = site.lanes.of(identity)?;
    let (taken, mut is_taken) = watch::channel(false);
    let (sender, mut receiver) = oneshot::channel();
    let counted = api.running.begin();
    let (mine, place) = (Arc::clone(api), Arc::clone(site));
    tokio::spawn(async move {
        let _counted = counted;
        let _turn = lane.lock().await;
        let result = recorded(&mine, &place, &entry, work, &Listener { taken }).await;
        // Nobody hears it when the client has gone; it is done all the same.
        let _ = sender.send(result);
    });
    let early = async {
        match answer {
            Answer::WhenTaken if is_taken.wait_for(|taken| *taken).await.is_ok() => {}
            // Without a listener that speaks, only the result counts.
            Answer::WhenTaken | Answer::WhenDone => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        result = &mut receiver => match result {
            Ok(result) => result.map(|outcome| Done::Finished(Box::new(outcome))),
            Err(_) => Err(Error::internal(format!("the operation on {identity} broke off"))
                .hint("look at its status before trying again")),
        },
        () = early => Ok(Done::Taken),
        () = tokio::time::sleep(api.limits.operation_time) => Err(Error::new(
            Kind::Timeout,
            format!("the operation on {identity} takes longer than an answer may; it goes on"),
        )
        .hint("look at its status, or ask with ?wait=false")),
    }
}

/// Records, does, counts and records what came of it.
async fn recorded(
    api: &Api,
    site: &Site,
    entry: &Entry,
    work: Work,
    listener: &dyn Progress,
) -> Result<Outcome> {
    let clock = &api.clock;
    api.audit.record(entry, "begun", None, clock()).await?;
    let begun = Instant::now();
    let result = work(&site.service, listener).await;
    let (outcome, detail) = match &result {
        Ok(_) => ("done", None),
        Err(error) => (
            super::problem::of(error.kind).1,
            Some(error.message.as_str()),
        ),
    };
    api.metrics
        .operation(&site.name, entry.operation, outcome, begun.elapsed());
    if api
        .audit
        .record(entry, outcome, detail, clock())
        .await
        .is_err()
    {
        api.metrics.audit_failed();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    #[test]
    fn a_lane_lives_as_long_as_somebody_is_in_it() {
        let identity = |name: &str| Identity {
            namespace: Name::label("a").unwrap(),
            name: Name::label(name).unwrap(),
        };
        let lanes = Lanes::default();
        let first = lanes.of(&identity("x")).unwrap();
        let again = lanes.of(&identity("x")).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        drop((first, again));
        let _other = lanes.of(&identity("y")).unwrap();
        assert_eq!(lanes.lanes.lock().unwrap().len(), 1);
        let crowd: Vec<_> = (0..=WAITING).map(|_| lanes.of(&identity("z"))).collect();
        assert!(crowd.last().unwrap().is_err());
    }

    #[tokio::test]
    async fn the_end_waits_for_what_runs() {
        let running = Running::default();
        let counted = running.begin();
        assert_eq!(running.end(Duration::from_millis(5)).await, 1);
        drop(counted);
        assert_eq!(running.end(Duration::from_secs(5)).await, 0);
    }
}
