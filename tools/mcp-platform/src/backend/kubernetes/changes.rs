//! Says when something may have changed, by watches of the cluster: no polling, and after a lost
//! connection or a forgotten version (410 Gone) from the beginning again.

use futures::stream::{self, BoxStream, SelectAll};
use futures::{Stream, StreamExt as _};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher;

use crate::backend::Scope;
use crate::error::{Error, Result};
use crate::model::{Change, Identity, Name, label};

use super::answer::{explain, refused};
use super::fetch::{self, Namespaced};
use super::store;
use super::workload::owner;

/// Which kinds are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Workload,
    Pod,
    Service,
    Store,
}

/// How many watches there are.
const WATCHES: usize = 5;

enum Seen {
    /// A watch has read everything there is.
    Complete(usize),
    /// One object changed.
    Object(Option<Change>),
}

/// The changes of a scope, without end.
pub fn changes(client: &Client, scope: &Scope) -> BoxStream<'static, Result<Change>> {
    let namespace = scope.namespace.as_ref().map(Name::as_str);
    let servers = format!("{}={}", label::COMPONENT, label::COMPONENT_VALUE);
    let mut all: SelectAll<BoxStream<'static, Result<Seen>>> = SelectAll::new();
    all.push(watch::<Deployment>(
        client,
        namespace,
        Some(&servers),
        0,
        Watched::Workload,
    ));
    all.push(watch::<StatefulSet>(
        client,
        namespace,
        Some(&servers),
        1,
        Watched::Workload,
    ));
    all.push(watch::<Pod>(client, namespace, None, 2, Watched::Pod));
    all.push(watch::<Service>(
        client,
        namespace,
        None,
        3,
        Watched::Service,
    ));
    all.push(watch::<Secret>(
        client,
        namespace,
        Some(&store::selector()),
        4,
        Watched::Store,
    ));
    all.scan([false; WATCHES], |complete, seen| {
        let said = match seen {
            Err(error) => Some(Err(error)),
            Ok(Seen::Complete(index)) => {
                complete[index] = true;
                complete
                    .iter()
                    .all(|done| *done)
                    .then_some(Ok(Change::Everything))
            }
            Ok(Seen::Object(change)) => {
                change.filter(|_| complete.iter().all(|done| *done)).map(Ok)
            }
        };
        std::future::ready(Some(said))
    })
    .filter_map(std::future::ready)
    .chain(stream::pending())
    .boxed()
}

fn watch<K: Namespaced + Send + Sync + 'static>(
    client: &Client,
    namespace: Option<&str>,
    labels: Option<&str>,
    index: usize,
    watched: Watched,
) -> BoxStream<'static, Result<Seen>> {
    let api = fetch::api::<PartialObjectMeta<K>>(client, namespace);
    let mut config = watcher::Config::default();
    if let Some(labels) = labels {
        config = config.labels(labels);
    }
    seen(watcher(api, config).default_backoff(), index, watched).boxed()
}

fn seen<T: kube::Resource>(
    events: impl Stream<Item = std::result::Result<watcher::Event<T>, watcher::Error>>,
    index: usize,
    watched: Watched,
) -> impl Stream<Item = Result<Seen>> {
    events.filter_map(move |event| {
        std::future::ready(match event {
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
            Ok(watcher::Event::InitDone) => Some(Ok(Seen::Complete(index))),
            Ok(watcher::Event::Apply(object) | watcher::Event::Delete(object)) => {
                Some(Ok(Seen::Object(about(object.meta(), watched))))
            }
            Err(error) => lost(&error).map(Err),
        })
    })
}

/// What a failed watch means; nothing when it only has to begin again.
pub fn lost(error: &watcher::Error) -> Option<Error> {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => Some(explain("watch the cluster", error)),
        watcher::Error::WatchError(status) if status.code == 410 => None,
        watcher::Error::WatchError(status) => Some(refused("watch the cluster", status)),
        _ => Some(Error::unavailable(format!("watch the cluster: {error}"))),
    }
}

/// Which server an object is of.
fn about(object: &ObjectMeta, watched: Watched) -> Option<Change> {
    let namespace = object.namespace.as_deref()?;
    let labels = object.labels.as_ref();
    let instance = labels
        .filter(|labels| {
            labels.get(label::MANAGED_BY).map(String::as_str) == Some(label::MANAGED_BY_VALUE)
        })
        .and_then(|labels| labels.get(label::INSTANCE))
        .map(String::as_str);
    let name = match watched {
        Watched::Workload => instance.or(object.name.as_deref()),
        Watched::Pod => instance.or_else(|| owner(object).map(|(_, name)| name)),
        Watched::Store => instance,
        // Whose pods it selects, its metadata does not say.
        Watched::Service if instance.is_none() => return Some(Change::Everything),
        Watched::Service => instance,
    }?;
    Some(Change::Server(Identity {
        namespace: Name::label(namespace).ok()?,
        name: Name::label(name).ok()?,
    }))
}
