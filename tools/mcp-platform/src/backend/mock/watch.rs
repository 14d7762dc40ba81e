//! Waiting for changes of the mock, and following its logs. A clock that steps moves here.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::error::{Error, Result};
use crate::model::{Change, Identity, LogLine};

use super::clock::later;
use super::server::{Line, Server};
use super::{LogOptions, MockBackend, MockClock, Scope, next_due};

/// Between two looks at a file that others may have written; the file system tells nobody.
const LOOK: Duration = Duration::from_millis(100);

/// How far a stepping clock moves when nothing is due, so that patience comes to its end.
const STRIDE: Duration = Duration::from_secs(1);

struct Watch {
    backend: MockBackend,
    scope: Scope,
    receiver: broadcast::Receiver<Change>,
    seen: u64,
    begun: bool,
}

/// An item whenever something may have changed.
pub(super) fn changes(backend: &MockBackend, scope: &Scope) -> BoxStream<'static, Result<Change>> {
    let watch = Watch {
        backend: backend.clone(),
        scope: scope.clone(),
        receiver: backend.0.changes.subscribe(),
        seen: 0,
        begun: false,
    };
    stream::unfold(watch, |mut watch| async move {
        let change = watch.next().await;
        Some((change, watch))
    })
    .boxed()
}

impl Watch {
    async fn next(&mut self) -> Result<Change> {
        if !self.begun {
            self.begun = true;
            self.seen = self.version()?;
            return Ok(Change::Everything);
        }
        loop {
            let wait = self.pause()?;
            tokio::select! {
                biased;
                received = self.receiver.recv() => match received {
                    Ok(change) if self.concerns(&change) => {
                        return Ok(change);
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Ok(Change::Everything),
                    // We hold the sender.
                    Err(RecvError::Closed) => std::future::pending().await,
                },
                () = wait => {
                    let before = self.seen;
                    self.seen = self.version()?;
                    if self.seen != before || matches!(self.backend.0.clock, MockClock::Stepping(_)) {
                        return Ok(Change::Everything);
                    }
                }
            }
        }
    }

    /// How long to wait for the next thing that happens by itself.
    fn pause(&self) -> Result<futures::future::BoxFuture<'static, ()>> {
        let shared = std::sync::Arc::clone(&self.backend.0);
        let due = shared.work(|servers| Ok(next_due(servers)))?;
        let now = shared.clock.now();
        match &shared.clock {
            MockClock::Manual(_) => Ok(Box::pin(std::future::pending())),
            MockClock::Stepping(_) => Ok(Box::pin(async move {
                // Whoever else is at work goes first.
                tokio::task::yield_now().await;
                let to = due.unwrap_or_else(|| later(now, STRIDE));
                shared.clock.reach(to.min(later(now, STRIDE)));
            })),
            MockClock::Follow(_) => {
                let due =
                    due.map(|due| Duration::try_from(due.duration_since(now)).unwrap_or_default());
                let look = shared.store.is_some().then_some(LOOK);
                match due.into_iter().chain(look).min() {
                    Some(wait) => Ok(Box::pin(tokio::time::sleep(
                        wait.max(Duration::from_millis(1)),
                    ))),
                    None => Ok(Box::pin(std::future::pending())),
                }
            }
        }
    }

    fn version(&self) -> Result<u64> {
        self.backend.0.work(|servers| Ok(servers.version))
    }

    fn concerns(&self, change: &Change) -> bool {
        match (change, &self.scope.namespace) {
            (Change::Server(identity), Some(namespace)) => identity.namespace == *namespace,
            _ => true,
        }
    }
}

/// What a server wrote, and goes on writing when that is asked for.
pub(super) fn logs(
    backend: &MockBackend,
    identity: &Identity,
    options: &LogOptions,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    let (first, last) = backend.0.found(identity, |server| {
        if let Some(name) = &options.instance
            && !server.instances.iter().any(|one| one.name == *name)
        {
            return Err(Error::not_found(format!(
                "{identity} has no instance {name:?}"
            )));
        }
        Ok((tail(server, options), server.lines_written))
    })?;
    let present = stream::iter(first.into_iter().map(|line| Ok(line.line)));
    if !options.follow {
        return Ok(present.boxed());
    }
    let scope = Scope {
        namespace: Some(identity.namespace.clone()),
        template: None,
    };
    let following = (
        changes(backend, &scope),
        backend.clone(),
        identity.clone(),
        options.clone(),
        last,
    );
    let rest = stream::unfold(following, |mut following| async move {
        // Away for a moment or not: a look follows either way.
        let _ = following.0.next().await?;
        let (_, backend, identity, options, last) = &mut following;
        let found = backend.0.found(identity, |server| {
            let new = chosen(server, options).filter(|line| line.number > *last);
            Ok((new.cloned().collect::<Vec<Line>>(), server.lines_written))
        });
        let (new, written) = found.ok()?;
        *last = written;
        Some((
            stream::iter(new.into_iter().map(|line| Ok(line.line))),
            following,
        ))
    });
    Ok(present.chain(rest.flatten()).boxed())
}

/// The lines of the instances that are there, of the run that was asked for.
fn chosen<'a>(server: &'a Server, options: &'a LogOptions) -> impl Iterator<Item = &'a Line> {
    server.lines.iter().filter(|line| {
        let instance = server
            .instances
            .iter()
            .find(|instance| instance.name == line.line.instance);
        let named = options.instance.as_ref();
        instance.is_some_and(|instance| {
            let run = if options.previous {
                line.run + 1 == instance.restarts
            } else {
                line.run == instance.restarts
            };
            run && named.is_none_or(|name| *name == instance.name)
        })
    })
}

fn tail(server: &Server, options: &LogOptions) -> Vec<Line> {
    let Some(tail) = options.tail else {
        return chosen(server, options).cloned().collect();
    };
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut last: Vec<Line> = Vec::new();
    let all: Vec<&Line> = chosen(server, options).collect();
    for line in all.into_iter().rev() {
        let count = counts.entry(line.line.instance.as_str()).or_default();
        if *count < tail {
            *count += 1;
            last.push(line.clone());
        }
    }
    last.reverse();
    last
}
