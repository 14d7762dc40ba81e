//! Network policies: what is not declared is shut off, in and out.

use serde_json::{Value, json};

use crate::model::{Exposure, Peer, PeerPlace, Protocol, Spec, label};

use super::{Profile, RenderOptions, companion, metadata, names, selector, service, set};

/// The label that every namespace carries with its own name, and that nobody can change.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Networks that are not the Internet: RFC 1918, RFC 6598, RFC 3927; RFC 4193, RFC 4291.
const PRIVATE_4: [&str; 5] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
];
const PRIVATE_6: [&str; 2] = ["fc00::/7", "fe80::/10"];

/// Where the health checks and front ends of Google's load balancers come from.
const GOOGLE: [&str; 2] = ["130.211.0.0/22", "35.191.0.0/16"];

/// The policies of a server itself.
pub fn objects(spec: &Spec, options: &RenderOptions) -> Vec<Value> {
    let metadata = metadata(spec, spec.identity.name.as_str());
    let mut all = vec![guard(
        &metadata,
        &selector(spec),
        &ingress(spec, options),
        &egress(spec),
    )];
    if spec.manages_kernels {
        all.extend(kernels(spec));
    }
    all
}

/// A policy that shuts off everything but what is named.
pub fn guard(metadata: &Value, pods: &Value, ingress: &[Value], egress: &[Value]) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {
            "podSelector": { "matchLabels": pods },
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    })
}

/// Pods of the same namespace.
pub fn peer(labels: &Value) -> Value {
    json!({ "podSelector": { "matchLabels": labels } })
}

/// A TCP port.
pub fn port(number: u16) -> Value {
    json!({ "protocol": "TCP", "port": number })
}

/// Names, over UDP and over TCP: long answers come over TCP only (RFC 7766).
pub fn dns() -> Value {
    json!({
        "to": [namespace("kube-system")],
        "ports": [
            { "protocol": "UDP", "port": 53 },
            { "protocol": "TCP", "port": 53 },
        ],
    })
}

fn namespace(name: &str) -> Value {
    json!({ "namespaceSelector": { "matchLabels": { NAMESPACE_NAME: name } } })
}

fn network(cidr: &str) -> Value {
    json!({ "ipBlock": { "cidr": cidr } })
}

fn ingress(spec: &Spec, options: &RenderOptions) -> Vec<Value> {
    let mut all: Vec<Value> = spec
        .peers
        .ingress
        .iter()
        .map(|peer| rule(peer, "from", spec.port))
        .collect();
    let mine = |from: Vec<Value>| json!({ "from": from, "ports": [port(spec.port)] });
    if all.is_empty() {
        all.push(mine(vec![json!({ "podSelector": {} })]));
    }
    match (&spec.exposure, options.profile) {
        (Exposure::ClusterIp, _) => {}
        // Who may come in from outside was declared, or is everybody.
        (Exposure::NodePort { .. } | Exposure::LoadBalancer, _) => {
            if spec.peers.ingress.is_empty() {
                all.push(json!({ "ports": [port(spec.port)] }));
            }
        }
        (Exposure::Ingress { .. }, Profile::Nginx) => {
            all.push(mine(vec![namespace("ingress-nginx")]));
        }
        (Exposure::Ingress { .. }, Profile::Gke) => {
            all.push(mine(GOOGLE.map(network).to_vec()));
        }
        // The load balancer is a machine of the private network, not a pod.
        (Exposure::Ingress { .. }, Profile::Eks | Profile::Aks) => {
            all.push(mine(
                PRIVATE_4[..3].iter().map(|cidr| network(cidr)).collect(),
            ));
        }
        // Where the controller runs is not known: any namespace, and nothing from outside.
        (Exposure::Ingress { .. }, Profile::Plain) => {
            all.push(mine(vec![json!({ "namespaceSelector": {} })]));
        }
    }
    if let Some(monitoring) = &options.monitoring {
        all.push(mine(vec![namespace(monitoring)]));
    }
    all
}

fn egress(spec: &Spec) -> Vec<Value> {
    let mut all = vec![dns()];
    all.extend(companion::enabled(spec).map(|one| {
        json!({
            "to": [peer(&companion::selector(spec, &one.name))],
            "ports": [port(one.port)],
        })
    }));
    all.extend(spec.peers.egress.iter().map(|peer| rule(peer, "to", 0)));
    all
}

/// A rule for a declared peer; without ports of its own it holds for `default`, or for all when
/// that is 0.
fn rule(peer: &Peer, direction: &str, default: u16) -> Value {
    let mut rule = json!({});
    let places = places(&peer.place);
    if !places.is_empty() {
        set(&mut rule, direction, places);
    }
    let ports: Vec<Value> = if !peer.ports.is_empty() {
        peer.ports
            .iter()
            .map(|port| {
                let protocol = match port.protocol {
                    Protocol::Tcp => "TCP",
                    Protocol::Udp => "UDP",
                };
                json!({ "protocol": protocol, "port": port.port })
            })
            .collect()
    } else if default != 0 {
        vec![port(default)]
    } else {
        Vec::new()
    };
    if !ports.is_empty() {
        set(&mut rule, "ports", ports);
    }
    rule
}

fn places(place: &PeerPlace) -> Vec<Value> {
    match place {
        PeerPlace::Anywhere => Vec::new(),
        PeerPlace::Internet => vec![
            json!({ "ipBlock": { "cidr": "0.0.0.0/0", "except": PRIVATE_4 } }),
            json!({ "ipBlock": { "cidr": "::/0", "except": PRIVATE_6 } }),
        ],
        PeerPlace::Namespace(name) => vec![namespace(name)],
        PeerPlace::Pods(labels) => vec![peer(&json!(labels))],
        PeerPlace::Network(cidr) => vec![network(cidr)],
    }
}

/// What a server that starts kernels needs besides: the cluster's API, whose address only the
/// cluster knows, and its kernels; and kernels are reached by nobody else.
fn kernels(spec: &Spec) -> Vec<Value> {
    let kernels = service::kernel_selector(spec);
    let name = names::kernels(spec);
    let manager = json!({ "app": "mcp-server-manager", label::INSTANCE: spec.identity.name });
    let named = |name: &str| {
        let mut metadata = metadata(spec, name);
        set(&mut metadata, "annotations", service::at_run_time());
        metadata
    };
    vec![
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": named(&format!("{}-manager", spec.identity.name)),
            "spec": {
                "podSelector": { "matchLabels": selector(spec) },
                "policyTypes": ["Egress"],
                "egress": [
                    { "ports": [port(443), port(6443)] },
                    { "to": [peer(&kernels)] },
                ],
            },
        }),
        guard(
            &named(&name),
            &kernels,
            &[json!({ "from": [peer(&manager)] })],
            &[dns()],
        ),
    ]
}
