//! The objects of all files, and the questions that rules ask about them.

use std::collections::BTreeMap;

use super::tree::{Node, read};

/// A file.
pub struct File {
    /// Its path, for people.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Where it is no YAML, and why.
    pub broken: Option<(usize, String)>,
}

/// An object.
pub struct Object {
    /// The index of its file.
    pub file: usize,
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// Its namespace; empty where the manifest leaves it to whoever applies it.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub node: Node,
}

impl Object {
    /// The line of its name, which stands for the whole object.
    pub fn line(&self) -> usize {
        self.node.line_of("metadata.name")
    }

    /// Whether it can be in the same namespace as another.
    pub fn beside(&self, other: &Object) -> bool {
        self.namespace == other.namespace || self.namespace.is_empty() || other.namespace.is_empty()
    }

    /// An annotation.
    pub fn annotation(&self, key: &str) -> Option<String> {
        self.node.at("metadata.annotations")?.get(key)?.text()
    }
}

/// Something that makes pods.
#[derive(Clone, Copy)]
pub struct Workload<'set> {
    /// The object.
    pub object: &'set Object,
    /// Its pod template, or the pod itself: `metadata` and `spec`.
    pub template: &'set Node,
}

impl<'set> Workload<'set> {
    /// The labels of its pods.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.template
            .at("metadata.labels")
            .map(labels)
            .unwrap_or_default()
    }

    /// Its containers, the ones that start before among them.
    pub fn all_containers(&self) -> impl Iterator<Item = &'set Node> + use<'set> {
        let template = self.template;
        template
            .each("spec.containers")
            .chain(template.each("spec.initContainers"))
    }

    /// Its containers.
    pub fn containers(&self) -> impl Iterator<Item = &'set Node> + use<'set> {
        self.template.each("spec.containers")
    }

    /// Whether it runs until it is ended, so that probes and pauses mean something.
    pub fn serves(&self) -> bool {
        matches!(
            self.object.kind.as_str(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"
        )
    }

    /// How many pods it makes, where it says so; one is what Kubernetes takes otherwise.
    pub fn replicas(&self) -> i64 {
        self.object.node.number("spec.replicas").unwrap_or(1)
    }

    /// The names of the claims that its pods mount.
    pub fn claims(&self) -> Vec<String> {
        self.template
            .each("spec.volumes")
            .map(|volume| volume.word("persistentVolumeClaim.claimName"))
            .filter(|name| !name.is_empty())
            .collect()
    }
}

/// Everything that was given.
pub struct Set {
    /// The files.
    pub files: Vec<File>,
    /// The objects of all files.
    pub objects: Vec<Object>,
}

impl Set {
    /// Reads texts; a broken one is kept for the rule that says so.
    pub fn read(texts: Vec<(String, String)>) -> Set {
        let mut set = Set {
            files: Vec::new(),
            objects: Vec::new(),
        };
        for (path, text) in texts {
            let index = set.files.len();
            let broken = match read(&text) {
                Ok(documents) => {
                    documents
                        .into_iter()
                        .for_each(|document| set.take(index, document));
                    None
                }
                Err(wrong) => Some(wrong),
            };
            set.files.push(File { path, text, broken });
        }
        set
    }

    fn take(&mut self, file: usize, node: Node) {
        let kind = node.word("kind");
        if kind == "List" || (kind.ends_with("List") && node.at("items").is_some()) {
            let items: Vec<Node> = node.each("items").cloned().collect();
            items.into_iter().for_each(|item| self.take(file, item));
        } else if !kind.is_empty() {
            self.objects.push(Object {
                file,
                api_version: node.word("apiVersion"),
                namespace: node.word("metadata.namespace"),
                name: node.word("metadata.name"),
                kind,
                node,
            });
        }
    }

    /// The objects of a kind.
    pub fn of(&self, kind: &'static str) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .filter(move |object| object.kind == kind)
    }

    /// Everything that makes pods.
    pub fn workloads(&self) -> impl Iterator<Item = Workload<'_>> {
        self.objects.iter().filter_map(|object| {
            let template = match object.kind.as_str() {
                "Pod" => Some(&object.node),
                "CronJob" => object.node.at("spec.jobTemplate.spec.template"),
                "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                    object.node.at("spec.template")
                }
                _ => None,
            };
            Some(Workload {
                object,
                template: template?,
            })
        })
    }

    /// The workloads beside an object whose pods have certain labels.
    pub fn beside<'set>(
        &'set self,
        object: &'set Object,
        wanted: impl Fn(&BTreeMap<String, String>) -> bool + 'set,
    ) -> impl Iterator<Item = Workload<'set>> {
        self.workloads()
            .filter(|workload| workload.object.beside(object))
            .filter(move |workload| wanted(&workload.labels()))
    }

    /// Whether there are workloads that an object could mean.
    pub fn has_workloads_beside(&self, object: &Object) -> bool {
        self.beside(object, |_| true).next().is_some()
    }

    /// The workload that an autoscaler sets the number of.
    pub fn target(&self, autoscaler: &Object) -> Option<Workload<'_>> {
        let (kind, name) = (
            autoscaler.node.word("spec.scaleTargetRef.kind"),
            autoscaler.node.word("spec.scaleTargetRef.name"),
        );
        self.workloads().find(|workload| {
            workload.object.kind == kind
                && workload.object.name == name
                && workload.object.beside(autoscaler)
        })
    }

    /// The autoscaler of a workload.
    pub fn autoscaler(&self, workload: &Workload<'_>) -> Option<&Object> {
        self.of("HorizontalPodAutoscaler").find(|autoscaler| {
            self.target(autoscaler)
                .is_some_and(|target| std::ptr::eq(target.object, workload.object))
        })
    }

    /// Whether more than one pod of a workload can run at the same time.
    pub fn several(&self, workload: &Workload<'_>) -> bool {
        let most = self
            .autoscaler(workload)
            .and_then(|autoscaler| autoscaler.node.number("spec.maxReplicas"));
        workload.replicas().max(most.unwrap_or(0)) > 1
    }

    /// The claims of a workload that only one node at a time can mount.
    pub fn single_claims<'set>(&'set self, workload: &Workload<'set>) -> Vec<&'set Object> {
        let names = workload.claims();
        let object = workload.object;
        self.of("PersistentVolumeClaim")
            .filter(|claim| claim.beside(object) && names.contains(&claim.name))
            .filter(|claim| {
                let mut modes = claim
                    .node
                    .each("spec.accessModes")
                    .filter_map(Node::text)
                    .peekable();
                modes.peek().is_some()
                    && modes
                        .all(|mode| matches!(mode.as_str(), "ReadWriteOnce" | "ReadWriteOncePod"))
            })
            .collect()
    }

    /// Whether an object says that pods of a label come into being at run time.
    pub fn at_run_time(object: &Object, wanted: &BTreeMap<String, String>) -> bool {
        object
            .annotation(crate::manifest::AT_RUN_TIME)
            .is_some_and(|text| {
                wanted
                    .iter()
                    .any(|(key, value)| text == format!("{key}={value}"))
            })
    }
}

/// A map of texts.
pub fn labels(node: &Node) -> BTreeMap<String, String> {
    node.entries()
        .filter_map(|(key, value)| Some((key.to_owned(), value.text()?)))
        .collect()
}

/// Whether labels have all pairs of a plain selector.
pub fn has_all(labels: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

/// Whether labels satisfy `matchLabels` and `matchExpressions`; an empty selector takes all.
pub fn matches(selector: &Node, found: &BTreeMap<String, String>) -> bool {
    let plain = selector.at("matchLabels").map(labels).unwrap_or_default();
    has_all(found, &plain)
        && selector.each("matchExpressions").all(|expression| {
            let value = found.get(&expression.word("key"));
            let among = || {
                value.is_some_and(|value| {
                    expression
                        .each("values")
                        .filter_map(Node::text)
                        .any(|one| one == *value)
                })
            };
            match expression.word("operator").as_str() {
                "In" => among(),
                "NotIn" => !among(),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => true,
            }
        })
}
