//! What servers wrote, and what happened to them, as the engine keeps it.

use std::collections::HashMap;

use bollard::container::LogOutput;
use bollard::models::EventMessage;
use bollard::query_parameters::{EventsOptionsBuilder, LogsOptionsBuilder};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use crate::backend::LogOptions;
use crate::error::{Error, Result};
use crate::model::{Event, Identity, LogLine, label};
use crate::world::now;

use super::engine::Engine;
use super::names;
use super::record::{name_of, role};
use super::refuse::refused;
use super::state::started;

/// A line that is longer is cut into several.
const LINE_LIMIT: usize = 64 * 1024;

/// Events of the engine's own making that say nothing of a server.
const NOISE: [&str; 5] = [
    "exec_create",
    "exec_start",
    "exec_die",
    "top",
    "archive-path",
];

/// The lines of the instances.
///
/// # Errors
/// `NotFound` when there is no such instance.
pub async fn logs(
    engine: &Engine,
    identity: &Identity,
    options: &LogOptions,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    let containers = super::instances(engine, identity).await?;
    let chosen: Vec<_> = containers
        .into_iter()
        .filter(|one| {
            options
                .instance
                .as_ref()
                .is_none_or(|instance| name_of(one) == *instance)
        })
        .collect();
    if let (Some(instance), true) = (&options.instance, chosen.is_empty()) {
        return Err(
            Error::not_found(format!("{identity} has no instance {instance:?}"))
                .hint(format!("mcp-platform status {}", identity.name)),
        );
    }
    let docker = engine.docker().await?;
    let mut streams = Vec::new();
    for container in chosen {
        let name = name_of(&container);
        let mut wanted = LogsOptionsBuilder::new()
            .follow(options.follow && !options.previous)
            .stdout(true)
            .stderr(true)
            .timestamps(true);
        if let Some(tail) = options.tail {
            wanted = wanted.tail(&tail.to_string());
        }
        // A container keeps its log when the engine starts it again.
        let until = options.previous.then(|| started(&container)).flatten();
        if let Some(until) = until {
            wanted = wanted.until(i32::try_from(until.as_second() + 1).unwrap_or(i32::MAX));
        }
        let stream = docker.logs(&name, Some(wanted.build()));
        streams.push(lines(name, until, stream.boxed()));
    }
    Ok(stream::select_all(streams).boxed())
}

/// Cuts what the engine sends into lines: it may send half a line, or several.
fn lines(
    instance: String,
    until: Option<Timestamp>,
    stream: BoxStream<'static, std::result::Result<LogOutput, bollard::errors::Error>>,
) -> BoxStream<'static, Result<LogLine>> {
    let mut open: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
    let end = stream::once(async { Ok(None) });
    stream
        .map_ok(Some)
        .chain(end)
        .map(move |item| match item {
            Ok(Some(output)) => {
                let which = usize::from(matches!(output, LogOutput::StdErr { .. }));
                open[which].extend_from_slice(&output.into_bytes());
                complete(&mut open[which], &instance)
            }
            Ok(None) => open
                .iter_mut()
                .filter(|rest| !rest.is_empty())
                .map(|rest| Ok(line(&instance, &std::mem::take(rest))))
                .collect(),
            Err(error) => vec![Err(refused(&format!("the log of {instance}"), error))],
        })
        .flat_map(stream::iter)
        .try_filter(move |line| {
            let before = match (until, line.at) {
                (Some(until), Some(at)) => at < until,
                _ => true,
            };
            std::future::ready(before)
        })
        .boxed()
}

fn complete(open: &mut Vec<u8>, instance: &str) -> Vec<Result<LogLine>> {
    let mut lines = Vec::new();
    while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
        let rest = open.split_off(end + 1);
        let whole = std::mem::replace(open, rest);
        lines.push(Ok(line(instance, &whole)));
    }
    if open.len() > LINE_LIMIT {
        lines.push(Ok(line(instance, &std::mem::take(open))));
    }
    lines
}

/// `2026-01-01T00:00:00.000000000Z text`.
fn line(instance: &str, bytes: &[u8]) -> LogLine {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    let stamped = text
        .split_once(' ')
        .and_then(|(at, rest)| Some((at.parse::<Timestamp>().ok()?, rest)));
    LogLine {
        instance: instance.to_owned(),
        at: stamped.map(|(at, _)| at),
        text: stamped.map_or(text, |(_, rest)| rest).to_owned(),
    }
}

/// What happened to a server; the engine keeps the last 256 events of all its containers.
///
/// # Errors
/// The engine cannot be asked.
pub async fn events(engine: &Engine, identity: &Identity) -> Result<Vec<Event>> {
    let mut filters = HashMap::from([("type".to_owned(), vec!["container".to_owned()])]);
    filters.extend(names::of_server(identity));
    let options = EventsOptionsBuilder::new()
        .since("0")
        .until(&now().as_second().to_string())
        .filters(&filters)
        .build();
    let all: Vec<EventMessage> = engine
        .docker()
        .await?
        .events(Some(options))
        .try_collect()
        .await
        .map_err(|error| refused("the engine's events", error))?;
    Ok(all.into_iter().filter_map(|one| event(&one)).collect())
}

/// When and how a container ended, as far as the engine keeps it.
///
/// # Errors
/// The engine cannot be asked.
pub async fn ends(engine: &Engine, id: &str) -> Result<Vec<EventMessage>> {
    let filters = HashMap::from([
        ("container".to_owned(), vec![id.to_owned()]),
        ("event".to_owned(), vec!["die".to_owned(), "oom".to_owned()]),
    ]);
    let options = EventsOptionsBuilder::new()
        .since("0")
        .until(&now().as_second().to_string())
        .filters(&filters)
        .build();
    let docker = engine.docker().await?;
    let ends = docker.events(Some(options)).try_collect().await;
    ends.map_err(|error| refused("the engine's events", error))
}

fn event(message: &EventMessage) -> Option<Event> {
    let action = message.action.clone()?;
    let word = action.split(':').next().unwrap_or_default();
    if NOISE.contains(&word) {
        return None;
    }
    let attributes = message
        .actor
        .as_ref()?
        .attributes
        .clone()
        .unwrap_or_default();
    if attributes.get(names::ROLE).map(String::as_str) == Some(names::RECORD) {
        return record_event(message, word, &attributes);
    }
    let code = attributes.get("exitCode").map(String::as_str);
    let message_text = match (word, code) {
        ("die", Some(code)) => format!("ended with code {code}"),
        ("oom", _) => "used more memory than it may".to_owned(),
        ("kill", _) => format!(
            "was sent signal {}",
            attributes.get("signal").map_or("9", String::as_str)
        ),
        _ => action.clone(),
    };
    Some(Event {
        at: moment(message),
        about: attributes.get("name").cloned().unwrap_or_default(),
        reason: word.to_owned(),
        message: message_text,
        warning: word == "oom"
            || action.contains("unhealthy")
            || (word == "die" && !matches!(code, Some("0" | "143"))),
    })
}

/// What is wanted changed.
fn record_event(
    message: &EventMessage,
    word: &str,
    attributes: &HashMap<String, String>,
) -> Option<Event> {
    if word != "create" {
        return None;
    }
    let attribute = |key: &str| attributes.get(key).map_or("?", String::as_str);
    Some(Event {
        at: moment(message),
        about: attribute(label::INSTANCE).to_owned(),
        reason: "wanted".to_owned(),
        message: if attributes.contains_key(names::REMOVING) {
            "is to be removed".to_owned()
        } else {
            format!(
                "change {}: {} instances of revision {}",
                attribute(names::GENERATION),
                attribute(names::REPLICAS),
                attribute(label::REVISION)
            )
        },
        warning: false,
    })
}

fn moment(message: &EventMessage) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(message.time_nano?)).ok()
}

/// Whether a container is one of the instances.
pub fn is_instance(container: &bollard::models::ContainerInspectResponse) -> bool {
    role(container) == Some(names::REPLICA)
}
