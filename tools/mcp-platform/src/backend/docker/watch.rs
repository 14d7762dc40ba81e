//! What may have changed: the engine's own events, and whether instances answer.
//!
//! The engine does not tell when a page begins to answer. So while somebody watches, running
//! instances are looked at: those that are not ready several times a second, the others every few
//! seconds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;

use crate::backend::Scope;
use crate::error::Result;
use crate::model::{Change, Identity};

use super::engine::Engine;
use super::look::ready;
use super::names;
use super::record::{Record, latest, role};
use super::refuse::refused;
use super::state::{port, running, text};

/// Between two looks at instances that are not ready.
const LOOK: Duration = Duration::from_millis(300);

/// Between two looks at instances that are.
const SETTLED: Duration = Duration::from_secs(3);

/// After the engine broke off.
const PAUSE: Duration = Duration::from_secs(1);

/// All changes of a scope. Ends when the stream is dropped.
pub fn changes(engine: Arc<Engine>, scope: Scope) -> BoxStream<'static, Result<Change>> {
    let (sender, receiver) = mpsc::channel(64);
    let looker = (engine.clone(), scope.clone(), sender.clone());
    tokio::spawn(async move { events(&engine, &scope, &sender).await });
    tokio::spawn(async move { looks(&looker.0, &looker.1, &looker.2).await });
    stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|item| (item, receiver))
    })
    .boxed()
}

async fn events(engine: &Engine, scope: &Scope, sender: &mpsc::Sender<Result<Change>>) {
    let filters = HashMap::from([("type".to_owned(), vec!["container".to_owned()])]);
    loop {
        let docker = match engine.docker().await {
            Ok(docker) => docker,
            Err(error) => {
                if sender.send(Err(error)).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        let mut stream = Box::pin(docker.events(Some(options)));
        if sender.send(Ok(Change::Everything)).await.is_err() {
            return;
        }
        loop {
            let event = tokio::select! {
                event = stream.next() => event,
                () = sender.closed() => return,
            };
            let item = match event {
                None => break,
                Some(Ok(event)) => match concerns(&event, scope, engine) {
                    Some(identity) => Ok(Change::Server(identity)),
                    None => continue,
                },
                Some(Err(error)) => Err(refused("the engine's events", error)),
            };
            let broken = item.is_err();
            if sender.send(item).await.is_err() {
                return;
            }
            if broken {
                break;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The server that an event is about, if it is of the scope.
fn concerns(event: &EventMessage, scope: &Scope, engine: &Engine) -> Option<Identity> {
    let actor = event.actor.as_ref()?;
    let labels = actor.attributes.as_ref()?;
    let component = labels.get(crate::model::label::COMPONENT)?;
    if component != crate::model::label::COMPONENT_VALUE && component != names::PART {
        return None;
    }
    let container = labels.get("name").map_or("", String::as_str);
    let identity = names::identity(labels, container, &engine.place.namespace)?;
    let inside = scope
        .namespace
        .as_ref()
        .is_none_or(|namespace| *namespace == identity.namespace);
    inside.then_some(identity)
}

async fn looks(engine: &Engine, scope: &Scope, sender: &mpsc::Sender<Result<Change>>) {
    let mut known: HashMap<String, bool> = HashMap::new();
    let mut all_looked = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = sender.closed() => return,
        }
        let everything = all_looked.elapsed() >= SETTLED;
        if everything {
            all_looked = Instant::now();
        }
        // What cannot be asked is said by the events.
        let Ok(changed) = look_once(engine, scope, &mut known, everything).await else {
            continue;
        };
        for identity in changed {
            if sender.send(Ok(Change::Server(identity))).await.is_err() {
                return;
            }
        }
    }
}

/// Looks at instances, and gives the servers of those that answer otherwise than before.
async fn look_once(
    engine: &Engine,
    scope: &Scope,
    known: &mut HashMap<String, bool>,
    everything: bool,
) -> Result<HashSet<Identity>> {
    let mut filters = names::of_all();
    if let Some(labels) = filters.get_mut("label") {
        if let Some(namespace) = &scope.namespace {
            labels.push(format!("{}={namespace}", crate::model::label::NAMESPACE));
        }
        labels.push(names::ROLE.to_owned());
    }
    let all = engine.containers(&filters).await?;
    let mut changed = HashSet::new();
    let mut seen = HashSet::new();
    for one in all.iter().filter(|one| role(one) == Some(names::REPLICA)) {
        let (Some(id), Some(port)) = (one.id.clone(), port(one)) else {
            continue;
        };
        seen.insert(id.clone());
        if !everything && known.get(&id) == Some(&true) {
            continue;
        }
        let labels = super::record::labels_of(one).cloned().unwrap_or_default();
        let Some(identity) = names::identity(&labels, "", &engine.place.namespace) else {
            continue;
        };
        let of_it: Vec<_> = all
            .iter()
            .filter(|other| {
                role(other) == Some(names::RECORD) && super::record::is_of(other, &identity)
            })
            .cloned()
            .collect();
        let record = latest(&of_it).and_then(|record| Record::read(record).ok());
        let spec = record.as_ref().map(|record| &record.spec);
        let answers = running(one) && ready(engine, spec, port).await.is_ok();
        if known.insert(id, answers) != Some(answers) || text(one, names::SLOT).is_none() {
            changed.insert(identity);
        }
    }
    known.retain(|id, _| seen.contains(id));
    Ok(changed)
}
