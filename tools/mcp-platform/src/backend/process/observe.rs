//! From the record and what the supervisor answers to what is observed. Pure.

use std::collections::BTreeMap;

use crate::model::{
    Cause, Condition, Endpoint, EndpointKind, Fault, Instance, Observed, Phase, label,
};

use super::command::left_out;
use super::record::{Record, Wheel};
use super::state::{Answer, InstanceState};

/// Who keeps the server.
pub enum Keeping {
    /// A supervisor, which answered.
    Supervised(Answer),
    /// Nobody; what the last supervisor left, and which of its instances still live.
    Alone(Answer, Vec<InstanceState>),
}

/// What it all means.
pub fn observed(record: &Record, keeping: Keeping) -> Observed {
    let alone = matches!(keeping, Keeping::Alone(..));
    let (answer, instances) = match keeping {
        Keeping::Supervised(answer) => {
            let mut instances: Vec<InstanceState> = answer.instances.values().cloned().collect();
            instances.sort_by_key(|instance| instance.serial);
            (answer, instances)
        }
        Keeping::Alone(answer, alive) => (answer, alive),
    };
    let desired = if record.removing { 0 } else { record.replicas };
    let stamp = record.stamp();
    let present: Vec<&InstanceState> = instances
        .iter()
        .filter(|instance| instance.phase != Phase::Ending)
        .collect();
    let count = |fits: &dyn Fn(&InstanceState) -> bool| {
        u32::try_from(present.iter().filter(|instance| fits(instance)).count()).unwrap_or(u32::MAX)
    };
    let ready = if alone {
        0
    } else {
        count(&|instance| instance.ready)
    };
    let gone = alone && (desired > 0 || record.removing || !instances.is_empty());
    let mut faults = if alone {
        Vec::new()
    } else {
        answer.faults.clone()
    };
    if gone {
        faults.insert(0, gone_fault(instances.len()));
    }
    // Without a supervisor there is nothing that a stopped server still had to take up.
    let seen = if alone && desired == 0 {
        record.generation
    } else {
        answer.generation
    };
    Observed {
        identity: record.spec.identity.clone(),
        spec: Some(Box::new(record.spec.clone())),
        previous: record.previous.clone().map(Box::new),
        revision: Some(record.spec.revision()),
        generation: record.generation,
        observed_generation: seen,
        desired,
        remembered: record.remembered,
        replicas: count(&|_| true),
        updated: count(&|instance| instance.stamp == stamp),
        ready,
        available: ready,
        endpoints: endpoints(record, answer.port.filter(|_| !alone)),
        conditions: vec![supervised(record, &answer, gone, alone)],
        image: record.wheel.as_ref().map(|wheel| match wheel {
            Wheel::File { path, .. } => path.clone(),
            Wheel::Index(requirement) => requirement.clone(),
        }),
        // What is wanted is true once the supervisor has taken it up.
        draining: (record.draining || record.removing)
            && (alone || answer.draining.unwrap_or(true)),
        autoscaled: false,
        created: Some(record.created),
        last_activity: Some(record.changed),
        left_out: left_out(&record.spec),
        token: Some(record.token()),
        labels: labels(record),
        instances: instances
            .iter()
            .map(|instance| shown(instance, alone))
            .collect(),
        faults,
    }
}

fn shown(instance: &InstanceState, alone: bool) -> Instance {
    Instance {
        name: instance.name.clone(),
        revision: Some(instance.revision.clone()),
        phase: instance.phase,
        ready: instance.ready && !alone,
        restarts: instance.restarts,
        created: Some(instance.created),
        fault: instance.fault.clone(),
    }
}

fn gone_fault(alive: usize) -> Fault {
    let left = if alive == 1 {
        "and 1 of its instances runs on out of reach".to_owned()
    } else if alive == 0 {
        "and no instance runs".to_owned()
    } else {
        format!("and {alive} of its instances run on out of reach")
    };
    Fault {
        cause: Cause::Exited,
        message: format!(
            "the supervisor is gone, {left}; any change brings one back, as does `mcp-platform serve`"
        ),
        since: None,
    }
}

fn supervised(record: &Record, answer: &Answer, gone: bool, alone: bool) -> Condition {
    let (status, reason, message) = if gone {
        (
            "False",
            "Gone",
            "the supervisor is gone; any change brings one back".to_owned(),
        )
    } else if alone {
        ("True", "NotNeeded", "nothing runs".to_owned())
    } else {
        (
            "True",
            "Supervised",
            format!(
                "by process {}; {} sessions are open",
                answer.pid, answer.sessions
            ),
        )
    };
    Condition {
        kind: Observed::SUPERVISED.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        last_update: Some(record.changed),
    }
}

fn endpoints(record: &Record, port: Option<u16>) -> Vec<Endpoint> {
    let transport = &record.spec.transport;
    port.map(|port| Endpoint {
        kind: EndpointKind::Loopback,
        url: format!(
            "{}://127.0.0.1:{port}{}",
            transport.scheme(),
            transport.path()
        ),
    })
    .into_iter()
    .collect()
}

/// The labels, which are the same on every back end.
pub fn labels(record: &Record) -> BTreeMap<String, String> {
    let spec = &record.spec;
    let mut labels = BTreeMap::from(
        [
            (label::NAME, spec.template.clone()),
            (label::INSTANCE, spec.identity.name.to_string()),
            (label::COMPONENT, label::COMPONENT_VALUE.to_owned()),
            (label::MANAGED_BY, label::MANAGED_BY_VALUE.to_owned()),
            (label::VERSION, spec.version.clone()),
            (label::NAMESPACE, spec.identity.namespace.to_string()),
            (label::REVISION, spec.revision()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    if let Some(commit) = &spec.provenance.commit {
        labels.insert(label::COMMIT.to_owned(), commit.clone());
    }
    let built = match &record.wheel {
        Some(Wheel::File { sha256, .. }) => Some(sha256),
        Some(Wheel::Index(_)) | None => None,
    };
    if let Some(sha256) = spec.provenance.wheel_sha256.as_ref().or(built) {
        labels.insert(label::WHEEL.to_owned(), sha256.clone());
    }
    labels
}
