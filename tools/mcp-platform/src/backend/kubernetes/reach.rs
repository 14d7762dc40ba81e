//! A way from here to a server: straight to it from inside the cluster, through a port that the
//! cluster's API forwards from outside.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Client;
use kube::api::{Api, ListParams};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use crate::backend::Reach;
use crate::error::{Error, Result};
use crate::model::{Identity, Phase, Spec, label};

use super::endpoints::{Ways, cordoned};
use super::fetch;
use super::pods::{Warnings, instance};
use super::steer::pods;
use super::workload::Workload;
use super::{Options, Side};

/// A way to a server or to one of its instances.
///
/// # Errors
/// `NotFound`, or `Conflict` when nothing of it is running.
pub async fn reach(
    client: &Client,
    options: &Options,
    identity: &Identity,
    wanted: Option<&str>,
) -> Result<Reach> {
    let workload = fetch::workload(client, identity).await?.ok_or_else(|| {
        Error::not_found(format!("there is no server {identity}")).hint("mcp-platform list")
    })?;
    let pods = pods(client, &workload).await?;
    let pod = choose(&pods, identity, wanted)?;
    let port = port(&workload, pod)?;
    match options.side {
        Side::Inside => {
            let host = match wanted {
                None => service(client, &workload).await?,
                Some(_) => None,
            };
            let address = match host {
                Some(address) => address,
                None => {
                    let ip = pod
                        .status
                        .as_ref()
                        .and_then(|status| status.pod_ip.as_deref());
                    let ip = ip.ok_or_else(|| {
                        Error::conflict(format!("the instances of {identity} have no address yet"))
                    })?;
                    if ip.contains(':') {
                        format!("[{ip}]:{port}")
                    } else {
                        format!("{ip}:{port}")
                    }
                }
            };
            Ok(Reach {
                base: base(&address)?,
                guard: None,
            })
        }
        Side::Outside => {
            let name = pod.metadata.name.clone().unwrap_or_default();
            forward(fetch::api(client, Some(workload.namespace())), name, port).await
        }
    }
}

fn base(address: &str) -> Result<Url> {
    Url::parse(&format!("http://{address}"))
        .map_err(|error| Error::internal(format!("{address:?} is no address: {error}")))
}

fn choose<'a>(pods: &'a [Pod], identity: &Identity, wanted: Option<&str>) -> Result<&'a Pod> {
    let nothing = Warnings::new();
    if let Some(wanted) = wanted {
        return pods
            .iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(wanted))
            .ok_or_else(|| {
                Error::not_found(format!("{identity} has no instance {wanted}"))
                    .hint(format!("mcp-platform status {}", identity.name))
            });
    }
    let running = |pod: &&Pod| instance(pod, &nothing).phase == Phase::Running;
    pods.iter()
        .find(|pod| instance(pod, &nothing).ready)
        .or_else(|| pods.iter().find(running))
        .ok_or_else(|| {
            Error::conflict(format!("no instance of {identity} is running"))
                .hint(format!("mcp-platform status {}", identity.name))
        })
}

/// The port in the pod: that of the specification, or the first one that a foreign pod declares.
fn port(workload: &Workload, pod: &Pod) -> Result<u16> {
    let specified = workload
        .annotation(label::SPEC)
        .and_then(|text| serde_json::from_str::<Spec>(text).ok())
        .map(|spec| spec.port);
    let declared = || {
        let containers = &pod.spec.as_ref()?.containers;
        let port = containers
            .iter()
            .flat_map(|container| container.ports.iter().flatten())
            .next()?;
        u16::try_from(port.container_port).ok()
    };
    specified.or_else(declared).ok_or_else(|| {
        Error::conflict(format!(
            "{} does not say at which port it listens",
            workload.name()
        ))
        .hint("declare a containerPort in its pod template")
    })
}

/// The address of a Service that leads to it.
async fn service(client: &Client, workload: &Workload) -> Result<Option<String>> {
    let api: Api<Service> = fetch::api(client, Some(workload.namespace()));
    let services = fetch::list(&api, &ListParams::default()).await?;
    let nothing = BTreeMap::new();
    let labels = workload.pod_labels().unwrap_or(&nothing);
    Ok(Ways::new(services, [])
        .services(workload.namespace(), labels)
        .iter()
        .filter(|service| !cordoned(service))
        .find_map(|service| {
            let spec = service.spec.as_ref()?;
            let ip = spec
                .cluster_ip
                .as_deref()
                .filter(|ip| !ip.is_empty() && *ip != "None")?;
            let port = spec.ports.iter().flatten().next()?.port;
            Some(if ip.contains(':') {
                format!("[{ip}]:{port}")
            } else {
                format!("{ip}:{port}")
            })
        }))
}

struct Forwarding(JoinHandle<()>);

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Listens on loopback; each connection is one stream through the API.
async fn forward(api: Api<Pod>, pod: String, port: u16) -> Result<Reach> {
    let failed =
        |error: std::io::Error| Error::internal(format!("cannot listen on 127.0.0.1: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => { connections.spawn(carry(api.clone(), pod.clone(), port, stream)); }
                    Err(_) => return,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Reach {
        base: base(&local.to_string())?,
        guard: Some(Box::new(Forwarding(task))),
    })
}

async fn carry(api: Api<Pod>, pod: String, port: u16, mut local: TcpStream) {
    // A way that does not open shows as a closed connection to who uses it.
    let Ok(mut forwarder) = api.portforward(&pod, &[port]).await else {
        return;
    };
    if let Some(mut remote) = forwarder.take_stream(port) {
        let _ = copy_bidirectional(&mut local, &mut remote).await;
    }
}
