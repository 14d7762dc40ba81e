//! Whether NetworkPolicies do anything. The API takes them on every cluster; whether they hold is up
//! to the network plug-in, which is known by the DaemonSet that it runs on every node.

use k8s_openapi::api::apps::v1::DaemonSet;
use kube::Client;
use kube::api::{Api, ListParams};

use crate::backend::kubernetes::answer::ask;
use crate::error::Kind;

use super::check::{Check, Finding};

/// What is known of a plug-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    /// When it is switched on, which is not to be seen from here.
    Perhaps(&'static str),
}

/// A part of the DaemonSet's name, the plug-in, and whether it enforces policies.
const PLUG_INS: [(&str, &str, Holds); 14] = [
    ("calico-node", "Calico", Holds::Yes),
    ("canal", "Canal", Holds::Yes),
    ("cilium", "Cilium", Holds::Yes),
    ("anetd", "Dataplane V2", Holds::Yes),
    ("antrea-agent", "Antrea", Holds::Yes),
    ("weave-net", "Weave Net", Holds::Yes),
    ("kube-router", "kube-router", Holds::Yes),
    ("ovnkube-node", "OVN-Kubernetes", Holds::Yes),
    ("ovs-ovn", "Kube-OVN", Holds::Yes),
    ("azure-npm", "Azure network policy manager", Holds::Yes),
    ("kube-network-policies", "kube-network-policies", Holds::Yes),
    (
        "aws-node",
        "Amazon VPC CNI",
        Holds::Perhaps("it enforces them when enableNetworkPolicy is set for the add-on"),
    ),
    (
        "kindnet",
        "kindnet",
        Holds::Perhaps("it enforces them from kind 0.24 on"),
    ),
    ("flannel", "Flannel", Holds::No),
];

/// Says whether policies are enforced, as far as it can be known.
pub async fn policies(client: &Client) -> Check {
    let api: Api<DaemonSet> = Api::all(client.clone());
    let found = ask(
        "list daemon sets",
        api.list_metadata(&ListParams::default()),
    )
    .await;
    let names: Vec<String> = match found {
        Ok(found) => found
            .items
            .into_iter()
            .filter_map(|set| set.metadata.name)
            .collect(),
        Err(error) if error.kind == Kind::Forbidden => {
            return unknown("we may not list daemon sets of all namespaces");
        }
        Err(error) => return unknown(&error.message),
    };
    judge(&names)
}

fn unknown(why: &str) -> Check {
    Check::new(
        "network-policy",
        Finding::Unknown,
        format!("whether NetworkPolicies are enforced is not known: {why}"),
    )
}

fn judge(names: &[String]) -> Check {
    let known: Vec<&(&str, &str, Holds)> = PLUG_INS
        .iter()
        .filter(|(part, _, _)| names.iter().any(|name| name.contains(part)))
        .collect();
    // Flannel with a policy engine beside it is enforced by that.
    let best = known
        .iter()
        .find(|(_, _, holds)| *holds == Holds::Yes)
        .or_else(|| {
            known
                .iter()
                .find(|(_, _, holds)| matches!(holds, Holds::Perhaps(_)))
        })
        .or_else(|| known.first());
    match best {
        None => unknown("no network plug-in that we know runs here"),
        Some((_, plug_in, Holds::Yes)) => Check::new(
            "network-policy",
            Finding::Good,
            format!("{plug_in} enforces NetworkPolicies"),
        ),
        Some((_, plug_in, Holds::No)) => Check::new(
            "network-policy",
            Finding::Poor,
            format!(
                "{plug_in} does not enforce NetworkPolicies: servers are reachable by every pod"
            ),
        ),
        Some((_, plug_in, Holds::Perhaps(when))) => {
            unknown(&format!("{plug_in} runs here; {when}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: Finding) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(judge(&names).finding, expected, "{names:?}");
    }

    #[test]
    fn plug_ins_are_known_by_their_daemon_sets() {
        check(&[], Finding::Unknown);
        check(&["kube-proxy", "node-exporter"], Finding::Unknown);
        check(&["kube-proxy", "calico-node"], Finding::Good);
        check(&["kube-flannel-ds"], Finding::Poor);
        check(&["kube-flannel-ds", "canal"], Finding::Good);
        check(&["aws-node"], Finding::Unknown);
    }
}
