//! Creates a server or changes it: server-side apply of every object, in the order in which they
//! depend on each other, the workload by compare-and-swap, and then away with what is not wanted
//! any more.

use std::time::Duration;

use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::error::{Error, Kind, Result};
use crate::model::{Identity, Remember, Spec};

use super::answer::ask_optional;
use super::companions;
use super::fetch;
use super::kinds::{ObjectKind, Served};
use super::parts::{Parts, completed, divide, merge};
use super::prune::{Completeness, prune};
use super::store;
use super::workload::{Workload, WorkloadKind};
use super::write::{
    Earnest, Made, Mark, Written, apply_one, create, delete_unchanged, dynamic, take_over,
};
use super::{FIELD_MANAGER, Options};

/// How often a write that lost to a mere report of status is tried again.
const ATTEMPTS: usize = 8;

/// Before something is written again that is being deleted.
const AGAIN: Duration = Duration::from_millis(250);

/// What `Apply` asks for.
pub struct Wanted<'a> {
    /// The server.
    pub spec: &'a Spec,
    /// How many instances.
    pub replicas: u32,
    /// What `start` shall find.
    pub remember: Remember,
    /// What to go back to.
    pub previous: Option<&'a Spec>,
    /// The token of what was observed.
    pub expected: Option<&'a str>,
}

/// Performs it.
///
/// # Errors
/// `Conflict` when the server changed since it was observed, else what the API says.
pub async fn apply(
    client: &Client,
    served: &Served,
    options: &Options,
    wanted: &Wanted<'_>,
) -> Result<()> {
    let identity = &wanted.spec.identity;
    let live = fetch::workload(client, identity).await?;
    unchanged(identity, live.as_ref(), wanted.expected)?;
    let mark = Mark::new(&(options.random)(), wanted.expected);
    let mut parts = divide(wanted.spec, served, options)?;
    mark.put(&mut parts.workload.1);
    for (kind, object) in &mut parts.others {
        mark.put(object);
        if kind.kind == "Deployment" {
            companions::follow(object, wanted.replicas);
        }
    }
    rehearse(client, &parts, identity).await?;
    let mut run = Run {
        client,
        wanted,
        mark,
        beginning: match &live {
            None => Beginning::Nothing,
            Some(_) => Beginning::Server,
        },
        made: Vec::new(),
    };
    let Err(error) = run.perform(served, live, &parts).await else {
        return Ok(());
    };
    match run.take_back().await {
        Ok(()) => Err(error),
        Err(second) => Err(error.hint(format!(
            "and not all of it could be removed: {}",
            second.message
        ))),
    }
}

/// What there was before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// No server, so it is created.
    Nothing,
    /// The server, which is changed.
    Server,
}

/// One run of an apply, with what it created.
struct Run<'a> {
    client: &'a Client,
    wanted: &'a Wanted<'a>,
    mark: Mark,
    beginning: Beginning,
    made: Vec<(&'static ObjectKind, ObjectMeta)>,
}

impl Run<'_> {
    /// Writes everything, and then away with what is not wanted any more. What somebody deletes
    /// together with the server, while it is written, is written again.
    async fn perform(
        &mut self,
        served: &Served,
        live: Option<Workload>,
        parts: &Parts,
    ) -> Result<()> {
        self.keep().await?;
        self.put_all(parts, |kind| !after(kind)).await?;
        let token = self.write(live, parts).await?;
        self.put_all(parts, after).await?;
        let (client, wanted) = (self.client, self.wanted);
        for _ in 0..ATTEMPTS {
            let state = prune(client, served, wanted, &parts.others, &token).await?;
            if state == Completeness::Whole {
                return Ok(());
            }
            let again = match self.keep().await {
                Ok(()) => self.put_all(parts, |_| true).await,
                Err(error) => Err(error),
            };
            match again {
                // Not quite gone yet.
                Err(error) if error.kind == Kind::Conflict => tokio::time::sleep(AGAIN).await,
                again => again?,
            }
        }
        Err(being_deleted(&wanted.spec.identity))
    }

    async fn put_all(&mut self, parts: &Parts, which: fn(&ObjectKind) -> bool) -> Result<()> {
        for (kind, object) in parts.others.iter().filter(|(kind, _)| which(kind)) {
            self.put(kind, object).await?;
        }
        Ok(())
    }

    async fn put(&mut self, kind: &'static ObjectKind, object: &serde_json::Value) -> Result<()> {
        let identity = &self.wanted.spec.identity;
        let Written { object, made } =
            apply_one(self.client, kind, object, identity, Earnest::Do).await?;
        if made == Made::Created {
            self.made.push((kind, object.metadata));
        }
        Ok(())
    }

    /// Takes back what this run created when there is no server, or only the one that this run did
    /// not bring to its end, so that nothing is left of it. What another instance of the platform
    /// needs by now it has marked, and that stays.
    async fn take_back(&self) -> Result<()> {
        let (client, identity) = (self.client, &self.wanted.spec.identity);
        if let Some(present) = fetch::workload(client, identity).await?
            && !present.deleting()
        {
            let ours = Mark::on(present.metadata()) == Some(self.mark.as_str());
            if !ours || self.beginning == Beginning::Server {
                return Ok(());
            }
            delete_unchanged(client, present.kind().object_kind(), present.metadata()).await?;
        }
        for (kind, object) in self.made.iter().rev() {
            delete_unchanged(client, kind, object).await?;
        }
        Ok(())
    }

    /// Puts what we keep of the server where it is kept, without taking anything away.
    async fn keep(&mut self) -> Result<()> {
        let (client, wanted) = (self.client, self.wanted);
        let identity = &wanted.spec.identity;
        let object = store::object(wanted.spec, wanted.previous, &self.mark)?;
        let kind = ObjectKind::of("v1", "Secret").expect("Secret is in the list of kinds");
        let (api, name) = (
            dynamic(client, kind, identity.namespace.as_str()),
            store::name(identity),
        );
        let what = format!("write Secret {name}");
        for _ in 0..2 {
            let parameters = PatchParams {
                field_manager: Some(FIELD_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let patch = Patch::Merge(&object);
            let present = ask_optional(&what, api.patch(&name, &parameters, &patch)).await?;
            if let Some(present) = present {
                if present.metadata.deletion_timestamp.is_some() {
                    return Err(being_deleted(identity));
                }
                return Ok(());
            }
            match create(client, kind, identity, &object).await {
                // Somebody else was faster: add ours to it.
                Err(error) if error.kind == Kind::Conflict => {}
                Err(error) => return Err(error),
                Ok(created) => {
                    self.made.push((kind, created.metadata));
                    return Ok(());
                }
            }
        }
        Err(Error::conflict(format!(
            "{identity} is being created and deleted at the same time"
        )))
    }

    /// Writes the workload, so that it fails when somebody else changed what is wanted; its token
    /// afterwards.
    async fn write(&self, live: Option<Workload>, parts: &Parts) -> Result<String> {
        let (client, wanted) = (self.client, self.wanted);
        let identity = &wanted.spec.identity;
        let (kind, object) = &parts.workload;
        let mut live = live;
        for _ in 0..ATTEMPTS {
            unchanged(identity, live.as_ref(), wanted.expected)?;
            let replicas = match &live {
                Some(live)
                    if wanted.replicas > 0
                        && live.desired() > 0
                        && autoscaled(client, live).await? =>
                {
                    live.desired()
                }
                _ => wanted.replicas,
            };
            let mut object = completed(
                object.clone(),
                wanted,
                replicas,
                live.as_ref(),
                &parts.left_out,
            )?;
            let written = match &live {
                None => create(client, kind, identity, &object).await,
                Some(live) => {
                    let version = take_over(client, kind, live).await?;
                    merge(
                        &mut object,
                        &json!({"metadata": {"resourceVersion": version}}),
                    );
                    match apply_one(client, kind, &object, identity, Earnest::Do).await {
                        Ok(written) if written.made == Made::Created => {
                            return Err(revived(client, kind, identity, &written).await);
                        }
                        written => written.map(|written| written.object),
                    }
                }
            };
            match written {
                Err(error) if matches!(error.kind, Kind::Conflict | Kind::NotFound) => {
                    live = fetch::workload(client, identity).await?;
                    if live.is_none() && wanted.expected.is_none() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
                Ok(written) => return token(kind, written),
            }
        }
        Err(Error::unavailable(format!(
            "{identity} changes faster than it can be written; try again"
        )))
    }
}

/// Asks the API server whether it would take every object, before the first is written: so that a
/// refusal of one does not leave the others changed.
async fn rehearse(client: &Client, parts: &Parts, identity: &Identity) -> Result<()> {
    let all = parts.others.iter().chain([&parts.workload]);
    let rehearsals =
        all.map(|(kind, object)| apply_one(client, kind, object, identity, Earnest::Rehearse));
    for answer in futures::future::join_all(rehearsals).await {
        match answer {
            // A webhook that cannot rehearse has its say when it is meant.
            Err(error) if error.message.contains("dry run") => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Kinds that speak of the workload and so come after it.
fn after(kind: &ObjectKind) -> bool {
    matches!(
        kind.kind,
        "PodDisruptionBudget" | "HorizontalPodAutoscaler" | "Ingress"
    )
}

/// An apply creates what is not there, on older clusters even when it names a version: a server that
/// somebody deleted does not come back that way.
async fn revived(
    client: &Client,
    kind: &ObjectKind,
    identity: &Identity,
    written: &Written,
) -> Error {
    let error = Error::conflict(format!("{identity} was deleted meanwhile"))
        .hint("deploy it again when it is wanted");
    match delete_unchanged(client, kind, &written.object.metadata).await {
        Ok(()) => error,
        Err(second) => error.hint(format!("and it came back: {}", second.message)),
    }
}

fn being_deleted(identity: &Identity) -> Error {
    Error::conflict(format!("{identity} is being deleted")).hint("try again when it is gone")
}

/// The token of a workload that was written.
fn token(kind: &ObjectKind, written: DynamicObject) -> Result<String> {
    let workload = match kind.kind {
        "StatefulSet" => WorkloadKind::StatefulSet,
        _ => WorkloadKind::Deployment,
    };
    Workload::read(workload, written)
        .map(|workload| workload.token())
        .map_err(|error| {
            Error::internal(format!(
                "the cluster's API answered with a {} that cannot be read: {error}",
                kind.kind
            ))
        })
}

fn unchanged(identity: &Identity, live: Option<&Workload>, expected: Option<&str>) -> Result<()> {
    match (live, expected) {
        (Some(live), _) if live.deleting() => Err(being_deleted(identity)),
        (None, None) => Ok(()),
        (Some(_), None) => Err(Error::conflict(format!("{identity} was created meanwhile"))),
        (None, Some(_)) => Err(Error::conflict(format!("{identity} was deleted meanwhile"))),
        (Some(live), Some(expected)) if live.token() == expected => Ok(()),
        (Some(_), Some(_)) => Err(Error::conflict(format!("{identity} was changed meanwhile"))),
    }
}

/// Whether an autoscaler sets the number of instances.
async fn autoscaled(client: &Client, workload: &Workload) -> Result<bool> {
    let api: Api<HorizontalPodAutoscaler> = Api::namespaced(client.clone(), workload.namespace());
    let found = ask_optional("list autoscalers", api.list(&ListParams::default())).await?;
    Ok(found.into_iter().flatten().any(|one| {
        let target = one.spec.scale_target_ref;
        target.kind == workload.kind().word() && target.name == workload.name()
    }))
}
