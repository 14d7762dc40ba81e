//! Servers that somebody else started with the label `app.kubernetes.io/component=mcp-server`: they
//! are shown, and can be started, stopped, restarted and removed; what runs in them is not ours to
//! change.

use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    KillContainerOptions, RestartContainerOptions, StartContainerOptions, StopContainerOptions,
};

use crate::error::{Error, Result};
use crate::model::{Action, Endpoint, EndpointKind, Identity, Instance, Observed, Phase, label};
use crate::world::now;

use super::engine::Engine;
use super::observe::{counted, is_ours};
use super::record::{labels_of, name_of};
use super::refuse::{is_already, refused};
use super::state::{Seen, running};
use super::{act, names};

/// The containers of a foreign server.
///
/// # Errors
/// The engine cannot be asked.
pub async fn containers(
    engine: &Engine,
    identity: &Identity,
) -> Result<Vec<ContainerInspectResponse>> {
    let all = engine.containers(&names::of_all()).await?;
    Ok(all
        .into_iter()
        .filter(|one| !is_ours(one) && identity_of(engine, one).as_ref() == Some(identity))
        .collect())
}

/// Which server a container belongs to.
pub fn identity_of(engine: &Engine, one: &ContainerInspectResponse) -> Option<Identity> {
    names::identity(labels_of(one)?, &name_of(one), &engine.place.namespace)
}

/// What is there: one that is stopped is one of which nothing runs.
pub fn observed(identity: &Identity, containers: Vec<ContainerInspectResponse>) -> Observed {
    let seen: Vec<Seen> = containers
        .into_iter()
        .map(|container| Seen {
            look: running(&container).then_some(Ok(())),
            end: None,
            container,
        })
        .collect();
    let instances: Vec<Instance> = seen
        .iter()
        .map(|one| one.instance(Duration::from_secs(30), now()))
        .filter(|one| matches!(one.phase, Phase::Running | Phase::Ending))
        .collect();
    let up = u32::try_from(instances.len()).unwrap_or(u32::MAX);
    let remembered = u32::try_from(seen.len()).ok().filter(|_| up == 0);
    Observed {
        desired: up,
        updated: up,
        remembered,
        endpoints: seen
            .iter()
            .flat_map(|one| endpoints(&one.container))
            .collect(),
        image: seen
            .first()
            .and_then(|one| one.container.config.as_ref()?.image.clone()),
        labels: seen
            .first()
            .and_then(|one| labels_of(&one.container))
            .map(|labels| {
                labels
                    .iter()
                    .filter(|(key, _)| key.as_str() != label::SPEC)
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            })
            .unwrap_or_default(),
        ..counted(identity, instances, &seen)
    }
}

/// Performs an action on the containers as they are.
///
/// # Errors
/// `NotFound` when there is none, `Conflict` when the action would change what runs.
pub async fn perform(engine: &Engine, identity: &Identity, action: &Action) -> Result<()> {
    let all = containers(engine, identity).await?;
    if all.is_empty() {
        return Err(Error::not_found(format!("there is no server {identity}")));
    }
    let docker = engine.docker().await?;
    let failed = |name: &str, error| refused(&format!("the container {name}"), error);
    for one in &all {
        let name = name_of(one);
        let done = match action {
            Action::Scale { to: 0, .. } => {
                docker
                    .stop_container(&name, None::<StopContainerOptions>)
                    .await
            }
            Action::Scale { to, .. } if *to as usize == all.len() => {
                docker
                    .start_container(&name, None::<StartContainerOptions>)
                    .await
            }
            Action::Restart => {
                docker
                    .restart_container(&name, None::<RestartContainerOptions>)
                    .await
            }
            Action::Kill if running(one) => {
                docker
                    .kill_container(&name, None::<KillContainerOptions>)
                    .await
            }
            Action::Remove => {
                act::remove(engine, &name).await?;
                Ok(())
            }
            Action::Kill | Action::Cordon | Action::Drain { .. } | Action::Uncordon => Ok(()),
            Action::Scale { .. } | Action::Apply { .. } => {
                return Err(Error::conflict(format!(
                    "{identity} was not deployed by this platform, and its containers cannot be multiplied or changed"
                ))
                .hint("use the tool that deployed it; start, stop and restart work here"));
            }
        };
        match done {
            Ok(()) => {}
            Err(error) if is_already(&error) => {}
            Err(error) => return Err(failed(&name, error)),
        }
    }
    Ok(())
}

/// The first published port of a running container.
pub fn port(container: &ContainerInspectResponse) -> Option<u16> {
    ports(container).into_iter().next()
}

fn endpoints(container: &ContainerInspectResponse) -> Vec<Endpoint> {
    let endpoint = |port| Endpoint {
        kind: EndpointKind::Loopback,
        url: format!("http://127.0.0.1:{port}"),
    };
    ports(container).into_iter().map(endpoint).collect()
}

fn ports(container: &ContainerInspectResponse) -> Vec<u16> {
    let bound = container
        .network_settings
        .as_ref()
        .and_then(|settings| settings.ports.clone())
        .filter(|_| running(container))
        .unwrap_or_default();
    let mut ports: Vec<u16> = bound
        .into_values()
        .flatten()
        .flatten()
        .filter_map(|binding| binding.host_port?.parse().ok())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
