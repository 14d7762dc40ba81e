//! Everything that is checked of a cluster, one line each. A check that may not look says so; it
//! never guesses.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Endpoints, Namespace, ResourceQuota};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Client;
use kube::api::{Api, ListParams};
use serde::Serialize;

use crate::backend::kubernetes::Side;
use crate::backend::kubernetes::answer::{ask, ask_optional};
use crate::backend::kubernetes::kinds::{KINDS, Role, Served};
use crate::error::{Error, Kind};

use super::access::missing;
use super::names::names;
use super::network::policies;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// As it should be.
    Good,
    /// Servers run, but not with everything.
    Poor,
    /// Servers cannot run like this.
    Bad,
    /// We may not look, or it does not show.
    Unknown,
}

impl Finding {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Finding::Good => "good",
            Finding::Poor => "poor",
            Finding::Bad => "bad",
            Finding::Unknown => "unknown",
        }
    }
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, as a word.
    pub name: &'static str,
    /// What was found.
    pub finding: Finding,
    /// The same as a sentence.
    pub message: String,
}

impl Check {
    /// One line.
    pub fn new(name: &'static str, finding: Finding, message: impl Into<String>) -> Check {
        Check {
            name,
            finding,
            message: message.into(),
        }
    }

    /// What a failed look means: not allowed is not the same as not there.
    fn failed(name: &'static str, error: &Error) -> Check {
        let finding = match error.kind {
            Kind::Forbidden => Finding::Unknown,
            _ => Finding::Bad,
        };
        Check::new(name, finding, error.message.clone())
    }
}

/// Checks a cluster for a namespace.
pub async fn check(client: &Client, namespace: &str, side: Side, suffix: &str) -> Vec<Check> {
    let api = api(client).await;
    if api.finding == Finding::Bad {
        return vec![api];
    }
    let (rights, kinds, place, quota, storage, dns, policy, names) = tokio::join!(
        rights(client, namespace),
        kinds(client),
        place(client, namespace),
        quota(client, namespace),
        storage(client),
        dns(client),
        policies(client),
        names(side, suffix),
    );
    vec![
        api, rights, kinds, place, quota, storage, dns, names, policy,
    ]
}

async fn api(client: &Client) -> Check {
    match ask(
        "ask the cluster for its version",
        client.apiserver_version(),
    )
    .await
    {
        Ok(version) => Check::new(
            "api",
            Finding::Good,
            format!("Kubernetes {}", version.git_version),
        ),
        Err(error) => Check {
            finding: Finding::Bad,
            ..Check::failed("api", &error)
        },
    }
}

async fn rights(client: &Client, namespace: &str) -> Check {
    match missing(client, namespace).await {
        Ok(missing) if missing.is_empty() => Check::new(
            "rights",
            Finding::Good,
            format!("all that is needed in the namespace {namespace}"),
        ),
        Ok(missing) => Check::new(
            "rights",
            Finding::Bad,
            format!(
                "we may not, in the namespace {namespace}: {}; `mcp-platform setup` shows the Role",
                missing.join(", ")
            ),
        ),
        Err(error) => Check::failed("rights", &error),
    }
}

async fn kinds(client: &Client) -> Check {
    let served = match Served::discover(client).await {
        Ok(served) => served,
        Err(error) => return Check::failed("kinds", &error),
    };
    let absent: Vec<String> = KINDS
        .iter()
        .filter(|kind| kind.role == Role::Ours && !served.has(kind))
        .map(|kind| format!("{} ({})", kind.kind, kind.api_version()))
        .collect();
    if absent.is_empty() {
        return Check::new(
            "kinds",
            Finding::Good,
            "the API serves all that a server is made of",
        );
    }
    Check::new(
        "kinds",
        Finding::Poor,
        format!(
            "the API does not serve, and servers will be without: {}",
            absent.join(", ")
        ),
    )
}

async fn place(client: &Client, namespace: &str) -> Check {
    let api: Api<Namespace> = Api::all(client.clone());
    match ask_optional("get the namespace", api.get(namespace)).await {
        Ok(Some(found)) => {
            let phase = found
                .status
                .and_then(|status| status.phase)
                .unwrap_or_default();
            if phase == "Terminating" {
                Check::new(
                    "namespace",
                    Finding::Bad,
                    format!("{namespace} is being deleted"),
                )
            } else {
                Check::new("namespace", Finding::Good, format!("{namespace} exists"))
            }
        }
        Ok(None) => Check::new(
            "namespace",
            Finding::Bad,
            format!(
                "{namespace} does not exist; `mcp-platform setup --namespace {namespace} --apply` makes it"
            ),
        ),
        Err(error) => Check::failed("namespace", &error),
    }
}

async fn quota(client: &Client, namespace: &str) -> Check {
    let api: Api<ResourceQuota> = Api::namespaced(client.clone(), namespace);
    let quotas = match ask("list resource quotas", api.list(&ListParams::default())).await {
        Ok(quotas) => quotas.items,
        Err(error) => return Check::failed("quota", &error),
    };
    if quotas.is_empty() {
        return Check::new("quota", Finding::Good, format!("none in {namespace}"));
    }
    let mut full = Vec::new();
    let mut all = Vec::new();
    for quota in &quotas {
        let status = quota.status.clone().unwrap_or_default();
        let (hard, used) = (
            status.hard.unwrap_or_default(),
            status.used.unwrap_or_default(),
        );
        let used: BTreeMap<&str, &str> = used
            .iter()
            .map(|(key, amount)| (key.as_str(), amount.0.as_str()))
            .collect();
        for (resource, limit) in &hard {
            let spent = used.get(resource.as_str()).copied().unwrap_or("0");
            let line = format!("{resource} {spent} of {}", limit.0);
            if amount(spent)
                .zip(amount(&limit.0))
                .is_some_and(|(spent, limit)| spent >= limit)
            {
                full.push(line.clone());
            }
            all.push(line);
        }
    }
    if full.is_empty() {
        Check::new("quota", Finding::Good, all.join(", "))
    } else {
        Check::new(
            "quota",
            Finding::Poor,
            format!("used up in {namespace}: {}", full.join(", ")),
        )
    }
}

/// A quantity (`resource.Quantity`) as a number.
fn amount(text: &str) -> Option<f64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

async fn storage(client: &Client) -> Check {
    let api: Api<StorageClass> = Api::all(client.clone());
    let classes = match ask("list storage classes", api.list(&ListParams::default())).await {
        Ok(classes) => classes.items,
        Err(error) => return Check::failed("storage", &error),
    };
    let is_default = |class: &&StorageClass| {
        class
            .metadata
            .annotations
            .as_ref()
            .is_some_and(|annotations| {
                [
                    "storageclass.kubernetes.io/is-default-class",
                    "storageclass.beta.kubernetes.io/is-default-class",
                ]
                .iter()
                .any(|key| annotations.get(*key).map(String::as_str) == Some("true"))
            })
    };
    let name = |class: &StorageClass| class.metadata.name.clone().unwrap_or_default();
    match classes.iter().find(is_default) {
        Some(class) => Check::new(
            "storage",
            Finding::Good,
            format!("default storage class {}", name(class)),
        ),
        None if classes.is_empty() => Check::new(
            "storage",
            Finding::Poor,
            "there is no storage class: servers with volumes stay pending until somebody makes their volumes",
        ),
        None => {
            let names: Vec<String> = classes.iter().map(name).collect();
            Check::new(
                "storage",
                Finding::Poor,
                format!(
                    "no storage class is the default; volumes must name one of {}",
                    names.join(", ")
                ),
            )
        }
    }
}

/// CoreDNS, or whatever answers as `kube-dns`.
async fn dns(client: &Client) -> Check {
    let api: Api<Deployment> = Api::namespaced(client.clone(), "kube-system");
    let parameters = ListParams::default().labels("k8s-app in (kube-dns, coredns)");
    let deployments = match ask(
        "list the deployments of the cluster's DNS",
        api.list(&parameters),
    )
    .await
    {
        Ok(found) => found.items,
        Err(error) => return Check::failed("dns", &error),
    };
    let endpoints: Api<Endpoints> = Api::namespaced(client.clone(), "kube-system");
    let answering =
        match ask_optional("get the endpoints of kube-dns", endpoints.get("kube-dns")).await {
            Ok(found) => found
                .into_iter()
                .flat_map(|found| found.subsets.unwrap_or_default())
                .flat_map(|subset| subset.addresses.unwrap_or_default())
                .count(),
            Err(error) => return Check::failed("dns", &error),
        };
    if deployments.is_empty() && answering == 0 {
        return Check::new(
            "dns",
            Finding::Poor,
            "no CoreDNS in kube-system: servers find nothing by name, unless something else answers",
        );
    }
    let parts: Vec<String> = deployments
        .iter()
        .map(|deployment| {
            let ready = deployment
                .status
                .as_ref()
                .and_then(|s| s.ready_replicas)
                .unwrap_or(0);
            let wanted = deployment
                .spec
                .as_ref()
                .and_then(|spec| spec.replicas)
                .unwrap_or(1);
            format!(
                "{} {ready} of {wanted} ready",
                deployment.metadata.name.as_deref().unwrap_or_default()
            )
        })
        .collect();
    let ready = answering > 0
        || deployments.iter().any(|deployment| {
            deployment
                .status
                .as_ref()
                .and_then(|s| s.ready_replicas)
                .unwrap_or(0)
                > 0
        });
    let finding = if ready { Finding::Good } else { Finding::Bad };
    Check::new(
        "dns",
        finding,
        format!(
            "{}; {answering} addresses behind kube-dns",
            parts.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_as_numbers() {
        assert!(amount("1500m") < amount("2"));
        assert_eq!(amount("1Ki"), amount("1024"));
        assert_eq!(amount("1x"), None);
    }
}
