//! What the pods of a server write: all of them at once, new ones included while they are followed.

use std::collections::BTreeMap;

use futures::stream::BoxStream;
use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, LogParams};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::backend::LogOptions;
use crate::error::{Error, Kind, Result};
use crate::model::{Identity, LogLine};

use super::answer::explain;
use super::changes::lost;
use super::fetch;
use super::steer::pods;
use super::workload::written;

/// Lines that wait for a slow reader.
const WAITING: usize = 256;

type Sender = mpsc::Sender<Result<LogLine>>;

/// The lines of a server.
///
/// # Errors
/// `NotFound` when there is no such server or instance, else what the API says.
pub async fn logs(
    client: &Client,
    identity: &Identity,
    options: &LogOptions,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    let workload = fetch::workload(client, identity).await?.ok_or_else(|| {
        Error::not_found(format!("there is no server {identity}")).hint("mcp-platform list")
    })?;
    let mut pods = pods(client, &workload).await?;
    if let Some(instance) = &options.instance {
        pods.retain(|pod| pod.metadata.name.as_ref() == Some(instance));
        if pods.is_empty() {
            return Err(
                Error::not_found(format!("{identity} has no instance {instance}"))
                    .hint(format!("mcp-platform status {}", identity.name)),
            );
        }
    }
    let api = fetch::api::<Pod>(client, Some(identity.namespace.as_str()));
    let (sender, receiver) = mpsc::channel(WAITING);
    if options.follow && options.instance.is_none() {
        let selector = workload.selector().map(written).unwrap_or_default();
        tokio::spawn(follow(api, selector, options.clone(), sender));
    } else {
        for pod in pods {
            tokio::spawn(read(api.clone(), pod, options.clone(), sender.clone()));
        }
    }
    Ok(ReceiverStream::new(receiver).boxed())
}

/// Reads every pod that there is or comes, from each start of its container on, until nobody
/// listens.
async fn follow(api: Api<Pod>, selector: String, options: LogOptions, sender: Sender) {
    let mut reading: BTreeMap<(String, i32), tokio::task::JoinHandle<()>> = BTreeMap::new();
    let config = watcher::Config::default().labels(&selector);
    let mut events = watcher(api.clone(), config).default_backoff().boxed();
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = sender.closed() => return,
        };
        let pod = match event {
            Some(Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod))) => pod,
            Some(Ok(_)) => continue,
            Some(Err(error)) => match lost(&error) {
                Some(error) if error.kind != Kind::Unavailable => {
                    let _ = sender.send(Err(error)).await;
                    return;
                }
                _ => continue,
            },
            None => return,
        };
        let Some(start) = started(&pod) else {
            continue;
        };
        let key = (pod.metadata.uid.clone().unwrap_or_default(), start);
        if !reading.contains_key(&key) {
            reading.retain(|_, task| !task.is_finished());
            let mut options = options.clone();
            // The lines of an earlier start have been read already.
            if start > 0 && reading.keys().any(|(uid, _)| *uid == key.0) {
                options.tail = None;
            }
            reading.insert(
                key,
                tokio::spawn(read(api.clone(), pod, options, sender.clone())),
            );
        }
    }
}

/// How often its container was started again, once it has been started at all.
fn started(pod: &Pod) -> Option<i32> {
    let name = container(pod)?;
    let status = pod
        .status
        .as_ref()?
        .container_statuses
        .iter()
        .flatten()
        .find(|status| status.name == name)?;
    let state = status.state.as_ref()?;
    (state.running.is_some() || state.terminated.is_some()).then_some(status.restart_count)
}

/// The container of a pod that is the server.
fn container(pod: &Pod) -> Option<String> {
    let said = pod
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get("kubectl.kubernetes.io/default-container"));
    said.cloned()
        .or_else(|| Some(pod.spec.as_ref()?.containers.first()?.name.clone()))
}

async fn read(api: Api<Pod>, pod: Pod, options: LogOptions, sender: Sender) {
    let instance = pod.metadata.name.clone().unwrap_or_default();
    let parameters = LogParams {
        container: container(&pod),
        follow: options.follow && !options.previous,
        previous: options.previous,
        tail_lines: options.tail.map(i64::from),
        timestamps: true,
        ..LogParams::default()
    };
    let what = format!("read the log of {instance}");
    let mut lines = match api.log_stream(&instance, &parameters).await {
        Ok(stream) => stream.lines(),
        Err(error) => {
            let error = explain(&what, &error);
            // Not started yet, no previous start, or gone meanwhile: nothing was written.
            if !matches!(error.kind, Kind::Invalid | Kind::NotFound) {
                let _ = sender.send(Err(error)).await;
            }
            return;
        }
    };
    loop {
        let line = tokio::select! {
            line = lines.try_next() => line,
            () = sender.closed() => return,
        };
        let line = match line {
            Ok(Some(line)) => Ok(parse(&instance, &line)),
            Ok(None) => return,
            Err(error) => Err(Error::unavailable(format!("{what}: {error}"))),
        };
        let over = line.is_err();
        if sender.send(line).await.is_err() || over {
            return;
        }
    }
}

/// `2026-01-01T00:00:00.000000000Z text`.
fn parse(instance: &str, line: &str) -> LogLine {
    let timed = line
        .split_once(' ')
        .and_then(|(at, text)| Some((at.parse::<Timestamp>().ok()?, text)));
    let (at, text) = match timed {
        Some((at, text)) => (Some(at), text),
        // An empty line has its time only.
        None => match line.parse::<Timestamp>() {
            Ok(at) => (Some(at), ""),
            Err(_) => (None, line),
        },
    };
    LogLine {
        instance: instance.to_owned(),
        at,
        text: text.to_owned(),
    }
}
