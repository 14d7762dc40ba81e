//! What Deployments and StatefulSets have in common, read into one shape. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::api::DynamicObject;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::model::{Condition, label};

use super::kinds::ObjectKind;
use super::write::WRITTEN_FOR;

/// Parts of the server that the cluster does not serve, as a JSON list, on the workload.
pub const LEFT_OUT: &str = "mcp-platform/left-out";
/// What the pod template came to by a restart of ours, as [`Workload::template_word`] says it, on the
/// workload: while that is not rolled out, another restart has nothing to do. Generations would not
/// do: a Deployment's counts its annotations too, and its controller writes one.
pub const RESTARTED: &str = "mcp-platform/restarted";
/// What `kubectl rollout restart` writes into the pod template.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// Which of the two a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkloadKind {
    /// Instances that are all alike.
    Deployment,
    /// Instances with names and volumes of their own.
    StatefulSet,
}

impl WorkloadKind {
    /// The kind as it is written in objects.
    pub fn word(self) -> &'static str {
        match self {
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::StatefulSet => "StatefulSet",
        }
    }

    /// The kind in the list of kinds.
    pub fn object_kind(self) -> &'static ObjectKind {
        ObjectKind::of("apps/v1", self.word()).expect("both are in the list of kinds")
    }
}

/// A Deployment or a StatefulSet as it was read.
#[derive(Debug, Clone)]
pub enum Workload {
    /// A Deployment.
    Deployment(Arc<Deployment>),
    /// A StatefulSet.
    StatefulSet(Arc<StatefulSet>),
}

/// The numbers of instances in a workload's status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The generation that they speak of.
    pub observed_generation: u64,
    /// How many there are.
    pub replicas: u32,
    /// How many of them are of the latest revision.
    pub updated: u32,
    /// How many are ready.
    pub ready: u32,
    /// How many have been so for long enough.
    pub available: u32,
}

fn count(number: Option<i32>) -> u32 {
    u32::try_from(number.unwrap_or(0)).unwrap_or(0)
}

fn generation(number: Option<i64>) -> u64 {
    u64::try_from(number.unwrap_or(0)).unwrap_or(0)
}

impl Workload {
    /// One that was read or written without its type.
    ///
    /// # Errors
    /// It does not have the shape of its kind.
    pub fn read(kind: WorkloadKind, object: DynamicObject) -> Result<Workload, serde_json::Error> {
        let object = serde_json::to_value(object)?;
        Ok(match kind {
            WorkloadKind::Deployment => {
                Workload::Deployment(Arc::new(serde_json::from_value(object)?))
            }
            WorkloadKind::StatefulSet => {
                Workload::StatefulSet(Arc::new(serde_json::from_value(object)?))
            }
        })
    }

    /// Which of the two.
    pub fn kind(&self) -> WorkloadKind {
        match self {
            Workload::Deployment(_) => WorkloadKind::Deployment,
            Workload::StatefulSet(_) => WorkloadKind::StatefulSet,
        }
    }

    /// Its metadata.
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Workload::Deployment(deployment) => &deployment.metadata,
            Workload::StatefulSet(set) => &set.metadata,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().unwrap_or_default()
    }

    /// A label of the whole.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata()
            .labels
            .as_ref()?
            .get(key)
            .map(String::as_str)
    }

    /// An annotation of the whole.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata()
            .annotations
            .as_ref()?
            .get(key)
            .map(String::as_str)
    }

    /// Counts the changes of what is wanted.
    pub fn generation(&self) -> u64 {
        generation(self.metadata().generation)
    }

    /// How many instances are wanted.
    pub fn desired(&self) -> u32 {
        let replicas = match self {
            Workload::Deployment(deployment) => deployment.spec.as_ref().and_then(|s| s.replicas),
            Workload::StatefulSet(set) => set.spec.as_ref().and_then(|spec| spec.replicas),
        };
        replicas.map_or(1, |replicas| u32::try_from(replicas).unwrap_or(0))
    }

    /// What pods are made from.
    pub fn template(&self) -> Option<&PodTemplateSpec> {
        match self {
            Workload::Deployment(deployment) => Some(&deployment.spec.as_ref()?.template),
            Workload::StatefulSet(set) => Some(&set.spec.as_ref()?.template),
        }
    }

    /// The labels of its pods.
    pub fn pod_labels(&self) -> Option<&BTreeMap<String, String>> {
        self.template()?.metadata.as_ref()?.labels.as_ref()
    }

    /// Which pods it counts as its own.
    pub fn selector(&self) -> Option<&LabelSelector> {
        match self {
            Workload::Deployment(deployment) => Some(&deployment.spec.as_ref()?.selector),
            Workload::StatefulSet(set) => Some(&set.spec.as_ref()?.selector),
        }
    }

    /// The numbers of its status. A StatefulSet of an older cluster counts no available ones: there
    /// they are the ready ones.
    pub fn numbers(&self) -> Numbers {
        match self {
            Workload::Deployment(deployment) => {
                let status = deployment.status.as_ref();
                Numbers {
                    observed_generation: generation(status.and_then(|s| s.observed_generation)),
                    replicas: count(status.and_then(|s| s.replicas)),
                    updated: count(status.and_then(|s| s.updated_replicas)),
                    ready: count(status.and_then(|s| s.ready_replicas)),
                    available: count(status.and_then(|s| s.available_replicas)),
                }
            }
            Workload::StatefulSet(set) => {
                let status = set.status.as_ref();
                let ready = count(status.and_then(|s| s.ready_replicas));
                let patient = set
                    .spec
                    .as_ref()
                    .and_then(|spec| spec.min_ready_seconds)
                    .is_some_and(|seconds| seconds > 0);
                let available = count(status.and_then(|s| s.available_replicas));
                Numbers {
                    observed_generation: generation(status.and_then(|s| s.observed_generation)),
                    replicas: count(status.map(|s| s.replicas)),
                    updated: count(status.and_then(|s| s.updated_replicas)),
                    ready,
                    available: if patient { available } else { ready },
                }
            }
        }
    }

    /// Its conditions.
    pub fn conditions(&self) -> Vec<Condition> {
        match self {
            Workload::Deployment(deployment) => deployment
                .status
                .iter()
                .flat_map(|status| status.conditions.iter().flatten())
                .map(|condition| Condition {
                    kind: condition.type_.clone(),
                    status: condition.status.clone(),
                    reason: condition.reason.clone().unwrap_or_default(),
                    message: condition.message.clone().unwrap_or_default(),
                    last_update: condition
                        .last_update_time
                        .as_ref()
                        .or(condition.last_transition_time.as_ref())
                        .map(|time| time.0),
                })
                .collect(),
            Workload::StatefulSet(set) => set
                .status
                .iter()
                .flat_map(|status| status.conditions.iter().flatten())
                .map(|condition| Condition {
                    kind: condition.type_.clone(),
                    status: condition.status.clone(),
                    reason: condition.reason.clone().unwrap_or_default(),
                    message: condition.message.clone().unwrap_or_default(),
                    last_update: condition.last_transition_time.as_ref().map(|time| time.0),
                })
                .collect(),
        }
    }

    /// Whether it is on its way out.
    pub fn deleting(&self) -> bool {
        self.metadata().deletion_timestamp.is_some()
    }

    /// Since when it exists.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata()
            .creation_timestamp
            .as_ref()
            .map(|time| time.0)
    }

    /// How many instances `stop` found.
    pub fn remembered(&self) -> Option<u32> {
        self.annotation(label::REMEMBERED)?.parse().ok()
    }

    /// Changes with everything that is wanted, and not with what the cluster reports: so a write
    /// that carries it loses only to other writes. It never comes back: what is as it was once was
    /// written again since.
    pub fn token(&self) -> String {
        let annotations = [
            label::SPEC,
            label::PREVIOUS,
            label::REMEMBERED,
            LEFT_OUT,
            WRITTEN_FOR,
        ];
        let parts: Vec<Option<&str>> = annotations
            .iter()
            .map(|key| self.annotation(key))
            .chain([self.label(label::REVISION)])
            .collect();
        let uid = self.metadata().uid.as_deref().unwrap_or_default();
        let spec = match self {
            Workload::Deployment(deployment) => word(&deployment.spec),
            Workload::StatefulSet(set) => word(&set.spec),
        };
        format!("{uid}/{spec}/{}", word(&parts))
    }

    /// A word for what pods are made from.
    pub fn template_word(&self) -> String {
        word(&self.template())
    }

    /// The same, had the pod template been restarted at this time.
    pub fn restarted_word(&self, at: &str) -> String {
        let mut template = self.template().cloned().unwrap_or_default();
        template
            .metadata
            .get_or_insert_default()
            .annotations
            .get_or_insert_default()
            .insert(RESTARTED_AT.to_owned(), at.to_owned());
        word(&Some(&template))
    }
}

/// Sixteen hexadecimal digits that change with a value.
fn word(value: &impl Serialize) -> String {
    let text = serde_json::to_vec(value).unwrap_or_default();
    Sha256::digest(&text)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The workload that a pod says it is of.
pub fn owner(pod: &ObjectMeta) -> Option<(WorkloadKind, &str)> {
    let owner = pod
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))?;
    match owner.kind.as_str() {
        "StatefulSet" => Some((WorkloadKind::StatefulSet, &owner.name)),
        // The name of a ReplicaSet is that of its Deployment with the hash that its pods carry.
        "ReplicaSet" => {
            let hash = pod.labels.as_ref()?.get("pod-template-hash")?;
            let name = owner.name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
            Some((WorkloadKind::Deployment, name))
        }
        _ => None,
    }
}

/// A selector as it is written in requests.
pub fn written(selector: &LabelSelector) -> String {
    let mut parts: Vec<String> = selector
        .match_labels
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    for expression in selector.match_expressions.iter().flatten() {
        let values = expression.values.as_deref().unwrap_or_default().join(",");
        let key = &expression.key;
        parts.push(match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        });
    }
    parts.join(",")
}
