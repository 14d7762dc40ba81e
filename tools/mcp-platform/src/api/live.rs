//! What all servers are doing, as it changes: one watch of the back end for all who listen, begun with
//! the first and ended after the last.
//!
//! Every change has a number. Who comes back with the last number it saw gets what it missed, as long
//! as that is still kept, and else everything anew.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::sync::watch;

use crate::backend::Scope;
use crate::error::{Error, Result};
use crate::model::{Change, Identity};
use crate::service::{Report, Service};

/// How many changes are kept for those who come back.
const KEPT: usize = 4_096;

/// Between two looks when nothing was reported: a net below the watch, not a poll.
const NET: Duration = Duration::from_secs(10);

/// Before the next look at a back end that failed.
const AGAIN: Duration = Duration::from_secs(2);

/// Reports that come within this time are looked into together.
const TOGETHER: Duration = Duration::from_millis(40);

/// More changed servers than this are looked at by one list.
const MANY: usize = 16;

/// One change of what is known.
#[derive(Debug, Clone)]
pub enum News {
    /// This server is like this now.
    Server(Arc<Report>),
    /// This server is gone.
    Gone(Identity),
    /// The back end cannot say any more.
    Problem(Error),
}

/// What a listener gets next.
#[derive(Debug, Clone)]
pub enum Next {
    /// Everything anew, which is up to this number.
    Snapshot(u64, Vec<Arc<Report>>),
    /// Changes in their order, each with its number.
    Changes(Vec<(u64, News)>),
}

#[derive(Debug, Default)]
struct Board {
    /// Tells the numbers of this run of the program from those of another.
    epoch: String,
    last: u64,
    /// Who saw less than this needs everything anew.
    floor: u64,
    servers: BTreeMap<Identity, Arc<Report>>,
    news: VecDeque<(u64, News)>,
    /// Whether the servers were read.
    read: bool,
    failed: Option<Error>,
    listeners: usize,
    watching: bool,
}

/// The board that all listeners read.
#[derive(Debug)]
pub struct Live {
    board: Mutex<Board>,
    number: watch::Sender<u64>,
}

impl Live {
    /// A board nobody reads yet; `epoch` is a random word.
    pub fn new(epoch: String) -> Live {
        Live {
            board: Mutex::new(Board {
                epoch,
                ..Board::default()
            }),
            number: watch::Sender::new(0),
        }
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of a number, for `Last-Event-ID`.
    pub fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.board().epoch)
    }

    /// Begins to listen, after the event of this id when it is one of ours.
    pub fn listen(self: &Arc<Live>, service: &Service, after: Option<&str>) -> Ear {
        let mut board = self.board();
        board.listeners += 1;
        if !board.watching {
            board.watching = true;
            board.read = false;
            let watch = watch_all(Arc::clone(self), service.clone());
            tokio::spawn(watch);
        }
        let seen = after
            .and_then(|id| id.rsplit_once('-'))
            .filter(|(epoch, _)| *epoch == board.epoch)
            .and_then(|(_, number)| number.parse().ok());
        Ear {
            live: Arc::clone(self),
            changed: self.number.subscribe(),
            seen,
        }
    }

    /// Puts what the back end answered on the board; `whole`: what is not among it is gone.
    fn put(&self, answered: BTreeMap<Identity, Option<Report>>, whole: bool) {
        let mut board = self.board();
        let recovered = board.failed.take().is_some() || !board.read;
        board.read = true;
        if whole {
            let gone: Vec<Identity> = board
                .servers
                .keys()
                .filter(|identity| !answered.contains_key(identity))
                .cloned()
                .collect();
            for identity in gone {
                board.gone(identity);
            }
        }
        for (identity, report) in answered {
            match report {
                Some(report) => board.server(identity, report),
                None => board.gone(identity),
            }
        }
        if recovered {
            board.last += 1;
            board.floor = board.last;
            board.news.clear();
        }
        let last = board.last;
        drop(board);
        self.number.send_replace(last);
    }

    fn fail(&self, error: Error) {
        let mut board = self.board();
        if board.failed.as_ref() != Some(&error) {
            board.failed = Some(error.clone());
            board.say(News::Problem(error));
        }
        let last = board.last;
        drop(board);
        self.number.send_replace(last);
    }

    /// Whether the watch shall end, because nobody listens.
    fn is_over(&self) -> bool {
        let mut board = self.board();
        if board.listeners == 0 {
            board.watching = false;
            board.servers.clear();
            board.news.clear();
            board.failed = None;
            board.read = false;
            board.floor = board.last + 1;
        }
        board.listeners == 0
    }
}

impl Board {
    fn say(&mut self, news: News) {
        self.last += 1;
        let number = self.last;
        self.news.push_back((number, news));
        if self.news.len() > KEPT
            && let Some((dropped, _)) = self.news.pop_front()
        {
            self.floor = self.floor.max(dropped);
        }
    }

    fn server(&mut self, identity: Identity, report: Report) {
        if self
            .servers
            .get(&identity)
            .is_some_and(|old| **old == report)
        {
            return;
        }
        let report = Arc::new(report);
        self.servers.insert(identity, Arc::clone(&report));
        self.say(News::Server(report));
    }

    fn gone(&mut self, identity: Identity) {
        if self.servers.remove(&identity).is_some() {
            self.say(News::Gone(identity));
        }
    }

    fn after(&self, seen: Option<u64>) -> Option<Next> {
        match seen {
            Some(seen) if seen == self.last => None,
            Some(seen) if seen >= self.floor && seen < self.last => Some(Next::Changes(
                self.news
                    .iter()
                    .filter(|(number, _)| *number > seen)
                    .cloned()
                    .collect(),
            )),
            Some(_) | None => {
                let servers = self.servers.values().cloned().collect();
                Some(Next::Snapshot(self.last, servers))
            }
        }
    }
}

/// One listener.
#[derive(Debug)]
pub struct Ear {
    live: Arc<Live>,
    changed: watch::Receiver<u64>,
    seen: Option<u64>,
}

impl Ear {
    /// Waits until the servers are known.
    ///
    /// # Errors
    /// The back end cannot say.
    pub async fn ready(&mut self) -> Result<()> {
        loop {
            {
                self.changed.mark_unchanged();
                let board = self.live.board();
                if let Some(error) = &board.failed {
                    return Err(error.clone());
                }
                if board.read {
                    return Ok(());
                }
            }
            if self.changed.changed().await.is_err() {
                return Err(Error::internal("the watch of the servers ended"));
            }
        }
    }

    /// Waits for what comes next; none at the end.
    pub async fn next(&mut self) -> Option<Next> {
        loop {
            self.changed.mark_unchanged();
            let next = {
                let board = self.live.board();
                if board.read || board.failed.is_some() {
                    board.after(self.seen)
                } else {
                    None
                }
            };
            if let Some(next) = next {
                self.seen = match &next {
                    Next::Snapshot(number, _) => Some(*number),
                    Next::Changes(all) => all.last().map(|(number, _)| *number).or(self.seen),
                };
                return Some(next);
            }
            self.changed.changed().await.ok()?;
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.live.board().listeners -= 1;
    }
}

async fn watch_all(live: Arc<Live>, service: Service) {
    let scope = Scope::default();
    let mut changes = service.changes(&scope);
    let mut due: Option<Vec<Identity>> = None;
    loop {
        let pause = match look(&live, &service, due.take()).await {
            Ok(()) => NET,
            Err(error) => {
                live.fail(error);
                AGAIN
            }
        };
        if live.is_over() {
            return;
        }
        due = reported(&mut changes, pause).await;
    }
}

/// Looks at these servers, or at all.
async fn look(live: &Live, service: &Service, due: Option<Vec<Identity>>) -> Result<()> {
    let mut answered = BTreeMap::new();
    match due {
        Some(some) if live.board().failed.is_none() => {
            for identity in some {
                let observed = service.observe(&identity).await?;
                answered.insert(identity, observed.map(Report::of));
            }
            live.put(answered, false);
        }
        Some(_) | None => {
            for report in service.list(&Scope::default()).await? {
                answered.insert(report.observed.identity.clone(), Some(report));
            }
            live.put(answered, true);
        }
    }
    Ok(())
}

/// Waits for a report and collects those that come with it. Which servers to look at; none: all.
async fn reported(
    changes: &mut BoxStream<'static, Result<Change>>,
    pause: Duration,
) -> Option<Vec<Identity>> {
    let mut some: Vec<Identity> = Vec::new();
    let mut all = false;
    let mut take = |change: Option<Result<Change>>| match change {
        Some(Ok(Change::Server(identity))) if some.contains(&identity) => {}
        Some(Ok(Change::Server(identity))) if some.len() < MANY => some.push(identity),
        _ => all = true,
    };
    match tokio::time::timeout(pause, changes.next()).await {
        Err(_) => return None,
        Ok(None) => {
            tokio::time::sleep(pause).await;
            return None;
        }
        Ok(change) => take(change),
    }
    let end = tokio::time::Instant::now() + TOGETHER;
    while let Ok(change) = tokio::time::timeout_at(end, changes.next()).await {
        if change.is_none() {
            break;
        }
        take(change);
    }
    if all { None } else { Some(some) }
}
