//! The kinds of objects that a server is made of, in the order in which they depend on each other,
//! and which of them a cluster serves.

use std::collections::BTreeSet;

use futures::future::join_all;
use kube::Client;
use kube::core::{ApiResource, GroupVersionKind};

use crate::error::{Error, Result};
use crate::manifest::Pause;

use super::answer::ask;

/// Whether we create objects of a kind or only find them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Created by us.
    Ours,
    /// Created by us on clusters of one make only.
    Special,
    /// Made by the cluster's controllers from ours; found by labels, and gone with ours.
    Derived,
}

/// One kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectKind {
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The version.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The word in paths.
    pub plural: &'static str,
    /// Who makes them.
    pub role: Role,
}

const fn ours(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> ObjectKind {
    ObjectKind {
        group,
        version,
        kind,
        plural,
        role: Role::Ours,
    }
}

const fn derived(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> ObjectKind {
    ObjectKind {
        group,
        version,
        kind,
        plural,
        role: Role::Derived,
    }
}

/// Every kind, those first on which others depend.
pub const KINDS: [ObjectKind; 21] = [
    ours("", "v1", "ServiceAccount", "serviceaccounts"),
    ours("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    ours(
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        "rolebindings",
    ),
    ours("", "v1", "Secret", "secrets"),
    ours("", "v1", "ConfigMap", "configmaps"),
    ours("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ours(
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
    ),
    ObjectKind {
        group: "cloud.google.com",
        version: "v1",
        kind: "BackendConfig",
        plural: "backendconfigs",
        role: Role::Special,
    },
    ours("", "v1", "Service", "services"),
    ours("apps", "v1", "StatefulSet", "statefulsets"),
    ours("apps", "v1", "Deployment", "deployments"),
    ours(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
    ),
    ours(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
    ),
    ours("networking.k8s.io", "v1", "Ingress", "ingresses"),
    derived("batch", "v1", "Job", "jobs"),
    derived("apps", "v1", "ReplicaSet", "replicasets"),
    derived("apps", "v1", "ControllerRevision", "controllerrevisions"),
    derived("", "v1", "Endpoints", "endpoints"),
    derived("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    derived(
        "discovery.k8s.io",
        "v1beta1",
        "EndpointSlice",
        "endpointslices",
    ),
    derived("", "v1", "Pod", "pods"),
];

impl ObjectKind {
    /// `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// What the client library needs to know of it.
    pub fn resource(&self) -> ApiResource {
        ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk(self.group, self.version, self.kind),
            self.plural,
        )
    }

    /// The path of its objects in a namespace.
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        format!(
            "/{root}/{}/namespaces/{namespace}/{}",
            self.api_version(),
            self.plural
        )
    }

    /// The kind of an object that was read.
    pub fn of(api_version: &str, kind: &str) -> Option<&'static ObjectKind> {
        KINDS
            .iter()
            .find(|known| known.kind == kind && known.api_version() == api_version)
    }
}

/// From this minor version on no node may be so old that it does not know the `sleep` action: nodes
/// are at most three behind, and 1.30 has it.
const PAUSES: u32 = 33;

/// The kinds that a cluster serves, and its minor version where it says it.
#[derive(Debug, Clone, Default)]
pub struct Served(BTreeSet<(String, &'static str)>, Option<u32>);

impl Served {
    /// Asks the cluster: one request for each group and version.
    ///
    /// # Errors
    /// It cannot be reached or refuses.
    pub async fn discover(client: &Client) -> Result<Served> {
        let versions: BTreeSet<String> = KINDS.iter().map(ObjectKind::api_version).collect();
        let groups = ask("discover the cluster's API", client.list_api_groups()).await?;
        let served: BTreeSet<String> = groups
            .groups
            .iter()
            .flat_map(|group| &group.versions)
            .map(|version| version.group_version.clone())
            .chain(["v1".to_owned()])
            .collect();
        let wanted = versions.iter().filter(|version| served.contains(*version));
        let answers = join_all(wanted.map(|version| resources(client, version))).await;
        let mut kinds = BTreeSet::new();
        for answer in answers {
            let (version, plurals) = answer?;
            for kind in &KINDS {
                if kind.api_version() == version && plurals.contains(kind.plural) {
                    kinds.insert((version.clone(), kind.plural));
                }
            }
        }
        if kinds.is_empty() {
            return Err(Error::unavailable(
                "the cluster's API serves none of the kinds of a server",
            ));
        }
        // Nothing but the way to wait depends on it, so a cluster may keep it to itself.
        let version = ask("ask for the version", client.apiserver_version()).await;
        let minor = version.ok().and_then(|version| minor(&version.minor));
        Ok(Served(kinds, minor))
    }

    /// How containers of the cluster wait before they are asked to end.
    pub fn pause(&self) -> Pause {
        match self.1 {
            Some(minor) if minor >= PAUSES => Pause::Action,
            _ => Pause::Command,
        }
    }

    /// Whether the cluster serves a kind.
    pub fn has(&self, kind: &ObjectKind) -> bool {
        self.0.contains(&(kind.api_version(), kind.plural))
    }

    /// The served kinds, in order.
    pub fn kinds(&self) -> impl DoubleEndedIterator<Item = &'static ObjectKind> + '_ {
        KINDS.iter().filter(|kind| self.has(kind))
    }
}

/// The number in a minor version; managed clusters put a sign behind it.
fn minor(text: &str) -> Option<u32> {
    let digits = text.find(|sign: char| !sign.is_ascii_digit());
    text[..digits.unwrap_or(text.len())].parse().ok()
}

async fn resources(client: &Client, version: &str) -> Result<(String, BTreeSet<String>)> {
    let what = format!("discover {version}");
    let list = if version == "v1" {
        ask(&what, client.list_core_api_resources(version)).await?
    } else {
        ask(&what, client.list_api_group_resources(version)).await?
    };
    let plurals = list
        .resources
        .into_iter()
        .map(|resource| resource.name)
        .collect();
    Ok((version.to_owned(), plurals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clusters_whose_every_node_can_wait_are_asked_to() {
        let check = |text: &str, expected: Pause| {
            let served = Served(BTreeSet::new(), minor(text));
            assert_eq!(served.pause(), expected, "{text}");
        };
        check("20", Pause::Command);
        check("32", Pause::Command);
        check("33", Pause::Action);
        check("34+", Pause::Action);
        check("", Pause::Command);
        check("x", Pause::Command);
    }
}
