//! Takes away what is not wanted any more: objects of specifications before the previous one, and
//! their secrets.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Patch, PatchParams};

use crate::error::{Error, Kind, Result};
use crate::model::{Identity, Spec, label};

use super::FIELD_MANAGER;
use super::answer::ask_optional;
use super::apply::Wanted;
use super::fetch;
use super::kinds::{Role, Served};
use super::parts::Kinded;
use super::remove::{Found, find};
use super::store;
use super::write::{Mark, delete_unchanged};

/// Whether everything of a server is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// It is.
    Whole,
    /// Somebody deleted parts of it while it was written.
    Parts,
}

/// Deletes what an earlier specification needed and this and the previous one do not. Claims stay:
/// what is in a volume goes only with the server.
///
/// Others may be changing the server at the same time. `token` is that of the workload after our
/// write: when it has another one by now, somebody wrote after us and clears up; what is marked for
/// it, somebody is about to need; and what is marked anew after it was looked at is not deleted.
///
/// # Errors
/// `Conflict` when the server was deleted meanwhile, else what the API says.
pub async fn prune(
    client: &Client,
    served: &Served,
    wanted: &Wanted<'_>,
    applied: &[Kinded],
    token: &str,
) -> Result<Completeness> {
    let identity = &wanted.spec.identity;
    let mut needed = vec![wanted.spec.revision()];
    needed.extend(wanted.previous.map(Spec::revision));
    let secrets = fetch::api::<Secret>(client, Some(identity.namespace.as_str()));
    let name = store::name(identity);
    let store = ask_optional("get the store of the server", secrets.get(&name)).await?;
    let found = find(client, served, identity).await?;
    // Looked at last: whoever writes for a later state than this one has marked nothing of the above.
    let present = fetch::workload(client, identity).await?;
    let Some(present) = present.filter(|present| !present.deleting()) else {
        return Err(Error::conflict(format!("{identity} was deleted meanwhile"))
            .hint("deploy it again when it is wanted"));
    };
    let names: BTreeSet<(&str, &str)> = applied
        .iter()
        .filter_map(|(kind, object)| Some((kind.kind, object.pointer("/metadata/name")?.as_str()?)))
        .collect();
    let ours = present.label(label::REVISION) == needed.first().map(String::as_str);
    if ours && !whole(&found, &names, &name) {
        return Ok(Completeness::Parts);
    }
    if present.token() != token {
        return Ok(Completeness::Whole);
    }
    let unwanted = found.iter().filter(|one| {
        let (kind, metadata) = one;
        let its_name = metadata.name.as_deref().unwrap_or_default();
        let written_now = Mark::on(metadata).is_some_and(|mark| Mark::is_for(mark, token));
        !(stays(one, identity)
            || written_now
            || names.contains(&(kind.kind, its_name))
            || revision_in_name(one).is_some_and(|revision| needed.contains(&revision)))
    });
    for (kind, metadata) in unwanted {
        delete_unchanged(client, kind, metadata).await?;
    }
    if let Some(store) = store {
        forget(client, identity, &store, &needed, token).await?;
    }
    Ok(Completeness::Whole)
}

/// Whether all objects of these names are there to stay, and the store.
fn whole(found: &[Found], names: &BTreeSet<(&str, &str)>, store: &str) -> bool {
    let there: BTreeSet<(&str, &str)> = found
        .iter()
        .filter(|(_, metadata)| metadata.deletion_timestamp.is_none())
        .filter_map(|(kind, metadata)| Some((kind.kind, metadata.name.as_deref()?)))
        .collect();
    names.is_subset(&there) && there.contains(&("Secret", store))
}

/// What goes with the server only, or with what it was made from.
fn stays((kind, metadata): &Found, identity: &Identity) -> bool {
    let name = metadata.name.as_deref().unwrap_or_default();
    match kind.kind {
        "PersistentVolumeClaim" => true,
        "Secret" => name == store::name(identity),
        "Deployment" | "StatefulSet" => name == identity.name.as_str(),
        _ => kind.role == Role::Derived,
    }
}

/// The revision, of an object whose name ends with it.
fn revision_in_name((_, metadata): &Found) -> Option<String> {
    let revision = metadata.labels.as_ref()?.get(label::REVISION)?;
    metadata
        .name
        .as_ref()?
        .ends_with(revision.as_str())
        .then(|| revision.clone())
}

/// Takes the secrets of all other revisions out of the store.
async fn forget(
    client: &Client,
    identity: &Identity,
    store: &Secret,
    needed: &[String],
    token: &str,
) -> Result<()> {
    let leftover = store::leftover(store, needed, token);
    if leftover.is_empty() {
        return Ok(());
    }
    let secrets = fetch::api::<Secret>(client, Some(identity.namespace.as_str()));
    let name = store::name(identity);
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(store::without(store, &leftover));
    let what = format!("write Secret {name}");
    match ask_optional(&what, secrets.patch(&name, &parameters, &patch)).await {
        // Somebody wrote since, and clears up afterwards.
        Err(error) if error.kind == Kind::Conflict => Ok(()),
        answer => answer.map(drop),
    }
}
