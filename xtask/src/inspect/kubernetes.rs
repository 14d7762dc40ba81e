//! Kubernetes objects as manifests state them.

use crate::yaml::Node;

/// An object.
#[derive(Debug, Clone, Copy)]
pub struct Object<'facts> {
    /// The file.
    pub path: &'facts str,
    /// `apiVersion`.
    pub api: &'facts str,
    /// `kind`.
    pub kind: &'facts str,
    /// `metadata.name`, empty when there is none.
    pub name: &'facts str,
    /// `metadata.namespace`, empty when there is none.
    pub namespace: &'facts str,
    /// The whole.
    pub node: &'facts Node,
}

/// An object that makes pods.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'facts> {
    /// The object.
    pub object: Object<'facts>,
    /// The template of its pods.
    pub template: &'facts Node,
    /// What the pods are.
    pub pod: &'facts Node,
}

/// The objects of a document; a `List` stands for what is in it.
pub fn objects<'facts>(path: &'facts str, node: &'facts Node) -> Vec<Object<'facts>> {
    let (Some(api), Some(kind)) = (node.text_of("apiVersion"), node.text_of("kind")) else {
        return Vec::new();
    };
    if kind == "List" {
        let items = node.list("items").iter();
        return items.flat_map(|item| objects(path, item)).collect();
    }
    let metadata = |key| {
        node.at(&["metadata", key])
            .and_then(Node::text)
            .unwrap_or_default()
    };
    vec![Object {
        path,
        api,
        kind,
        name: metadata("name"),
        namespace: metadata("namespace"),
        node,
    }]
}

impl<'facts> Object<'facts> {
    /// The pods it makes, if it makes any.
    pub fn workload(self) -> Option<Workload<'facts>> {
        let template = match self.kind {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                self.node.at(&["spec", "template"])?
            }
            "CronJob" => self.node.at(&["spec", "jobTemplate", "spec", "template"])?,
            "Pod" => self.node,
            _ => return None,
        };
        Some(Workload {
            object: self,
            template,
            pod: template.get("spec")?,
        })
    }

    /// A value of `spec`.
    pub fn spec(&self, keys: &[&str]) -> Option<&'facts Node> {
        self.node.get("spec")?.at(keys)
    }

    /// `kind name`, as messages name it.
    pub fn shown(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Whether two objects are in one namespace, as far as they say so.
    pub fn is_near(&self, other: &Object<'_>) -> bool {
        self.namespace == other.namespace || self.namespace.is_empty() || other.namespace.is_empty()
    }
}

impl<'facts> Workload<'facts> {
    /// Its containers.
    pub fn containers(&self) -> &'facts [Node] {
        self.pod.list("containers")
    }

    /// Whether it is meant to go on running.
    pub fn is_service(&self) -> bool {
        matches!(self.object.kind, "Deployment" | "StatefulSet")
    }

    /// How many pods it asks for; one when it does not say.
    pub fn replicas(&self) -> u64 {
        let stated = self.object.spec(&["replicas"]).and_then(Node::number);
        stated.unwrap_or(1)
    }

    /// Whether its update strategy stops the old pod first.
    pub fn is_recreated(&self) -> bool {
        let kind = self.object.spec(&["strategy", "type"]).and_then(Node::text);
        kind == Some("Recreate")
    }

    /// Whether a selector of `matchLabels` form selects its pods.
    pub fn is_selected(&self, labels: &Node) -> bool {
        let own = self.template.at(&["metadata", "labels"]);
        !labels.pairs().is_empty()
            && labels.pairs().iter().all(|pair| {
                let found = own.and_then(|own| own.text_of(&pair.key.value));
                found.is_some() && found == pair.value.text()
            })
    }

    /// The claims that its pods mount: the name of each.
    pub fn claims(&self) -> impl Iterator<Item = &'facts str> {
        let volumes = self.pod.list("volumes").iter();
        volumes.filter_map(|volume| volume.at(&["persistentVolumeClaim", "claimName"])?.text())
    }

    /// The literal environment of a container: name, node of the value.
    pub fn environment(
        container: &'facts Node,
    ) -> impl Iterator<Item = (&'facts str, &'facts Node)> {
        let list = container.list("env").iter();
        list.filter_map(|entry| Some((entry.text_of("name")?, entry.get("value")?)))
    }

    /// Whether it runs an image of this project, not one of the well-known services beside it.
    pub fn is_own(&self) -> bool {
        self.containers()
            .iter()
            .any(|container| !is_known_service(container.text_of("image").unwrap_or_default()))
    }
}

/// The name of an image, without registry, folders, tag and digest.
pub fn image_name(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split(':').next().unwrap_or(last)
}

/// Whether an image is one of the services that stand beside servers.
pub fn is_known_service(image: &str) -> bool {
    const KNOWN: [&str; 30] = [
        "mongo",
        "mongodb",
        "mongo-express",
        "postgres",
        "postgresql",
        "pgvector",
        "redis",
        "valkey",
        "mysql",
        "mariadb",
        "nginx",
        "traefik",
        "envoy",
        "caddy",
        "haproxy",
        "busybox",
        "alpine",
        "curl",
        "rabbitmq",
        "kafka",
        "zookeeper",
        "elasticsearch",
        "opensearch",
        "grafana",
        "prometheus",
        "minio",
        "vault",
        "memcached",
        "keycloak",
        "ollama",
    ];
    let name = image_name(image);
    KNOWN.contains(&name) || name.starts_with("opentelemetry") || name.starts_with("jaeger")
}

/// Labels as people read them: `app: a, tier: b`.
pub fn shown_labels(labels: &Node) -> String {
    let pairs = labels.pairs().iter().map(|pair| {
        let value = pair.value.text().unwrap_or_default();
        format!("{}: {value}", pair.key.value)
    });
    pairs.collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_a_name() {
        let check = |image, expected| assert_eq!(image_name(image), expected);
        check("localhost:5000/a/b:1", "b");
        check("b@sha256:0", "b");
        check("ghcr.io/x/mcp-y:latest", "mcp-y");
        assert!(is_known_service("docker.io/library/redis:7"));
        assert!(!is_known_service("redis-mcp"));
    }
}
