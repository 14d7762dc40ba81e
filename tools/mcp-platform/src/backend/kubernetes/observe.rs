//! From what was read of a cluster at one moment to what its servers are. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;

use crate::model::{
    Cause, Condition, Fault, Identity, Instance, Name, Observed, Phase, Spec, label,
};

use super::answer::quota;
use super::companions;
use super::endpoints::{Ways, cordoned};
use super::pods::{Warnings, instance, moment, warnings};
use super::store;
use super::workload::{LEFT_OUT, Workload, WorkloadKind, owner};

/// What was read.
#[derive(Default)]
pub struct Snapshot {
    /// The servers themselves.
    pub workloads: Vec<Workload>,
    /// Pods; those of no server are passed over.
    pub pods: Vec<Arc<Pod>>,
    /// Services.
    pub services: Vec<Arc<Service>>,
    /// Ingresses.
    pub ingresses: Vec<Arc<Ingress>>,
    /// Autoscalers.
    pub autoscalers: Vec<Arc<HorizontalPodAutoscaler>>,
    /// What we keep of our servers, see [`store`].
    pub stores: Vec<Arc<Secret>>,
    /// Events of the type `Warning`; only looked at for servers that are not as wanted.
    pub warnings: Vec<Arc<Event>>,
    /// The tokens of workloads of which not everything is there.
    pub tokens: HashMap<Place, String>,
}

/// Kind, namespace and name of a workload.
pub type Place = (WorkloadKind, String, String);

impl Snapshot {
    /// Whether something is not as wanted, so that the warnings say something.
    pub fn unsettled(&self) -> bool {
        let unsettled = |workload: &Workload| {
            let numbers = workload.numbers();
            numbers.ready < workload.desired() || numbers.updated < workload.desired()
        };
        let mut pods = self.pods.iter();
        self.workloads.iter().any(unsettled) || pods.any(|pod| companions::unsettled(pod))
    }

    fn ways(&self) -> Ways {
        Ways::new(
            self.services.iter().cloned(),
            self.ingresses.iter().cloned(),
        )
    }

    /// All servers, sorted by identity.
    pub fn servers(&self, suffix: &str) -> Vec<Observed> {
        self.servers_by(&self.ways(), suffix)
    }

    /// The same, with Services and Ingresses that were sorted before.
    pub fn servers_by(&self, ways: &Ways, suffix: &str) -> Vec<Observed> {
        let warnings = warnings(self.warnings.iter().map(AsRef::as_ref));
        let mut pods: HashMap<Place, Vec<&Pod>> = HashMap::new();
        let mut companions: HashMap<(&str, &str), Vec<&Pod>> = HashMap::new();
        for pod in &self.pods {
            if let Some(server) = companions::server(&pod.metadata) {
                companions.entry(server).or_default().push(pod);
            } else if let (Some((kind, name)), Some(namespace)) =
                (owner(&pod.metadata), &pod.metadata.namespace)
            {
                let place = (kind, namespace.clone(), name.to_owned());
                pods.entry(place).or_default().push(pod);
            }
        }
        let autoscaled: HashSet<Place> = self
            .autoscalers
            .iter()
            .filter_map(|one| target(one))
            .collect();
        let stores: HashMap<(&str, &str), &Secret> = self
            .stores
            .iter()
            .filter_map(|secret| Some((store::server(secret)?, secret.as_ref())))
            .collect();
        let mut servers: BTreeMap<Identity, Observed> = BTreeMap::new();
        for workload in &self.workloads {
            let Some(identity) = identity(workload.namespace(), workload.name()) else {
                continue;
            };
            let place = (
                workload.kind(),
                workload.namespace().to_owned(),
                workload.name().to_owned(),
            );
            let parts = Parts {
                pods: pods.get(&place).map(Vec::as_slice).unwrap_or_default(),
                ways,
                autoscaled: autoscaled.contains(&place),
                store: stores
                    .get(&(workload.namespace(), workload.name()))
                    .copied(),
                companions: companions
                    .get(&(workload.namespace(), workload.name()))
                    .map(Vec::as_slice)
                    .unwrap_or_default(),
                warnings: &warnings,
                token: self.tokens.get(&place).cloned(),
                suffix,
            };
            let observed = observed(identity.clone(), workload, &parts);
            // One of ours goes before a foreign one of another kind and the same name.
            if observed.spec.is_some() || !servers.contains_key(&identity) {
                servers.insert(identity, observed);
            }
        }
        for secret in &self.stores {
            if let Some((namespace, name)) = store::server(secret)
                && let Some(identity) = identity(namespace, name)
                && !servers.contains_key(&identity)
            {
                let observed = remains(&identity, secret, &self.pods, &warnings);
                servers.insert(identity, observed);
            }
        }
        servers.into_values().collect()
    }
}

fn identity(namespace: &str, name: &str) -> Option<Identity> {
    // Names with dots are possible for foreign workloads, and cannot be named in our commands.
    Some(Identity {
        namespace: Name::label(namespace).ok()?,
        name: Name::label(name).ok()?,
    })
}

fn target(autoscaler: &HorizontalPodAutoscaler) -> Option<Place> {
    let target = &autoscaler.spec.scale_target_ref;
    let kind = match target.kind.as_str() {
        "Deployment" => WorkloadKind::Deployment,
        "StatefulSet" => WorkloadKind::StatefulSet,
        _ => return None,
    };
    Some((
        kind,
        autoscaler.metadata.namespace.clone()?,
        target.name.clone(),
    ))
}

struct Parts<'a> {
    pods: &'a [&'a Pod],
    ways: &'a Ways,
    autoscaled: bool,
    store: Option<&'a Secret>,
    companions: &'a [&'a Pod],
    warnings: &'a Warnings<'a>,
    token: Option<String>,
    suffix: &'a str,
}

fn observed(identity: Identity, workload: &Workload, parts: &Parts<'_>) -> Observed {
    let numbers = workload.numbers();
    let nothing = BTreeMap::new();
    let services = parts.ways.services(
        workload.namespace(),
        workload.pod_labels().unwrap_or(&nothing),
    );
    let (spec, mut conditions) = (
        read(workload, label::SPEC, parts.store),
        workload.conditions(),
    );
    if spec.is_none() && workload.annotation(label::SPEC).is_some() {
        conditions.push(unreadable());
    }
    let previous = read(workload, label::PREVIOUS, parts.store);
    let token = parts.token.clone().unwrap_or_else(|| workload.token());
    let needed = spec.iter().chain(&previous).map(|spec| spec.revision());
    let needed: Vec<String> = needed.collect();
    let leftover = parts
        .store
        .map(|store| store::leftover(store, &needed, &token));
    if spec.is_some() && leftover.is_some_and(|leftover| !leftover.is_empty()) {
        conditions.push(untidy());
    }
    let revision = workload.label(label::REVISION).map(str::to_owned);
    let mut instances = instances(workload, parts, revision.as_ref());
    if workload.desired() == 0 && spec.is_some() {
        instances.extend(companions::ending(parts.companions, parts.warnings));
        conditions.extend(companions::going_on(parts.companions));
    }
    instances.sort_by(|a, b| a.name.cmp(&b.name));
    let mut faults = faults(workload, &conditions, &instances, parts.warnings);
    if let Some(spec) = spec.as_ref().filter(|_| runs(workload)) {
        faults.extend(companions::faults(spec, parts.companions, parts.warnings));
    }
    Observed {
        last_activity: last_activity(workload, &conditions, parts.pods),
        previous,
        generation: workload.generation(),
        observed_generation: numbers.observed_generation,
        desired: if runs(workload) {
            workload.desired()
        } else {
            0
        },
        // Left by an operation that was cut off, it says nothing of what runs.
        remembered: workload.remembered().filter(|_| workload.desired() == 0),
        replicas: numbers.replicas,
        updated: numbers.updated,
        ready: numbers.ready,
        available: numbers.available,
        endpoints: parts.ways.endpoints(&services, parts.suffix),
        image: workload
            .template()
            .and_then(|template| template.spec.as_ref()?.containers.first()?.image.clone()),
        draining: services.iter().any(|service| cordoned(service)),
        autoscaled: parts.autoscaled,
        created: workload.created(),
        left_out: workload
            .annotation(LEFT_OUT)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default(),
        token: Some(token),
        labels: workload.metadata().labels.clone().unwrap_or_default(),
        identity,
        spec,
        revision,
        instances,
        faults,
        conditions,
    }
}

/// Whether it is to run.
fn runs(workload: &Workload) -> bool {
    workload.desired() > 0 && !workload.deleting()
}

/// Its pods; those that are not of what is wanted say nothing of it.
fn instances(workload: &Workload, parts: &Parts<'_>, revision: Option<&String>) -> Vec<Instance> {
    let complete = workload.numbers().ready >= workload.desired();
    let all = parts.pods.iter().map(|pod| {
        let mut instance = instance(pod, parts.warnings);
        let its = instance.revision.as_ref();
        let replaced = its.is_some() && revision.is_some() && its != revision;
        if replaced || (complete && instance.phase == Phase::Ended) {
            instance.fault = None;
        }
        instance
    });
    all.collect()
}

/// The specification in an annotation, with the secrets that go with it.
fn read(workload: &Workload, key: &str, store: Option<&Secret>) -> Option<Box<Spec>> {
    let mut spec: Spec = serde_json::from_str(workload.annotation(key)?).ok()?;
    spec.secrets = store
        .map(|store| store::secrets(store, &spec.revision()))
        .unwrap_or_default();
    Some(Box::new(spec))
}

fn unreadable() -> Condition {
    Condition {
        kind: "SpecificationReadable".to_owned(),
        status: "False".to_owned(),
        reason: "OtherVersion".to_owned(),
        message: format!(
            "the annotation {} was written by another version",
            label::SPEC
        ),
        last_update: None,
    }
}

fn untidy() -> Condition {
    Condition {
        kind: Observed::TIDY.to_owned(),
        status: "False".to_owned(),
        reason: "Unfinished".to_owned(),
        message: "a change was cut off, and left what nobody needs: the next one clears up"
            .to_owned(),
        last_update: None,
    }
}

fn faults(
    workload: &Workload,
    conditions: &[Condition],
    instances: &[Instance],
    warnings: &Warnings<'_>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !runs(workload) {
        return faults;
    }
    for condition in conditions {
        if condition.kind == "ReplicaFailure" && condition.status == "True" {
            faults.push(not_created(
                &condition.reason,
                &condition.message,
                condition.last_update,
            ));
        }
    }
    let missing = workload.numbers().replicas < workload.desired();
    if workload.kind() == WorkloadKind::StatefulSet && missing {
        let about = ("StatefulSet", workload.namespace(), workload.name());
        let latest = warnings
            .get(&about)
            .into_iter()
            .flatten()
            .filter(|event| event.reason.as_deref() == Some("FailedCreate"))
            .max_by_key(|event| moment(event));
        if let Some(event) = latest {
            let message = event.message.as_deref().unwrap_or_default();
            faults.push(not_created("FailedCreate", message, moment(event)));
        }
    }
    let explained = !faults.is_empty() || instances.iter().any(|instance| instance.fault.is_some());
    for condition in conditions {
        if condition.reason == "ProgressDeadlineExceeded"
            && condition.status == "False"
            && !explained
        {
            faults.push(Fault {
                cause: Cause::Unknown,
                message: format!("{}: {}", condition.reason, condition.message),
                since: condition.last_update,
            });
        }
    }
    faults
}

/// A pod that the API server did not let the controller create.
fn not_created(reason: &str, message: &str, since: Option<Timestamp>) -> Fault {
    let cause =
        if quota(message) || message.contains("limitrange") || message.contains("LimitRange") {
            Cause::Quota
        } else {
            Cause::Configuration
        };
    Fault {
        cause,
        message: format!("{reason}: {message}"),
        since,
    }
}

fn last_activity(
    workload: &Workload,
    conditions: &[Condition],
    pods: &[&Pod],
) -> Option<Timestamp> {
    let of_pods = pods.iter().flat_map(|pod| {
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let changed = pod
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten())
            .filter_map(|condition| condition.last_transition_time.as_ref().map(|time| time.0));
        created.into_iter().chain(changed)
    });
    let of_conditions = conditions
        .iter()
        .filter_map(|condition| condition.last_update);
    workload
        .created()
        .into_iter()
        .chain(of_conditions)
        .chain(of_pods)
        .max()
}

/// Whether a pod is one of our server, by its labels.
fn is_of(pod: &Pod, identity: &Identity) -> bool {
    let labels = pod.metadata.labels.as_ref();
    let is = |key: &str, value: &str| {
        labels
            .and_then(|labels| labels.get(key))
            .map(String::as_str)
            == Some(value)
    };
    pod.metadata.namespace.as_deref() == Some(identity.namespace.as_str())
        && is(label::INSTANCE, identity.name.as_str())
        && is(label::MANAGED_BY, label::MANAGED_BY_VALUE)
}

/// What is left of a server whose workload is not there yet, or not any more: it can be deployed
/// again, or deleted.
fn remains(
    identity: &Identity,
    secret: &Secret,
    pods: &[Arc<Pod>],
    warnings: &Warnings<'_>,
) -> Observed {
    let labels = secret.metadata.labels.clone().unwrap_or_default();
    let left = pods.iter().filter(|pod| is_of(pod, identity));
    let instances: Vec<Instance> = left.map(|pod| instance(pod, warnings)).collect();
    let alive = instances
        .iter()
        .filter(|instance| instance.phase != Phase::Ending)
        .count();
    let deleting = secret.metadata.deletion_timestamp.is_some();
    let (reason, message) = if deleting {
        ("Deleting", "it is being deleted")
    } else {
        (
            "Unfinished",
            "a deployment or a deletion was cut off: deploy or delete it again",
        )
    };
    let spec = secret
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(label::SPEC))
        .and_then(|text| serde_json::from_str::<Spec>(text).ok())
        .map(|mut spec| {
            spec.secrets = store::secrets(secret, &spec.revision());
            Box::new(spec)
        });
    Observed {
        identity: identity.clone(),
        spec,
        previous: None,
        revision: None,
        generation: 0,
        observed_generation: 0,
        desired: 0,
        remembered: None,
        replicas: u32::try_from(alive).unwrap_or(u32::MAX),
        updated: 0,
        ready: 0,
        available: 0,
        instances,
        faults: Vec::new(),
        endpoints: Vec::new(),
        conditions: vec![Condition {
            kind: "Present".to_owned(),
            status: "False".to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            last_update: secret
                .metadata
                .deletion_timestamp
                .as_ref()
                .map(|time| time.0),
        }],
        image: None,
        draining: false,
        autoscaled: false,
        created: secret
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| time.0),
        last_activity: None,
        left_out: Vec::new(),
        token: None,
        labels,
    }
}
