//! Says when something may have changed, by what the system reports of files: every change of what
//! is wanted, and every change that a supervisor sees, is a file that is replaced.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;
use std::sync::Mutex;

use futures::future;
use futures::stream::{self, BoxStream, StreamExt as _};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::BroadcastStream;

use crate::backend::Scope;
use crate::error::{Error, Result};
use crate::model::{Change, Identity, Name};

use super::folder::{Root, make_folder};

/// What a watch is on.
#[derive(Clone)]
enum Place {
    Root,
    Namespace(Name),
    Server(Identity),
}

/// What the runtime can wait for.
struct Source(Inotify);

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Source {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// One watch for everybody who asks: the system allows few of them to a user.
#[derive(Default)]
pub struct Hub(Mutex<Option<(broadcast::Sender<Change>, JoinHandle<()>)>>);

impl Hub {
    /// The changes of a scope, without end.
    pub fn changes(&self, root: &Root, scope: &Scope) -> BoxStream<'static, Result<Change>> {
        let receiver = match self.subscribe(root) {
            Ok(receiver) => receiver,
            Err(error) => return stream::once(async { Err(error) }).boxed(),
        };
        let namespace = scope.namespace.clone();
        let fits = move |change: &Change| match (change, &namespace) {
            (Change::Server(identity), Some(namespace)) => identity.namespace == *namespace,
            (Change::Server(_), None) | (Change::Everything, _) => true,
        };
        let later = BroadcastStream::new(receiver)
            // Whoever could not follow looks at all.
            .map(|change| change.unwrap_or(Change::Everything))
            .filter(move |change| future::ready(fits(change)))
            .map(Ok);
        stream::once(async { Ok(Change::Everything) })
            .chain(later)
            .boxed()
    }

    fn subscribe(&self, root: &Root) -> Result<broadcast::Receiver<Change>> {
        let mut slot = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((sender, task)) = slot.as_ref()
            && !task.is_finished()
        {
            return Ok(sender.subscribe());
        }
        let mut watcher = Watcher::new(root.clone())?;
        let (sender, receiver) = broadcast::channel(256);
        let changes = sender.clone();
        let task = tokio::spawn(async move {
            // At an error it ends; those who listen are told, and the next who asks begins anew.
            while let Ok(change) = watcher.next().await {
                // Nobody may be listening at the moment.
                let _ = changes.send(change);
            }
            let _ = changes.send(Change::Everything);
        });
        *slot = Some((sender, task));
        Ok(receiver)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Ok(slot) = self.0.get_mut()
            && let Some((_, task)) = slot
        {
            task.abort();
        }
    }
}

struct Watcher {
    root: Root,
    descriptor: AsyncFd<Source>,
    places: HashMap<WatchDescriptor, Place>,
    pending: Vec<Change>,
}

impl Watcher {
    fn new(root: Root) -> Result<Watcher> {
        make_folder(&root.0)?;
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
            .map_err(|error| failed(&root.0, error))?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe because of types that lend their descriptor; ours owns it"
        )]
        let descriptor =
            AsyncFd::with_interest(Source(inotify), Interest::READABLE).map_err(|error| {
                Error::internal(format!("cannot watch {}: {error}", root.0.display()))
            })?;
        let mut watcher = Watcher {
            root,
            descriptor,
            places: HashMap::new(),
            pending: Vec::new(),
        };
        watcher.add(Place::Root)?;
        watcher.pending.push(Change::Everything);
        Ok(watcher)
    }

    /// Watches a folder and what is in it already.
    fn add(&mut self, place: Place) -> Result<()> {
        let path = match &place {
            Place::Root => self.root.0.clone(),
            Place::Namespace(namespace) => self.root.0.join(namespace.as_str()),
            Place::Server(identity) => self.root.server(identity).0,
        };
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_ONLYDIR;
        match self.descriptor.get_ref().0.add_watch(&path, flags) {
            Ok(watch) => self.places.insert(watch, place.clone()),
            // Gone again; the folder above says so as well.
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
            Err(error) => return Err(failed(&path, error)),
        };
        match place {
            Place::Root => {
                let namespaces = self.root.namespaces()?;
                namespaces
                    .into_iter()
                    .try_for_each(|namespace| self.add(Place::Namespace(namespace)))
            }
            Place::Namespace(namespace) => {
                let servers = self.root.servers(Some(&namespace))?;
                servers
                    .into_iter()
                    .try_for_each(|identity| self.add(Place::Server(identity)))
            }
            Place::Server(_) => Ok(()),
        }
    }

    async fn next(&mut self) -> Result<Change> {
        loop {
            if let Some(change) = self.pending.pop() {
                return Ok(change);
            }
            for event in self.events().await? {
                self.take(&event)?;
            }
        }
    }

    async fn events(&self) -> Result<Vec<InotifyEvent>> {
        loop {
            let wrong = |error: &dyn std::fmt::Display| {
                Error::internal(format!("watching {}: {error}", self.root.0.display()))
            };
            let mut guard = self
                .descriptor
                .readable()
                .await
                .map_err(|error| wrong(&error))?;
            match self.descriptor.get_ref().0.read_events() {
                Ok(events) => return Ok(events),
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(error) => return Err(wrong(&error)),
            }
        }
    }

    fn take(&mut self, event: &InotifyEvent) -> Result<()> {
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            self.places.clear();
            self.add(Place::Root)?;
            self.pending.push(Change::Everything);
            return Ok(());
        }
        if event.mask.contains(AddWatchFlags::IN_IGNORED) {
            self.places.remove(&event.wd);
            return Ok(());
        }
        let Some(place) = self.places.get(&event.wd).cloned() else {
            return Ok(());
        };
        let name = event.name.as_ref().and_then(|name| name.to_str());
        match place {
            Place::Server(identity) => {
                let tells = name.is_none_or(|name| matches!(name, "spec.json" | "state.json"));
                if tells && !self.pending.contains(&Change::Server(identity.clone())) {
                    self.pending.push(Change::Server(identity));
                }
            }
            Place::Namespace(namespace) => {
                if let Some(Ok(name)) = name.map(Name::label) {
                    let identity = Identity { namespace, name };
                    self.add(Place::Server(identity.clone()))?;
                    self.pending.push(Change::Server(identity));
                }
            }
            Place::Root => {
                if let Some(Ok(namespace)) = name.map(Name::label) {
                    self.add(Place::Namespace(namespace))?;
                    self.pending.push(Change::Everything);
                }
            }
        }
        Ok(())
    }
}

fn failed(path: &Path, error: Errno) -> Error {
    let error = Error::unavailable(format!("cannot watch {}: {error}", path.display()));
    error.hint("raise fs.inotify.max_user_watches or max_user_instances with sysctl")
}
