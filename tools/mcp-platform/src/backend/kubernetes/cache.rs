//! What the watches of a cluster have brought so far, for platforms that run for long: listing many
//! servers then asks the cluster nothing. What somebody wrote elsewhere comes within the delay of a
//! watch; how our own writes are never missed is said in [`super::caches`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::Client;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::backend::Scope;
use crate::model::{Change, Identity, Name, Observed, label};

use super::endpoints::Ways;
use super::fetch;
use super::kept::Kept;
use super::observe::{Place, Snapshot};
use super::store;
use super::workload::Workload;

/// Namespace and name.
pub type Key = (String, String);

/// How many kinds are watched.
const KINDS: usize = 8;

/// Changes that wait for a slow listener; one that is slower looks at everything again.
const WAITING: usize = 1024;

/// Whether a cache can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It has not read everything yet.
    Reading,
    /// It says what the cluster says.
    Usable,
    /// A watch was refused or broke off.
    Lost,
}

/// The objects of each kind.
#[derive(Default)]
pub struct State {
    /// Deployments.
    pub deployments: HashMap<Key, Arc<Deployment>>,
    /// StatefulSets.
    pub sets: HashMap<Key, Arc<StatefulSet>>,
    /// Pods.
    pub pods: HashMap<Key, Arc<Pod>>,
    /// Services.
    pub services: HashMap<Key, Arc<Service>>,
    /// Ingresses.
    pub ingresses: HashMap<Key, Arc<Ingress>>,
    /// Autoscalers.
    pub autoscalers: HashMap<Key, Arc<HorizontalPodAutoscaler>>,
    /// Stores.
    pub stores: HashMap<Key, Arc<Secret>>,
    /// Warnings.
    pub warnings: HashMap<Key, Arc<Event>>,
    /// The tokens of workloads: what they are made from is not kept.
    pub tokens: HashMap<Place, String>,
    /// The pods of each workload.
    pub pods_of: HashMap<Place, BTreeSet<Key>>,
    /// The pods of the companions of each server.
    pub companions_of: HashMap<Key, BTreeSet<Key>>,
    /// The warnings about each object.
    pub warnings_of: HashMap<(String, String, String), BTreeSet<Key>>,
    ways: Option<Ways>,
    servers: BTreeMap<Identity, Arc<Observed>>,
    changed: HashSet<Identity>,
    everything: bool,
    complete: [bool; KINDS],
    lost: [bool; KINDS],
}

impl State {
    /// Something of this server changed.
    pub fn touch(&mut self, namespace: &str, name: &str) -> Option<Change> {
        let identity = Identity {
            namespace: Name::label(namespace).ok()?,
            name: Name::label(name).ok()?,
        };
        self.changed.insert(identity.clone());
        Some(Change::Server(identity))
    }

    /// The Services or Ingresses changed; of which servers, only their selectors say.
    pub fn touch_ways(&mut self) {
        self.ways = None;
    }

    /// Something changed that may be of any server.
    pub fn touch_everything(&mut self) -> Option<Change> {
        self.everything = true;
        Some(Change::Everything)
    }

    fn health(&self) -> Health {
        if self.lost.iter().any(|lost| *lost) {
            Health::Lost
        } else if self.complete.iter().all(|done| *done) {
            Health::Usable
        } else {
            Health::Reading
        }
    }

    /// Computes again what changed.
    fn settle(&mut self, suffix: &str) {
        if self.ways.is_none() {
            self.ways = Some(Ways::new(
                self.services.values().cloned(),
                self.ingresses.values().cloned(),
            ));
        }
        let ways = self.ways.take().unwrap_or_default();
        if std::mem::take(&mut self.everything) {
            self.changed.clear();
            let all = Snapshot {
                workloads: self.workloads().collect(),
                pods: self.pods.values().cloned().collect(),
                autoscalers: self.autoscalers.values().cloned().collect(),
                stores: self.stores.values().cloned().collect(),
                warnings: self.warnings.values().cloned().collect(),
                tokens: self.tokens.clone(),
                ..Snapshot::default()
            };
            let servers = all.servers_by(&ways, suffix);
            self.servers = servers
                .into_iter()
                .map(|one| (one.identity.clone(), Arc::new(one)))
                .collect();
        }
        for identity in std::mem::take(&mut self.changed) {
            let found = self
                .snapshot(&identity)
                .servers_by(&ways, suffix)
                .into_iter()
                .find(|one| one.identity == identity);
            match found {
                Some(observed) => {
                    self.servers.insert(identity.clone(), Arc::new(observed));
                }
                None => {
                    self.servers.remove(&identity);
                }
            }
        }
        self.ways = Some(ways);
    }

    fn workloads(&self) -> impl Iterator<Item = Workload> + '_ {
        let deployments = self.deployments.values().cloned().map(Workload::Deployment);
        deployments.chain(self.sets.values().cloned().map(Workload::StatefulSet))
    }

    /// What the cache knows of one server.
    fn snapshot(&self, identity: &Identity) -> Snapshot {
        let key = key_of(identity);
        let workloads: Vec<Workload> = self
            .deployments
            .get(&key)
            .cloned()
            .map(Workload::Deployment)
            .into_iter()
            .chain(self.sets.get(&key).cloned().map(Workload::StatefulSet))
            .collect();
        let mut pods: Vec<Arc<Pod>> = Vec::new();
        for workload in &workloads {
            let place = (workload.kind(), key.0.clone(), key.1.clone());
            let names = self.pods_of.get(&place).into_iter().flatten();
            pods.extend(names.filter_map(|name| self.pods.get(name).cloned()));
        }
        let companions = self.companions_of.get(&key).into_iter().flatten();
        pods.extend(companions.filter_map(|name| self.pods.get(name).cloned()));
        if workloads.is_empty() {
            let ours = |pod: &&Arc<Pod>| pod.metadata.namespace.as_ref() == Some(&key.0);
            pods.extend(self.pods.values().filter(ours).cloned());
        }
        let about = pods
            .iter()
            .map(|pod| ("Pod", pod.metadata.name.as_deref().unwrap_or_default()));
        let about = about.chain([("StatefulSet", key.1.as_str())]);
        let warnings = about
            .filter_map(|(kind, name)| {
                self.warnings_of
                    .get(&(kind.to_owned(), key.0.clone(), name.to_owned()))
            })
            .flatten()
            .filter_map(|name| self.warnings.get(name).cloned())
            .collect();
        let targets = |one: &&Arc<HorizontalPodAutoscaler>| {
            one.metadata.namespace.as_ref() == Some(&key.0)
                && one.spec.scale_target_ref.name == key.1
        };
        let places = workloads
            .iter()
            .map(|workload| (workload.kind(), key.0.clone(), key.1.clone()));
        let tokens = places
            .filter_map(|place| Some((place.clone(), self.tokens.get(&place)?.clone())))
            .collect();
        Snapshot {
            tokens,
            workloads,
            autoscalers: self.autoscalers.values().filter(targets).cloned().collect(),
            stores: self
                .stores
                .get(&(key.0.clone(), store::name(identity)))
                .cloned()
                .into_iter()
                .collect(),
            pods,
            warnings,
            ..Snapshot::default()
        }
    }
}

fn key_of(identity: &Identity) -> Key {
    (identity.namespace.to_string(), identity.name.to_string())
}

/// The watches of one namespace or of all, and what they have brought.
pub struct Cache {
    shared: Arc<Shared>,
    health: watch::Receiver<Health>,
    // Ends with the cache.
    _watches: JoinSet<()>,
}

struct Shared {
    state: Mutex<State>,
    suffix: String,
    changes: broadcast::Sender<Change>,
    health: watch::Sender<Health>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves maps that the next event mends.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, change: Option<Change>) {
        if let Some(change) = change {
            // Nobody may be listening.
            let _ = self.changes.send(change);
        }
    }

    fn judge(&self, state: &State) {
        let health = state.health();
        self.health
            .send_if_modified(|known| std::mem::replace(known, health) != health);
    }
}

impl Cache {
    /// Begins to watch.
    pub fn start(client: &Client, namespace: Option<&str>, suffix: &str) -> Cache {
        let (sender, receiver) = watch::channel(Health::Reading);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            suffix: suffix.to_owned(),
            changes: broadcast::channel(WAITING).0,
            health: sender,
        });
        let mut watches = JoinSet::new();
        let servers = format!("{}={}", label::COMPONENT, label::COMPONENT_VALUE);
        let labelled = |labels: &str| watcher::Config::default().labels(labels);
        let all = watcher::Config::default;
        watches.spawn(feed::<Deployment>(
            fetch::api(client, namespace),
            labelled(&servers),
            Arc::clone(&shared),
        ));
        watches.spawn(feed::<StatefulSet>(
            fetch::api(client, namespace),
            labelled(&servers),
            Arc::clone(&shared),
        ));
        watches.spawn(feed::<Pod>(
            fetch::api(client, namespace),
            all(),
            Arc::clone(&shared),
        ));
        watches.spawn(feed::<Service>(
            fetch::api(client, namespace),
            all(),
            Arc::clone(&shared),
        ));
        watches.spawn(feed::<Ingress>(
            fetch::api(client, namespace),
            all(),
            Arc::clone(&shared),
        ));
        watches.spawn(feed::<HorizontalPodAutoscaler>(
            fetch::api(client, namespace),
            all(),
            Arc::clone(&shared),
        ));
        watches.spawn(feed::<Secret>(
            fetch::api(client, namespace),
            labelled(&store::selector()),
            Arc::clone(&shared),
        ));
        let warnings = all().fields("type=Warning");
        watches.spawn(feed::<Event>(
            fetch::api(client, namespace),
            warnings,
            Arc::clone(&shared),
        ));
        Cache {
            shared,
            health: receiver,
            _watches: watches,
        }
    }

    /// Whether it can be trusted, from now on.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// The servers of a scope; none while the cache cannot be trusted.
    pub fn list(&self, scope: &Scope) -> Option<Vec<Arc<Observed>>> {
        let mut state = self.shared.lock();
        if state.health() != Health::Usable {
            return None;
        }
        state.settle(&self.shared.suffix);
        let fits = |one: &&Arc<Observed>| {
            scope
                .namespace
                .as_ref()
                .is_none_or(|wanted| one.identity.namespace == *wanted)
                && scope
                    .template
                    .as_ref()
                    .is_none_or(|wanted| one.labels.get(label::NAME) == Some(wanted))
        };
        Some(state.servers.values().filter(fits).cloned().collect())
    }

    /// One server; none while the cache cannot be trusted.
    pub fn observe(&self, identity: &Identity) -> Option<Option<Observed>> {
        let mut state = self.shared.lock();
        if state.health() != Health::Usable {
            return None;
        }
        state.settle(&self.shared.suffix);
        Some(state.servers.get(identity).map(|one| one.as_ref().clone()))
    }

    /// Every change from now on.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// Looks into what is kept.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.shared.lock())
    }
}

/// Takes in what a watch brings, without end.
async fn feed<K: Kept>(api: kube::Api<K>, config: watcher::Config, shared: Arc<Shared>) {
    let mut events = watcher(api, config).default_backoff().boxed();
    let mut seen: HashSet<Key> = HashSet::new();
    while let Some(event) = events.next().await {
        let mut state = shared.lock();
        let change = match event {
            Ok(watcher::Event::Init) => {
                seen.clear();
                None
            }
            Ok(watcher::Event::InitApply(object)) => {
                seen.extend(put(&mut state, object).0);
                None
            }
            Ok(watcher::Event::InitDone) => {
                let gone: Vec<Key> = K::map(&mut state)
                    .keys()
                    .filter(|key| !seen.contains(*key))
                    .cloned()
                    .collect();
                for key in gone {
                    take::<K>(&mut state, &key);
                }
                seen = HashSet::new();
                state.complete[K::INDEX] = true;
                state.lost[K::INDEX] = false;
                state.touch_everything()
            }
            Ok(watcher::Event::Apply(object)) => {
                state.lost[K::INDEX] = false;
                put(&mut state, object).1
            }
            Ok(watcher::Event::Delete(object)) => {
                state.lost[K::INDEX] = false;
                let key = key(object.meta());
                key.and_then(|key| take::<K>(&mut state, &key))
            }
            Err(error) => {
                // A watch that only has to begin again reads everything again, and says so then.
                state.lost[K::INDEX] = true;
                if missing(&error) {
                    state.complete[K::INDEX] = true;
                    state.lost[K::INDEX] = false;
                }
                None
            }
        };
        shared.judge(&state);
        drop(state);
        shared.say(change);
    }
}

/// Whether the cluster does not serve the kind at all.
fn missing(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 404
    )
}

fn key(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) -> Option<Key> {
    Some((metadata.namespace.clone()?, metadata.name.clone()?))
}

fn put<K: Kept>(state: &mut State, mut object: K) -> (Option<Key>, Option<Change>) {
    let Some(key) = key(object.meta()) else {
        return (None, None);
    };
    object.before(state);
    object.trim();
    object.meta_mut().managed_fields = None;
    let object = Arc::new(object);
    K::map(state).insert(key.clone(), Arc::clone(&object));
    let change = object.touch(state);
    (Some(key), change)
}

fn take<K: Kept>(state: &mut State, key: &Key) -> Option<Change> {
    let object = K::map(state).remove(key)?;
    object.after(state);
    object.touch(state)
}
