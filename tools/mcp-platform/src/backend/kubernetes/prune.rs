//! Takes away what is not wanted any more: objects of specifications before the previous one, and
//! their secrets.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{ListParams, Patch, PatchParams};

use crate::error::Result;
use crate::model::{Identity, Spec, label};

use super::FIELD_MANAGER;
use super::answer::{ask, ask_optional};
use super::apply::{Wanted, dynamic};
use super::kinds::{ObjectKind, Role, Served};
use super::parts::Kinded;
use super::remove::{delete, of_server};
use super::store;

/// Deletes what an earlier specification needed and this and the previous one do not. Claims stay:
/// what is in a volume goes only with the server. What carries a revision that was not known before
/// may be somebody's next one: it goes when it is older than the present one.
///
/// # Errors
/// What the API says.
pub async fn prune(
    client: &Client,
    served: &Served,
    wanted: &Wanted<'_>,
    applied: &[Kinded],
    before: &[String],
) -> Result<()> {
    let identity = &wanted.spec.identity;
    let present = wanted.spec.revision();
    let mut keep = vec![present.clone()];
    keep.extend(wanted.previous.map(Spec::revision));
    let names: BTreeSet<(&str, &str)> = applied
        .iter()
        .filter_map(|(kind, object)| Some((kind.kind, object.pointer("/metadata/name")?.as_str()?)))
        .collect();
    let parameters = ListParams::default().labels(&of_server(identity));
    for kind in served
        .kinds()
        .filter(|kind| kind.role != Role::Derived && kind.kind != "PersistentVolumeClaim")
    {
        let api = dynamic(client, kind, identity.namespace.as_str());
        let found = ask(
            &format!("list {}", kind.plural),
            api.list_metadata(&parameters),
        )
        .await?
        .items;
        let since = found
            .iter()
            .filter(|object| revision_in_name(&object.metadata).as_ref() == Some(&present))
            .filter_map(|object| object.metadata.creation_timestamp.clone())
            .max();
        for object in found {
            let name = object.metadata.name.as_deref().unwrap_or_default();
            let kept = names.contains(&(kind.kind, name))
                || (kind.kind == "Secret" && name == store::name(identity))
                || (matches!(kind.kind, "Deployment" | "StatefulSet")
                    && name == identity.name.as_str())
                || revision_in_name(&object.metadata).is_some_and(|revision| {
                    let younger = since.is_none() || object.metadata.creation_timestamp >= since;
                    keep.contains(&revision) || (!before.contains(&revision) && younger)
                });
            if !kept {
                delete(client, kind, &object.metadata).await?;
            }
        }
    }
    let forgotten: Vec<&String> = before
        .iter()
        .filter(|revision| !keep.contains(revision))
        .collect();
    forget(client, identity, &forgotten).await
}

/// The revision, of an object whose name ends with it.
fn revision_in_name(metadata: &ObjectMeta) -> Option<String> {
    let revision = metadata.labels.as_ref()?.get(label::REVISION)?;
    metadata
        .name
        .as_ref()?
        .ends_with(revision.as_str())
        .then(|| revision.clone())
}

/// Takes the secrets of these revisions out of the store.
async fn forget(client: &Client, identity: &Identity, revisions: &[&String]) -> Result<()> {
    let Some(patch) = store::without(revisions) else {
        return Ok(());
    };
    let kind = ObjectKind::of("v1", "Secret").expect("Secret is in the list of kinds");
    let (api, name) = (
        dynamic(client, kind, identity.namespace.as_str()),
        store::name(identity),
    );
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let what = format!("write Secret {name}");
    ask_optional(&what, api.patch(&name, &parameters, &Patch::Merge(&patch)))
        .await
        .map(drop)
}
