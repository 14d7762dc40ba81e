//! What is wanted of one server, kept by the engine itself: a container that never runs, with the
//! open part in its labels and the secrets in its environment.
//!
//! Each change is a new container with the next number in its name; names are unique on an engine,
//! so of two writers one is told that it lost. The highest number is what holds.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Identity, Secrets, Spec, Statefulness, label};

use super::converge::{Rollout, Wanted};
use super::names;

/// The image of records: nothing at all.
pub const IMAGE: &str = "mcp-platform/record:1";

const SECRETS: &str = "MCP_PLATFORM_SECRETS=";

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Counts the changes.
    pub generation: u64,
    /// What runs.
    pub spec: Spec,
    /// What to go back to.
    pub previous: Option<Spec>,
    /// How many instances.
    pub replicas: u32,
    /// How many `stop` found.
    pub remembered: Option<u32>,
    /// Whether new sessions are kept away.
    pub draining: bool,
    /// The generation of the last restart.
    pub epoch: u64,
    /// The ports of this machine, by slot.
    pub ports: Vec<u16>,
    /// Whether everything is to be removed.
    pub removing: bool,
    /// Since when the server exists.
    pub since: Timestamp,
}

/// The secrets of both specifications, as the environment holds them.
#[derive(Serialize, Deserialize)]
struct Stored {
    present: std::collections::BTreeMap<String, String>,
    previous: Option<std::collections::BTreeMap<String, String>>,
}

impl Record {
    /// For compare-and-swap.
    pub fn token(&self) -> String {
        format!("{}@{}", self.generation, self.since)
    }

    /// What is wanted of the instances.
    pub fn wanted(&self) -> Wanted {
        let owns = self.spec.volumes.iter().any(|volume| volume.size > 0);
        Wanted {
            revision: self.spec.revision(),
            epoch: self.epoch,
            replicas: self.replicas,
            rollout: match self.spec.statefulness {
                Statefulness::Singleton => Rollout::Recreate,
                Statefulness::Stateless | Statefulness::Sticky if owns => Rollout::InPlace,
                Statefulness::Stateless | Statefulness::Sticky => Rollout::Surge,
            },
        }
    }

    /// The container that holds it.
    ///
    /// # Errors
    /// Never in practice: a specification is plain JSON.
    pub fn body(&self) -> Result<ContainerCreateBody> {
        let mut labels = names::labels(&self.spec, label::COMPONENT_VALUE);
        let mut put = |key: &str, value: String| labels.insert(key.to_owned(), value);
        put(names::ROLE, names::RECORD.to_owned());
        put(label::REVISION, self.spec.revision());
        put(label::SPEC, json(&self.spec)?);
        put(names::GENERATION, self.generation.to_string());
        put(names::REPLICAS, self.replicas.to_string());
        put(names::EPOCH, self.epoch.to_string());
        put(names::SINCE, self.since.to_string());
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        put(names::PORTS, ports.join(","));
        if let Some(previous) = &self.previous {
            put(label::PREVIOUS, json(previous)?);
        }
        if let Some(remembered) = self.remembered {
            put(label::REMEMBERED, remembered.to_string());
        }
        if self.draining {
            put(names::DRAINING, true.to_string());
        }
        if self.removing {
            put(names::REMOVING, true.to_string());
        }
        let stored = Stored {
            present: self.spec.secrets.to_store(),
            previous: self.previous.as_ref().map(|spec| spec.secrets.to_store()),
        };
        Ok(ContainerCreateBody {
            image: Some(IMAGE.to_owned()),
            cmd: Some(vec!["never-runs".to_owned()]),
            env: Some(vec![format!("{SECRETS}{}", json(&stored)?)]),
            labels: Some(labels),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        })
    }

    /// Reads it back.
    ///
    /// # Errors
    /// A label is missing or cannot be read: a newer platform wrote it, or somebody else.
    pub fn read(container: &ContainerInspectResponse) -> Result<Record> {
        let config = container.config.clone().unwrap_or_default();
        let labels = config.labels.unwrap_or_default();
        let mut spec: Spec = parse(&labels, label::SPEC)?;
        let mut previous: Option<Spec> = match labels.get(label::PREVIOUS) {
            Some(_) => Some(parse(&labels, label::PREVIOUS)?),
            None => None,
        };
        let stored = config
            .env
            .unwrap_or_default()
            .into_iter()
            .find_map(|line| line.strip_prefix(SECRETS).map(str::to_owned));
        if let Some(stored) = stored {
            let stored: Stored = serde_json::from_str(&stored)
                .map_err(|_| Error::internal("the secrets of a record cannot be read"))?;
            spec.secrets = Secrets::from_store(stored.present);
            if let (Some(previous), Some(store)) = (&mut previous, stored.previous) {
                previous.secrets = Secrets::from_store(store);
            }
        }
        Ok(Record {
            generation: number(&labels, names::GENERATION)?,
            previous,
            replicas: number(&labels, names::REPLICAS)?,
            remembered: match labels.get(label::REMEMBERED) {
                Some(_) => Some(number(&labels, label::REMEMBERED)?),
                None => None,
            },
            draining: labels.contains_key(names::DRAINING),
            epoch: number(&labels, names::EPOCH)?,
            ports: labels
                .get(names::PORTS)
                .map(|text| {
                    text.split(',')
                        .filter_map(|port| port.parse().ok())
                        .collect()
                })
                .unwrap_or_default(),
            removing: labels.contains_key(names::REMOVING),
            since: number(&labels, names::SINCE)?,
            spec,
        })
    }
}

/// The container that holds, of several generations: the highest.
pub fn latest(containers: &[ContainerInspectResponse]) -> Option<&ContainerInspectResponse> {
    containers
        .iter()
        .filter(|one| role(one) == Some(names::RECORD))
        .max_by_key(|one| generation(one))
}

/// What a container is for.
pub fn role(container: &ContainerInspectResponse) -> Option<&str> {
    labels_of(container)?.get(names::ROLE).map(String::as_str)
}

/// The generation that a record's label says; 0 when it says none.
pub fn generation(container: &ContainerInspectResponse) -> u64 {
    labels_of(container)
        .and_then(|labels| labels.get(names::GENERATION))
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// The labels of a container.
pub fn labels_of(container: &ContainerInspectResponse) -> Option<&HashMap<String, String>> {
    container.config.as_ref()?.labels.as_ref()
}

/// A container's name without the slash that the engine puts before it.
pub fn name_of(container: &ContainerInspectResponse) -> String {
    let name = container.name.as_deref().unwrap_or_default();
    name.trim_start_matches('/').to_owned()
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(format!("a record: {error}")))
}

fn parse<T: for<'a> Deserialize<'a>>(labels: &HashMap<String, String>, key: &str) -> Result<T> {
    let text = labels
        .get(key)
        .ok_or_else(|| unreadable(key, "it is missing"))?;
    serde_json::from_str(text).map_err(|error| unreadable(key, &error.to_string()))
}

fn number<T: std::str::FromStr>(labels: &HashMap<String, String>, key: &str) -> Result<T> {
    let text = labels
        .get(key)
        .ok_or_else(|| unreadable(key, "it is missing"))?;
    text.parse()
        .map_err(|_| unreadable(key, "it cannot be read"))
}

fn unreadable(key: &str, why: &str) -> Error {
    Error::internal(format!("the label {key} of a record: {why}"))
        .hint("use the version of the platform that deployed it, or delete the server")
}

/// Finds the server's own records among identities that are alike only in part.
pub fn is_of(container: &ContainerInspectResponse, identity: &Identity) -> bool {
    labels_of(container).is_some_and(|labels| {
        labels.get(label::INSTANCE).map(String::as_str) == Some(identity.name.as_str())
            && labels.get(label::NAMESPACE).map(String::as_str) == Some(identity.namespace.as_str())
    })
}
