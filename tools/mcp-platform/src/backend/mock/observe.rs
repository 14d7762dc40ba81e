//! A server of the mock as its answer: numbers, instances, endpoints, labels, objects. Pure.

use std::collections::BTreeMap;

use crate::model::{
    Condition, Endpoint, EndpointKind, Exposure, Identity, Instance, Observed, Spec, label,
};

use super::companion;
use super::server::Server;

/// What the back end answers for a server.
pub(super) fn observed(server: &Server) -> Observed {
    let here = || server.instances.iter().filter(|instance| instance.here());
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let ready = count(here().filter(|instance| instance.ready()).count());
    let spec = server.whole_spec();
    Observed {
        identity: server.identity.clone(),
        previous: server.whole_previous(),
        revision: spec.as_ref().map(|spec| spec.revision()),
        generation: server.generation,
        observed_generation: server.observed_generation,
        desired: server.desired,
        remembered: server.remembered,
        replicas: count(here().count()),
        updated: count(
            here()
                .filter(|instance| instance.template == server.taken.template)
                .count(),
        ),
        ready,
        available: ready,
        instances: server
            .instances
            .iter()
            .map(instance)
            .chain(companion::ending(server))
            .collect(),
        faults: [server.faults.clone(), companion::faults(server)].concat(),
        endpoints: endpoints(&server.identity, spec.as_deref()),
        conditions: vec![condition(server, ready)],
        image: spec
            .as_ref()
            .and_then(|spec| spec.run.image.as_ref().map(ToString::to_string)),
        draining: server.draining,
        autoscaled: false,
        created: Some(server.created),
        last_activity: server
            .events
            .last()
            .and_then(|event| event.at)
            .max(Some(server.changed)),
        left_out: Vec::new(),
        token: Some(server.token()),
        labels: labels(server),
        spec,
    }
}

fn instance(instance: &super::instance::Instance) -> Instance {
    Instance {
        name: instance.name.clone(),
        revision: Some(instance.revision.clone()),
        phase: instance.phase(),
        ready: instance.ready(),
        restarts: instance.restarts,
        created: Some(instance.created),
        fault: instance.fault.clone(),
    }
}

fn condition(server: &Server, ready: u32) -> Condition {
    let enough = ready >= server.desired;
    Condition {
        kind: "Available".to_owned(),
        status: if enough { "True" } else { "False" }.to_owned(),
        reason: if enough {
            "MinimumReplicasAvailable"
        } else {
            "MinimumReplicasUnavailable"
        }
        .to_owned(),
        message: format!("{ready} of {} available", server.desired),
        last_update: server.events.last().and_then(|event| event.at),
    }
}

/// Addresses of the ranges that are kept for documentation (RFC 5737), one a name.
fn endpoints(identity: &Identity, spec: Option<&Spec>) -> Vec<Endpoint> {
    let Some(spec) = spec else {
        return Vec::new();
    };
    let text = identity.to_string();
    let sum = text
        .bytes()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    let host = sum % 254 + 1;
    let port = spec.port;
    let mut all = vec![Endpoint {
        kind: EndpointKind::ClusterIp,
        url: format!("http://192.0.2.{host}:{port}"),
    }];
    match &spec.exposure {
        Exposure::ClusterIp => {}
        Exposure::NodePort { port } => all.push(Endpoint {
            kind: EndpointKind::NodePort,
            url: format!(
                "nodePort://*:{}",
                port.unwrap_or(30000 + (sum % 2768) as u16)
            ),
        }),
        Exposure::LoadBalancer => all.push(Endpoint {
            kind: EndpointKind::LoadBalancer,
            url: format!("http://203.0.113.{host}:{port}"),
        }),
        Exposure::Ingress { host, tls_secret } => {
            let scheme = if tls_secret.is_some() {
                "https"
            } else {
                "http"
            };
            all.push(Endpoint {
                kind: EndpointKind::Ingress,
                url: format!("{scheme}://{host}{}", spec.transport.path()),
            });
        }
    }
    all
}

fn labels(server: &Server) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (label::INSTANCE, server.identity.name.to_string()),
        (label::COMPONENT, label::COMPONENT_VALUE.to_owned()),
    ]);
    if let Some(spec) = &server.spec {
        labels.insert(label::NAME, spec.template.clone());
        labels.insert(label::VERSION, spec.version.clone());
        labels.insert(label::MANAGED_BY, label::MANAGED_BY_VALUE.to_owned());
        labels.insert(label::REVISION, spec.revision());
    }
    labels
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// Every object that a cluster would have of it.
pub(super) fn objects(server: &Server) -> Vec<String> {
    let name = &server.identity.name;
    let mut objects = vec![format!("workload/{name}"), format!("service/{name}")];
    if let Some(spec) = &server.spec {
        if !spec.environment.is_empty() || !spec.files.is_empty() {
            objects.push(format!("configuration/{name}"));
        }
        let lasting = spec.volumes.iter().filter(|volume| volume.size > 0);
        objects.extend(lasting.map(|volume| format!("volume/{name}-{}", volume.name)));
        let companions = spec.companions.iter().filter(|companion| companion.enabled);
        objects.extend(companions.filter_map(|one| {
            let volume = one.volume.as_ref()?;
            Some(format!("volume/{name}-{}-{}", one.name, volume.name))
        }));
    }
    let companions = server.companions.iter();
    objects.extend(companions.map(|one| format!("companion/{name}-{}", one.name)));
    // The word of an empty set is stored too.
    if server.secrets.len() > 1 {
        objects.push(format!("secret/{name}"));
    }
    let instances = server.instances.iter();
    objects.extend(instances.map(|instance| format!("instance/{}", instance.name)));
    objects.sort();
    objects
}
