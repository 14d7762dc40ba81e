//! One server of the mock, and what happens to it by itself: a change is taken up, instances come
//! and go one at a time as a cluster's controllers let them. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Cause, Event, Fault, Identity, LogLine, Observed, Secrets, Spec, Statefulness};

use super::clock::later;
use super::fault::{Faults, MockFault};
use super::instance::{Instance, Said};
use super::observe::observed;

/// How long a change waits until it is taken up.
const TAKE_UP: Duration = Duration::from_millis(20);
/// Between two tries to create instances against a quota.
const LOOK: Duration = Duration::from_secs(5);
/// How many events, and lines of logs, are kept of a server.
const KEPT: usize = 500;

/// A server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Server {
    pub identity: Identity,
    /// None for a foreign one.
    pub spec: Option<Box<Spec>>,
    pub secrets: BTreeMap<String, String>,
    pub previous: Option<Box<Spec>>,
    pub previous_secrets: BTreeMap<String, String>,
    pub generation: u64,
    pub observed_generation: u64,
    pub desired: u32,
    pub remembered: Option<u32>,
    pub replaced: u32,
    pub draining: bool,
    pub deleting: bool,
    pub created: Timestamp,
    pub changed: Timestamp,
    /// Made anew with every server, so that no token outlives it.
    pub incarnation: u64,
    /// Counts changes of what is wanted, for compare-and-swap.
    pub changes: u64,
    /// What the controllers work on.
    pub taken: Wanted,
    pub take_up: Option<Timestamp>,
    pub again: Option<Timestamp>,
    pub faults: Vec<Fault>,
    pub instances: Vec<Instance>,
    /// Its companions, by their names.
    #[serde(default)]
    pub companions: Vec<Instance>,
    pub numbered: u64,
    pub events: Vec<Event>,
    pub lines: Vec<Line>,
    pub lines_written: u64,
    #[serde(skip)]
    pub dirty: bool,
    /// The answer, as long as nothing changes.
    #[serde(skip)]
    pub seen: Option<Arc<Observed>>,
}

/// What the controllers work on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub desired: u32,
    pub template: String,
}

/// A line with the count of restarts at which it was written, and its place in the whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub number: u64,
    pub run: u32,
    pub line: LogLine,
}

impl Server {
    /// One that is not there yet.
    pub fn new(identity: &Identity, incarnation: u64, now: Timestamp) -> Server {
        Server {
            identity: identity.clone(),
            spec: None,
            secrets: BTreeMap::new(),
            previous: None,
            previous_secrets: BTreeMap::new(),
            generation: 0,
            observed_generation: 0,
            desired: 0,
            remembered: None,
            replaced: 0,
            draining: false,
            deleting: false,
            created: now,
            changed: now,
            incarnation,
            changes: 0,
            taken: Wanted::default(),
            take_up: None,
            again: None,
            faults: Vec::new(),
            instances: Vec::new(),
            companions: Vec::new(),
            numbered: 0,
            events: Vec::new(),
            lines: Vec::new(),
            lines_written: 0,
            dirty: true,
            seen: None,
        }
    }

    /// What the back end answers for it, the same answer until something changes.
    pub fn seen(&mut self) -> Arc<Observed> {
        if self.dirty {
            return Arc::new(observed(self));
        }
        if let Some(seen) = &self.seen {
            return Arc::clone(seen);
        }
        let seen = Arc::new(observed(self));
        self.seen = Some(Arc::clone(&seen));
        seen
    }

    /// The specification with its secrets.
    pub fn whole_spec(&self) -> Option<Box<Spec>> {
        whole(self.spec.as_deref(), &self.secrets)
    }

    /// The one before it with its secrets.
    pub fn whole_previous(&self) -> Option<Box<Spec>> {
        whole(self.previous.as_deref(), &self.previous_secrets)
    }

    pub fn revision(&self) -> String {
        self.spec
            .as_ref()
            .map_or_else(|| "foreign".to_owned(), |spec| spec.revision())
    }

    fn template(&self) -> String {
        format!("{}.{}", self.revision(), self.replaced)
    }

    pub fn token(&self) -> String {
        format!("{}.{}", self.incarnation, self.changes)
    }

    /// What is wanted changed: it has to be taken up.
    pub fn wants(&mut self, now: Timestamp) {
        self.generation += 1;
        self.take_up = Some(later(now, TAKE_UP));
        self.recorded(now);
    }

    /// Something was written that the controllers do not look at.
    pub fn recorded(&mut self, now: Timestamp) {
        self.changes += 1;
        self.changed = now;
        self.dirty = true;
    }

    /// When something happens next by itself.
    pub fn due(&self) -> Option<Timestamp> {
        let all = self.instances.iter().chain(&self.companions);
        let instances = all.filter_map(|instance| instance.due);
        instances.chain(self.take_up).chain(self.again).min()
    }

    /// Whether it is gone altogether.
    pub fn gone(&self) -> bool {
        self.deleting && self.instances.is_empty() && self.companions.is_empty()
    }

    /// Lets happen what is due until `now`.
    pub fn advance(&mut self, now: Timestamp, faults: &Faults) {
        while let Some(due) = self.due().filter(|due| *due <= now) {
            let hits = faults.of(&self.identity, self.spec.as_deref());
            self.step(due, &hits);
        }
    }

    fn step(&mut self, now: Timestamp, faults: &[MockFault]) {
        self.dirty = true;
        if self.take_up.is_some_and(|at| at <= now) {
            self.take_up = None;
            self.observed_generation = self.generation;
            self.taken = Wanted {
                desired: self.desired,
                template: self.template(),
            };
        }
        self.again = self.again.filter(|at| *at > now);
        let port = self.spec.as_ref().map_or(8080, |spec| spec.port);
        for index in 0..self.instances.len() {
            let instance = &mut self.instances[index];
            if instance.due.is_some_and(|due| due <= now) {
                let said = instance.step(now, faults, port);
                self.say(index, said, now);
            }
        }
        self.instances
            .retain(|instance| instance.stage != super::instance::Stage::Gone);
        super::companion::step(self, now, faults);
        self.control(now, faults);
    }

    /// What a controller does: at most one instance more than wanted, never one ready instance
    /// less; a singleton's old instance is gone before the new one is made.
    fn control(&mut self, now: Timestamp, faults: &[MockFault]) {
        let wanted = self.taken.desired as usize;
        let template = self.taken.template.clone();
        let singleton = self
            .spec
            .as_ref()
            .is_some_and(|spec| spec.statefulness == Statefulness::Singleton);
        let grace = self.spec.as_ref().map_or(30, |spec| spec.grace_seconds);
        let here = |server: &Server, new: bool| {
            let all = server.instances.iter().enumerate();
            all.filter(|(_, instance)| instance.here() && (instance.template == template) == new)
                .map(|(index, instance)| (index, instance.ready()))
                .collect::<Vec<(usize, bool)>>()
        };
        let mut new = here(self, true);
        let mut old = here(self, false);
        // Those that are not ready go first, then the youngest.
        new.sort_by_key(|(index, ready)| (!ready, *index));
        old.sort_by_key(|(index, ready)| (!ready, *index));
        let mut ending: Vec<usize> = Vec::new();
        while new.len() > wanted {
            ending.extend(new.pop().map(|(index, _)| index));
        }
        if wanted == 0 || singleton {
            ending.extend(old.drain(..).map(|(index, _)| index));
        }
        let ready_new = new.iter().filter(|(_, ready)| *ready).count();
        while let Some((index, ready)) = old.last().copied() {
            let ready_old = old.iter().filter(|(_, ready)| *ready).count();
            if ready && ready_new + ready_old <= wanted {
                break;
            }
            ending.push(index);
            old.pop();
        }
        for index in ending {
            let said = self.instances[index].end(now, faults, grace);
            self.say(index, said, now);
        }
        let surge = if old.is_empty() { 0 } else { 1 };
        let leaving = self.instances.iter().any(|instance| !instance.here());
        let mut total = new.len() + old.len();
        let mut made = new.len();
        let may = !(singleton && leaving);
        self.faults.clear();
        while may && made < wanted && total < wanted + surge {
            if faults.contains(&MockFault::Quota) {
                self.refuse(now);
                return;
            }
            self.create(&template, now);
            made += 1;
            total += 1;
        }
    }

    fn refuse(&mut self, now: Timestamp) {
        self.again = Some(later(now, LOOK));
        let message = "the quota of the namespace allows no more instances";
        let known = self.events.iter().any(|event| event.message == message);
        if !known {
            self.event(
                now,
                self.identity.name.to_string(),
                "FailedCreate",
                message,
                true,
            );
        }
        self.faults.push(Fault {
            cause: Cause::Quota,
            message: message.to_owned(),
            since: Some(now),
        });
    }

    fn create(&mut self, template: &str, now: Timestamp) {
        self.numbered += 1;
        let name = format!("{}-{}", self.identity.name, self.numbered);
        let message = format!("created {name}");
        self.event(
            now,
            self.identity.name.to_string(),
            "SuccessfulCreate",
            &message,
            false,
        );
        let revision = template.split('.').next().unwrap_or_default().to_owned();
        let instance = Instance::new(name, revision, template.to_owned(), now);
        self.instances.push(instance);
    }

    fn say(&mut self, index: usize, said: Option<Said>, now: Timestamp) {
        let Some(said) = said else {
            return;
        };
        let instance = &self.instances[index];
        let (name, run) = (instance.name.clone(), instance.restarts);
        self.event(now, name.clone(), said.reason, &said.message, said.warning);
        if let Some(text) = said.log {
            self.lines_written += 1;
            self.lines.push(Line {
                number: self.lines_written,
                run,
                line: LogLine {
                    instance: name,
                    at: Some(now),
                    text,
                },
            });
            let surplus = self.lines.len().saturating_sub(KEPT);
            self.lines.drain(..surplus);
        }
    }

    /// Records something that happened.
    pub fn event(
        &mut self,
        now: Timestamp,
        about: String,
        reason: &str,
        message: &str,
        warning: bool,
    ) {
        self.events.push(Event {
            at: Some(now),
            about,
            reason: reason.to_owned(),
            message: message.to_owned(),
            warning,
        });
        let surplus = self.events.len().saturating_sub(KEPT);
        self.events.drain(..surplus);
    }

    /// Lets every instance look again, for the faults changed.
    pub fn stir(&mut self, now: Timestamp) {
        let all = self.instances.iter_mut().chain(&mut self.companions);
        for instance in all.filter(|one| one.here()) {
            instance.due = Some(now);
        }
        self.again = Some(now);
    }
}

fn whole(spec: Option<&Spec>, secrets: &BTreeMap<String, String>) -> Option<Box<Spec>> {
    let mut spec = Box::new(spec?.clone());
    spec.secrets = Secrets::from_store(secrets.clone());
    Some(spec)
}
