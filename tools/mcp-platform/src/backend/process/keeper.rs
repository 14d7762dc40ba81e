//! What the supervisor and its instances share: where they are, and what is known at the moment.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::Phase;

use super::folder::{Folder, Root};
use super::front::Front;
use super::journal::{self, Weight};
use super::state::{Answer, InstanceState};

/// Shared by everything in one supervisor.
pub struct Keeper {
    /// The folder with all servers.
    pub root: Root,
    /// That of this one.
    pub folder: Folder,
    /// The server's name.
    pub name: String,
    /// Our own program.
    pub program: PathBuf,
    /// What processes get from our environment.
    pub environment: BTreeMap<String, String>,
    /// Where clients come in.
    pub front: Front,
    /// Rung when anything changed.
    pub touched: Notify,
    known: Mutex<(Answer, bool)>,
    cordoned: Mutex<Option<Instant>>,
}

impl Keeper {
    /// Begins with nothing known.
    pub fn new(
        folder: Folder,
        root: Root,
        name: String,
        program: PathBuf,
        environment: BTreeMap<String, String>,
    ) -> Arc<Keeper> {
        Arc::new(Keeper {
            root,
            folder,
            name,
            program,
            environment,
            front: Front::default(),
            touched: Notify::new(),
            known: Mutex::default(),
            cordoned: Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, (Answer, bool)> {
        // Nothing panics while it is held; and if it did, what is known would still be whole.
        self.known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What is known now.
    pub fn answer(&self) -> Answer {
        let mut answer = self.known().0.clone();
        answer.sessions = self.front.sessions(None);
        answer
    }

    /// Changes what is known, and with it where new sessions go.
    pub fn change(&self, change: impl FnOnce(&mut Answer)) {
        let mut known = self.known();
        let before = known.0.clone();
        change(&mut known.0);
        if known.0 != before {
            self.publish(&known);
            drop(known);
            self.touched.notify_one();
        }
    }

    /// Keeps new sessions away, or lets them in.
    pub fn cordon(&self, cordoned: bool) {
        let mut known = self.known();
        known.1 = cordoned;
        self.publish(&known);
        if let Ok(mut since) = self.cordoned.lock() {
            *since = cordoned.then(|| since.unwrap_or_else(Instant::now));
        }
    }

    /// Since when new sessions are kept away; now, when they are not.
    pub fn cordoned_since(&self) -> Instant {
        let since = self.cordoned.lock().ok().and_then(|since| *since);
        since.unwrap_or_else(Instant::now)
    }

    fn publish(&self, known: &(Answer, bool)) {
        let with_port = |instance: &InstanceState| Some((instance.name.clone(), instance.port?));
        let instances = known.0.instances.values();
        let ports: HashMap<String, u16> = instances.clone().filter_map(with_port).collect();
        let mut ready: Vec<&InstanceState> = instances
            .filter(|instance| instance.ready && instance.phase != Phase::Ending)
            .collect();
        ready.sort_by_key(|instance| instance.serial);
        let ready = ready.into_iter().filter_map(with_port).collect();
        self.front.set(ports, ready, known.1);
    }

    /// Changes what is known of one instance.
    pub fn instance(&self, name: &str, change: impl FnOnce(&mut InstanceState)) {
        self.change(|answer| {
            if let Some(instance) = answer.instances.get_mut(name) {
                change(instance);
            }
        });
    }

    /// Records what happened as it should.
    pub fn note(&self, about: &str, reason: &str, message: &str) {
        journal::event(&self.folder, about, reason, message, Weight::Normal);
    }

    /// Records what went wrong.
    pub fn warn(&self, about: &str, reason: &str, message: &str) {
        journal::event(&self.folder, about, reason, message, Weight::Warning);
    }
}
