//! Says when something may have changed, by what the system reports of files: every change of what
//! is wanted, and every change that a supervisor sees, is a file that is replaced.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;

use futures::stream::{self, BoxStream, StreamExt as _};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

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

struct Watcher {
    root: Root,
    scope: Scope,
    descriptor: AsyncFd<Source>,
    places: HashMap<WatchDescriptor, Place>,
    pending: Vec<Change>,
}

/// The changes of a scope, without end.
pub fn changes(root: &Root, scope: &Scope) -> BoxStream<'static, Result<Change>> {
    match Watcher::new(root.clone(), scope.clone()) {
        Ok(watcher) => stream::unfold(watcher, |mut watcher| async {
            let change = watcher.next().await;
            Some((change, watcher))
        })
        .boxed(),
        Err(error) => stream::once(async { Err(error) }).boxed(),
    }
}

impl Watcher {
    fn new(root: Root, scope: Scope) -> Result<Watcher> {
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
            scope,
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
                let namespaces = match &self.scope.namespace {
                    Some(namespace) => vec![namespace.clone()],
                    None => {
                        let mut all: Vec<Name> = self
                            .root
                            .servers(None)?
                            .into_iter()
                            .map(|identity| identity.namespace)
                            .collect();
                        all.dedup();
                        all
                    }
                };
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
                let fits = |name: &Name| {
                    self.scope
                        .namespace
                        .as_ref()
                        .is_none_or(|wanted| wanted == name)
                };
                if let Some(namespace) = name.and_then(|name| Name::label(name).ok()).filter(fits) {
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
