//! Where clients reach a server: from Services matched by their selector, never by their name, and
//! from Ingresses that lead to those. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::networking::v1::Ingress;

use crate::model::{Endpoint, EndpointKind, label};

/// In a Service's selector while new sessions are kept away: no pod carries it, so the Service
/// leads nowhere, and what is connected already stays connected.
pub const SERVING: &str = "mcp-platform/serving";

/// The Services and Ingresses of some namespaces, found quickly.
#[derive(Default)]
pub struct Ways {
    services: HashMap<(String, String, String), Vec<Arc<Service>>>,
    ingresses: HashMap<(String, String), Vec<Arc<Ingress>>>,
}

impl Ways {
    /// Sorts them.
    pub fn new(
        services: impl IntoIterator<Item = Arc<Service>>,
        ingresses: impl IntoIterator<Item = Arc<Ingress>>,
    ) -> Ways {
        let mut ways = Ways::default();
        for service in services {
            if let Some((key, value)) = rarest(&service) {
                let namespace = service.metadata.namespace.clone().unwrap_or_default();
                ways.services
                    .entry((namespace, key, value))
                    .or_default()
                    .push(service);
            }
        }
        for ingress in ingresses {
            let namespace = ingress.metadata.namespace.clone().unwrap_or_default();
            for (_, _, service) in targets(&ingress) {
                let among = ways
                    .ingresses
                    .entry((namespace.clone(), service))
                    .or_default();
                if !among.iter().any(|known| Arc::ptr_eq(known, &ingress)) {
                    among.push(Arc::clone(&ingress));
                }
            }
        }
        ways
    }

    /// The Services that lead to pods with these labels, sorted by name.
    pub fn services(&self, namespace: &str, pods: &BTreeMap<String, String>) -> Vec<Arc<Service>> {
        let mut found: Vec<Arc<Service>> = pods
            .iter()
            .filter_map(|(key, value)| {
                self.services
                    .get(&(namespace.to_owned(), key.clone(), value.clone()))
            })
            .flatten()
            .filter(|service| leads_to(service, pods))
            .cloned()
            .collect();
        found.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        found
    }

    /// The places of all those Services, those for the whole world last.
    pub fn endpoints(&self, services: &[Arc<Service>], suffix: &str) -> Vec<Endpoint> {
        let mut all = Vec::new();
        for service in services {
            all.extend(of_service(service, suffix));
            let key = (
                service.metadata.namespace.clone().unwrap_or_default(),
                service.metadata.name.clone().unwrap_or_default(),
            );
            for ingress in self.ingresses.get(&key).into_iter().flatten() {
                all.extend(of_ingress(ingress, &key.1));
            }
        }
        let mut once = Vec::with_capacity(all.len());
        for endpoint in all {
            if !once.contains(&endpoint) {
                once.push(endpoint);
            }
        }
        once
    }
}

/// The selector without our own mark.
fn selector(service: &Service) -> impl Iterator<Item = (&String, &String)> {
    service
        .spec
        .iter()
        .filter_map(|spec| spec.selector.as_ref())
        .flatten()
        .filter(|(key, _)| *key != SERVING)
}

/// The pair of a selector that few others share.
fn rarest(service: &Service) -> Option<(String, String)> {
    let pair = selector(service)
        .find(|(key, _)| *key == label::INSTANCE)
        .or_else(|| selector(service).find(|(key, _)| !key.starts_with("app.kubernetes.io/")))
        .or_else(|| selector(service).next())?;
    Some((pair.0.clone(), pair.1.clone()))
}

fn leads_to(service: &Service, pods: &BTreeMap<String, String>) -> bool {
    let mut any = false;
    for (key, value) in selector(service) {
        if pods.get(key) != Some(value) {
            return false;
        }
        any = true;
    }
    any
}

/// Whether new sessions are being kept away from a Service.
pub fn cordoned(service: &Service) -> bool {
    service
        .spec
        .as_ref()
        .and_then(|spec| spec.selector.as_ref())
        .is_some_and(|selector| selector.contains_key(SERVING))
}

fn of_service(service: &Service, suffix: &str) -> Vec<Endpoint> {
    let (Some(spec), Some(name), Some(namespace)) = (
        &service.spec,
        &service.metadata.name,
        &service.metadata.namespace,
    ) else {
        return Vec::new();
    };
    let ports: Vec<&ServicePort> = spec
        .ports
        .iter()
        .flatten()
        .filter(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP")
        .collect();
    let each = |kind: EndpointKind, host: &str| -> Vec<Endpoint> {
        ports
            .iter()
            .map(|port| Endpoint {
                kind,
                url: format!("http://{}:{}", bracketed(host), port.port),
            })
            .collect()
    };
    match spec.type_.as_deref().unwrap_or("ClusterIP") {
        "NodePort" => ports
            .iter()
            .filter_map(|port| port.node_port)
            .map(|port| Endpoint {
                kind: EndpointKind::NodePort,
                url: format!("nodePort://*:{port}"),
            })
            .collect(),
        "LoadBalancer" => service
            .status
            .iter()
            .filter_map(|status| status.load_balancer.as_ref())
            .flat_map(|balancer| balancer.ingress.iter().flatten())
            .filter_map(|ingress| ingress.ip.as_deref().or(ingress.hostname.as_deref()))
            .flat_map(|host| each(EndpointKind::LoadBalancer, host))
            .collect(),
        "ClusterIP" => match spec.cluster_ip.as_deref() {
            Some("None") => each(
                EndpointKind::Headless,
                &format!("{name}.{namespace}.{suffix}"),
            ),
            Some(ip) if !ip.is_empty() => each(EndpointKind::ClusterIp, ip),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Host, path and Service of every rule.
fn targets(ingress: &Ingress) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    let Some(spec) = &ingress.spec else {
        return all;
    };
    for rule in spec.rules.iter().flatten() {
        let host = rule.host.clone().unwrap_or_else(|| "*".to_owned());
        for path in rule.http.iter().flat_map(|http| &http.paths) {
            if let Some(service) = &path.backend.service {
                let path = path.path.clone().unwrap_or_else(|| "/".to_owned());
                all.push((host.clone(), path, service.name.clone()));
            }
        }
    }
    if let Some(service) = spec
        .default_backend
        .as_ref()
        .and_then(|back| back.service.as_ref())
    {
        all.push(("*".to_owned(), "/".to_owned(), service.name.clone()));
    }
    all
}

fn of_ingress(ingress: &Ingress, service: &str) -> Vec<Endpoint> {
    let secured = |host: &str| {
        ingress
            .spec
            .iter()
            .flat_map(|spec| spec.tls.iter().flatten())
            .any(|tls| {
                tls.hosts
                    .as_ref()
                    .is_none_or(|hosts| hosts.iter().any(|known| known == host))
            })
    };
    let address = ingress
        .status
        .iter()
        .filter_map(|status| status.load_balancer.as_ref())
        .flat_map(|balancer| balancer.ingress.iter().flatten())
        .find_map(|entry| entry.hostname.clone().or_else(|| entry.ip.clone()));
    targets(ingress)
        .into_iter()
        .filter(|(_, _, target)| target == service)
        .filter_map(|(host, path, _)| {
            let scheme = if secured(&host) { "https" } else { "http" };
            let host = if host == "*" {
                bracketed(address.as_deref()?)
            } else {
                host
            };
            // Regular expressions of ingress controllers are no paths that a client could ask for.
            let path = path.split(['(', '*', '[']).next().unwrap_or_default();
            Some(Endpoint {
                kind: EndpointKind::Ingress,
                url: format!("{scheme}://{host}{}", path.trim_end_matches('/')),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(service: serde_json::Value, ingress: Option<serde_json::Value>, expected: &[&str]) {
        let mut service = service;
        service["metadata"] = json!({"name": "any", "namespace": "n"});
        let service: Service = serde_json::from_value(service).unwrap();
        let ingress = ingress.map(|ingress| Arc::new(serde_json::from_value(ingress).unwrap()));
        let ways = Ways::new([Arc::new(service)], ingress);
        let pods = BTreeMap::from([
            ("app".to_owned(), "x".to_owned()),
            ("a".to_owned(), "b".to_owned()),
        ]);
        let services = ways.services("n", &pods);
        let urls: Vec<String> = ways
            .endpoints(&services, "svc.cluster.local")
            .into_iter()
            .map(|endpoint| endpoint.url)
            .collect();
        assert_eq!(urls, expected);
    }

    #[test]
    fn places_are_written_as_their_kind_says() {
        let spec = |more: serde_json::Value| {
            let mut spec =
                json!({"selector": {"app": "x"}, "ports": [{"port": 80, "nodePort": 30080}]});
            spec.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            json!({"spec": spec})
        };
        check(
            spec(json!({"clusterIP": "10.0.0.1"})),
            None,
            &["http://10.0.0.1:80"],
        );
        check(
            spec(json!({"clusterIP": "fd00::1"})),
            None,
            &["http://[fd00::1]:80"],
        );
        check(
            spec(json!({"clusterIP": "None"})),
            None,
            &["http://any.n.svc.cluster.local:80"],
        );
        check(
            spec(json!({"type": "NodePort", "clusterIP": "10.0.0.1"})),
            None,
            &["nodePort://*:30080"],
        );
        let mut balancer = spec(json!({"type": "LoadBalancer"}));
        check(balancer.clone(), None, &[]);
        balancer["status"] =
            json!({"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "lb.example"}]}});
        check(
            balancer,
            None,
            &["http://1.2.3.4:80", "http://lb.example:80"],
        );
        check(
            spec(json!({"selector": {"app": "y"}, "clusterIP": "10.0.0.1"})),
            None,
            &[],
        );
        check(
            spec(json!({"selector": {"app": "x", SERVING: "true"}, "clusterIP": "10.0.0.1"})),
            None,
            &["http://10.0.0.1:80"],
        );
        check(
            json!({"spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80}]}}),
            None,
            &[],
        );
    }

    #[test]
    fn an_ingress_leads_to_its_service() {
        let ingress = json!({
            "metadata": {"name": "i", "namespace": "n"},
            "spec": {
                "tls": [{"hosts": ["safe.example"]}],
                "rules": [
                    {"host": "open.example", "http": {"paths": [{"path": "/x", "pathType": "Prefix",
                        "backend": {"service": {"name": "any", "port": {"number": 80}}}}]}},
                    {"host": "safe.example", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                        "backend": {"service": {"name": "any", "port": {"number": 80}}}}]}},
                    {"host": "other.example", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                        "backend": {"service": {"name": "else", "port": {"number": 80}}}}]}},
                ],
            },
        });
        check(
            json!({"spec": {"selector": {"app": "x"}, "clusterIP": "10.0.0.1", "ports": [{"port": 80}]}}),
            Some(ingress),
            &[
                "http://10.0.0.1:80",
                "http://open.example/x",
                "https://safe.example",
            ],
        );
    }
}
