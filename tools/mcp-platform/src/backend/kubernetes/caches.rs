//! The caches of the namespaces that are asked for, and what we wrote ourselves: a cache that has not
//! seen our own write yet is not asked for that server, the cluster is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::ListParams;
use tokio_stream::wrappers::BroadcastStream;

use crate::backend::Scope;
use crate::error::Result;
use crate::model::{Change, Identity, Name, Observed, label};

use super::answer::{ask, ask_optional};
use super::cache::{Cache, Health, Key, State};
use super::fetch;
use super::remove::of_server;
use super::store;

/// Namespaces that are watched at most; more are asked for each time.
const MOST: usize = 32;

/// How long the first reading of a namespace is waited for before the cluster is asked instead.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a server is asked for whose parts do not fit together.
const ATTEMPTS: usize = 3;

/// What the cluster had of a server right after we wrote it: versions by object.
#[derive(Debug, Clone, Default)]
struct Mark {
    workload: Option<u64>,
    store: Option<u64>,
    services: Vec<(String, u64)>,
}

/// All caches.
pub struct Caches {
    client: Client,
    suffix: String,
    caches: Mutex<HashMap<Option<Name>, Arc<Cache>>>,
    written: Mutex<HashMap<Identity, Option<Mark>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Caches {
    /// None yet; each begins when it is asked for.
    pub fn new(client: Client, suffix: String) -> Caches {
        Caches {
            client,
            suffix,
            caches: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// The servers of a scope; none when the cluster has to be asked.
    ///
    /// # Errors
    /// What the API says of a server that was written a moment ago.
    pub async fn list(&self, scope: &Scope) -> Result<Option<Vec<Arc<Observed>>>> {
        let Some(cache) = self.cache(scope.namespace.as_ref()).await else {
            return Ok(None);
        };
        let Some(mut all) = cache.list(scope) else {
            return Ok(None);
        };
        let torn = all
            .iter()
            .filter(|one| !whole(one))
            .map(|one| one.identity.clone());
        let doubtful: BTreeSet<Identity> = torn.chain(self.behind(&cache)).collect();
        for identity in doubtful {
            if scope
                .namespace
                .as_ref()
                .is_some_and(|wanted| *wanted != identity.namespace)
            {
                continue;
            }
            let present = self.read(&cache, &identity).await?.filter(|one| {
                let wanted = scope.template.as_ref();
                wanted.is_none_or(|wanted| one.labels.get(label::NAME) == Some(wanted))
            });
            all.retain(|one| one.identity != identity);
            all.extend(present.map(Arc::new));
            all.sort_by(|a, b| a.identity.cmp(&b.identity));
        }
        Ok(Some(all))
    }

    /// One server; none when the cluster has to be asked.
    ///
    /// # Errors
    /// What the API says of a server that was written a moment ago.
    pub async fn observe(&self, identity: &Identity) -> Result<Option<Option<Observed>>> {
        let Some(cache) = self.cache(Some(&identity.namespace)).await else {
            return Ok(None);
        };
        let Some(observed) = cache.observe(identity) else {
            return Ok(None);
        };
        if self.behind(&cache).contains(identity) || !observed.as_ref().is_none_or(whole) {
            return Ok(Some(self.read(&cache, identity).await?));
        }
        Ok(Some(observed))
    }

    /// The changes of a scope; none when the cluster has to be watched for it.
    pub async fn changes(&self, scope: &Scope) -> Option<BoxStream<'static, Result<Change>>> {
        let cache = self.cache(scope.namespace.as_ref()).await?;
        if *cache.health().borrow() != Health::Usable {
            return None;
        }
        let namespace = scope.namespace.clone();
        let changes = BroadcastStream::new(cache.changes()).filter_map(move |change| {
            let fits = |identity: &Identity| {
                namespace
                    .as_ref()
                    .is_none_or(|wanted| *wanted == identity.namespace)
            };
            let change = match change {
                Ok(Change::Server(identity)) => fits(&identity).then_some(Change::Server(identity)),
                Ok(Change::Everything) | Err(_) => Some(Change::Everything),
            };
            std::future::ready(change.map(Ok))
        });
        let first = stream::once(std::future::ready(Ok(Change::Everything)));
        // Holds the cache as long as somebody listens.
        let held = stream::pending().map(move |()| {
            let _ = &cache;
            Ok(Change::Everything)
        });
        Some(first.chain(stream::select(changes, held)).boxed())
    }

    /// Remembers what the cluster has of a server now that we wrote it.
    pub async fn wrote(&self, identity: &Identity) {
        // Until it is known what there is, the cache is not asked for this server.
        lock(&self.written).insert(identity.clone(), None);
        if let Ok(mark) = self.mark(identity).await {
            lock(&self.written).insert(identity.clone(), Some(mark));
        }
    }

    async fn mark(&self, identity: &Identity) -> Result<Mark> {
        let namespace = Some(identity.namespace.as_str());
        let secrets = fetch::api::<Secret>(&self.client, namespace);
        let services = fetch::api::<Service>(&self.client, namespace);
        let of_server = ListParams::default().labels(&of_server(identity));
        let store = store::name(identity);
        let (workload, store, services) = tokio::try_join!(
            fetch::workload(&self.client, identity),
            ask_optional("get the store of the server", secrets.get_metadata(&store)),
            ask("list services", services.list_metadata(&of_server)),
        )?;
        let versions = services.items.iter().filter_map(|service| {
            Some((service.metadata.name.clone()?, version(&service.metadata)?))
        });
        Ok(Mark {
            workload: workload.and_then(|workload| version(workload.metadata())),
            store: store.and_then(|store| version(&store.metadata)),
            services: versions.collect(),
        })
    }

    /// The servers of which a cache has not seen yet what we wrote.
    fn behind(&self, cache: &Cache) -> Vec<Identity> {
        let mut written = lock(&self.written);
        if written.is_empty() {
            return Vec::new();
        }
        cache.look(|state| {
            written.retain(|identity, mark| {
                mark.as_ref()
                    .is_none_or(|mark| !caught_up(state, identity, mark))
            });
        });
        written.keys().cloned().collect()
    }

    /// Asks the cluster for one server; when the cache says the same, it has caught up.
    async fn read(&self, cache: &Cache, identity: &Identity) -> Result<Option<Observed>> {
        let present = read(&self.client, identity, &self.suffix).await?;
        let alike = |one: &Observed| (one.token.clone(), one.draining, one.revision.clone());
        if cache
            .observe(identity)
            .is_some_and(|kept| kept.as_ref().map(alike) == present.as_ref().map(alike))
        {
            lock(&self.written).remove(identity);
        }
        Ok(present)
    }

    /// The cache for a namespace, once it has read everything.
    async fn cache(&self, namespace: Option<&Name>) -> Option<Arc<Cache>> {
        let cache = {
            let mut caches = lock(&self.caches);
            let known = caches
                .get(&None)
                .filter(|all| *all.health().borrow() == Health::Usable)
                .or_else(|| caches.get(&namespace.cloned()));
            match known {
                Some(cache) => Arc::clone(cache),
                None if caches.len() >= MOST => return None,
                None => {
                    let name = namespace.map(Name::as_str);
                    let cache = Arc::new(Cache::start(&self.client, name, &self.suffix));
                    caches.insert(namespace.cloned(), Arc::clone(&cache));
                    cache
                }
            }
        };
        let mut health = cache.health();
        let known = tokio::time::timeout(PATIENCE, health.wait_for(|now| *now != Health::Reading));
        let usable = matches!(known.await, Ok(Ok(now)) if *now == Health::Usable);
        usable.then_some(cache)
    }
}

fn version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}

fn caught_up(state: &State, identity: &Identity, mark: &Mark) -> bool {
    let key = |name: &str| -> Key { (identity.namespace.to_string(), name.to_owned()) };
    let workload = key(identity.name.as_str());
    let kept = state
        .deployments
        .get(&workload)
        .map(|one| &one.metadata)
        .or_else(|| state.sets.get(&workload).map(|one| &one.metadata));
    let store = state
        .stores
        .get(&key(&store::name(identity)))
        .map(|one| &one.metadata);
    let services = mark.services.iter().all(|(name, wanted)| {
        let kept = state.services.get(&key(name)).map(|one| &one.metadata);
        reached(kept, Some(*wanted))
    });
    reached(kept, mark.workload) && reached(store, mark.store) && services
}

/// Whether what is kept is as new as what was there; versions of one cluster grow.
fn reached(kept: Option<&ObjectMeta>, wanted: Option<u64>) -> bool {
    match (kept.and_then(version), wanted) {
        (Some(kept), Some(wanted)) => kept >= wanted,
        // Gone since, or about to come: its own watch says so.
        (None, Some(_)) => false,
        (Some(_), None) => false,
        (None, None) => true,
    }
}

/// Asks the cluster for one server. Its parts are asked for at the same time; when they do not fit
/// together, because somebody writes it, once more.
///
/// # Errors
/// What the API says.
pub async fn read(client: &Client, identity: &Identity, suffix: &str) -> Result<Option<Observed>> {
    let mut attempt = 1;
    loop {
        let snapshot = fetch::server(client, identity).await?;
        let mut servers = snapshot.servers(suffix).into_iter();
        let found = servers.find(|one| one.identity == *identity);
        if attempt == ATTEMPTS || found.as_ref().is_none_or(whole) {
            return Ok(found);
        }
        attempt += 1;
    }
}

/// Whether the secrets that a specification speaks of are there with it.
fn whole(observed: &Observed) -> bool {
    observed
        .spec
        .as_ref()
        .is_none_or(|spec| spec.secrets_id.is_empty() || spec.secrets.id == spec.secrets_id)
}
