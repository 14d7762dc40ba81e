//! What the cache keeps of each kind, and which server an object of it is of.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{
    Container, Event, Pod, PodSpec, PodTemplateSpec, Secret, Service,
};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::model::{Change, label};

use super::cache::{Key, State};
use super::companions;
use super::fetch::Namespaced;
use super::observe::Place;
use super::store;
use super::workload::{Workload, WorkloadKind, owner};

/// A kind that is kept.
pub trait Kept: Namespaced + Send + Sync + 'static {
    /// Its place in the list of watches.
    const INDEX: usize;

    /// Where its objects are.
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>>;

    /// Takes out what nobody asks for.
    fn trim(&mut self) {}

    /// Before an object is kept, while it is whole.
    fn before(&self, _state: &mut State) {}

    /// After an object is gone.
    fn after(&self, _state: &mut State) {}

    /// Marks the servers that it is of.
    fn touch(&self, state: &mut State) -> Option<Change>;
}

fn key(metadata: &ObjectMeta) -> Option<Key> {
    Some((metadata.namespace.clone()?, metadata.name.clone()?))
}

fn place(kind: WorkloadKind, metadata: &ObjectMeta) -> Place {
    let (namespace, name) = key(metadata).unwrap_or_default();
    (kind, namespace, name)
}

fn itself(metadata: &ObjectMeta, state: &mut State) -> Option<Change> {
    let (namespace, name) = key(metadata)?;
    state.touch(&namespace, &name)
}

/// Takes a key out of the set of a group, and the group out when it was the last.
fn take_out<G: Eq + Hash>(groups: &mut HashMap<G, BTreeSet<Key>>, group: &G, key: &Key) {
    if let Some(keys) = groups.get_mut(group) {
        keys.remove(key);
        if keys.is_empty() {
            groups.remove(group);
        }
    }
}

/// The server that the labels of an object of ours name.
fn instance(metadata: &ObjectMeta) -> Option<Key> {
    let labels = metadata.labels.as_ref()?;
    if labels.get(label::MANAGED_BY).map(String::as_str) != Some(label::MANAGED_BY_VALUE) {
        return None;
    }
    Some((
        metadata.namespace.clone()?,
        labels.get(label::INSTANCE)?.clone(),
    ))
}

/// Of what pods are made from, the labels and the image.
fn trim_template(template: &mut PodTemplateSpec) {
    if let Some(metadata) = &mut template.metadata {
        metadata.annotations = None;
    }
    let image = template
        .spec
        .as_ref()
        .and_then(|spec| spec.containers.first()?.image.clone());
    template.spec = Some(PodSpec {
        containers: vec![Container {
            image,
            ..Container::default()
        }],
        ..PodSpec::default()
    });
}

fn trim_annotations(metadata: &mut ObjectMeta, keep: impl Fn(&str) -> bool) {
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|key, _| keep(key));
    }
}

fn ours(key: &str) -> bool {
    key.starts_with("mcp-platform/")
}

impl Kept for Deployment {
    const INDEX: usize = 0;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.deployments
    }
    fn before(&self, state: &mut State) {
        let token = Workload::Deployment(Arc::new(self.clone())).token();
        state
            .tokens
            .insert(place(WorkloadKind::Deployment, &self.metadata), token);
    }
    fn trim(&mut self) {
        trim_annotations(&mut self.metadata, ours);
        if let Some(spec) = &mut self.spec {
            trim_template(&mut spec.template);
        }
    }
    fn after(&self, state: &mut State) {
        state
            .tokens
            .remove(&place(WorkloadKind::Deployment, &self.metadata));
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        itself(&self.metadata, state)
    }
}

impl Kept for StatefulSet {
    const INDEX: usize = 1;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.sets
    }
    fn before(&self, state: &mut State) {
        let token = Workload::StatefulSet(Arc::new(self.clone())).token();
        state
            .tokens
            .insert(place(WorkloadKind::StatefulSet, &self.metadata), token);
    }
    fn trim(&mut self) {
        trim_annotations(&mut self.metadata, ours);
        if let Some(spec) = &mut self.spec {
            trim_template(&mut spec.template);
            spec.volume_claim_templates = None;
        }
    }
    fn after(&self, state: &mut State) {
        state
            .tokens
            .remove(&place(WorkloadKind::StatefulSet, &self.metadata));
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        itself(&self.metadata, state)
    }
}

impl Kept for Pod {
    const INDEX: usize = 2;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.pods
    }
    fn before(&self, state: &mut State) {
        let Some(key) = key(&self.metadata) else {
            return;
        };
        if let Some((namespace, server)) = companions::server(&self.metadata) {
            let server = (namespace.to_owned(), server.to_owned());
            state.companions_of.entry(server).or_default().insert(key);
        } else if let Some((kind, name)) = owner(&self.metadata) {
            let place = (kind, key.0.clone(), name.to_owned());
            state.pods_of.entry(place).or_default().insert(key);
        }
    }
    fn trim(&mut self) {
        self.metadata.annotations = None;
        let containers = self
            .spec
            .take()
            .map(|spec| spec.containers)
            .unwrap_or_default();
        let containers = containers.into_iter().map(|container| Container {
            name: container.name,
            readiness_probe: container.readiness_probe,
            startup_probe: container.startup_probe,
            ..Container::default()
        });
        self.spec = Some(PodSpec {
            containers: containers.collect(),
            ..PodSpec::default()
        });
    }
    fn after(&self, state: &mut State) {
        let Some(key) = key(&self.metadata) else {
            return;
        };
        if let Some((namespace, server)) = companions::server(&self.metadata) {
            let server = (namespace.to_owned(), server.to_owned());
            take_out(&mut state.companions_of, &server, &key);
        } else if let Some((kind, name)) = owner(&self.metadata) {
            let place = (kind, key.0.clone(), name.to_owned());
            take_out(&mut state.pods_of, &place, &key);
        }
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        if let Some((namespace, server)) = companions::server(&self.metadata) {
            return state.touch(namespace, server);
        }
        let namespace = self.metadata.namespace.as_deref()?;
        if let Some((_, name)) = owner(&self.metadata) {
            return state.touch(namespace, name);
        }
        let (namespace, name) = instance(&self.metadata)?;
        state.touch(&namespace, &name)
    }
}

impl Kept for Service {
    const INDEX: usize = 3;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.services
    }
    fn trim(&mut self) {
        self.metadata.annotations = None;
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        state.touch_ways();
        match instance(&self.metadata) {
            Some((namespace, name)) => state.touch(&namespace, &name),
            // Whose pods it leads to may have changed, too.
            None => state.touch_everything(),
        }
    }
}

impl Kept for Ingress {
    const INDEX: usize = 4;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.ingresses
    }
    fn trim(&mut self) {
        self.metadata.annotations = None;
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        state.touch_ways();
        match instance(&self.metadata) {
            Some((namespace, name)) => state.touch(&namespace, &name),
            None => state.touch_everything(),
        }
    }
}

impl Kept for HorizontalPodAutoscaler {
    const INDEX: usize = 5;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.autoscalers
    }
    fn trim(&mut self) {
        self.metadata.annotations = None;
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        let namespace = self.metadata.namespace.as_deref()?;
        state.touch(namespace, &self.spec.scale_target_ref.name)
    }
}

impl Kept for Secret {
    const INDEX: usize = 6;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.stores
    }
    fn trim(&mut self) {
        trim_annotations(&mut self.metadata, ours);
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        let (namespace, name) = store::server(self)?;
        state.touch(namespace, name)
    }
}

impl Kept for Event {
    const INDEX: usize = 7;
    fn map(state: &mut State) -> &mut HashMap<Key, Arc<Self>> {
        &mut state.warnings
    }
    fn trim(&mut self) {
        self.metadata.annotations = None;
    }
    fn before(&self, state: &mut State) {
        if let (Some(about), Some(key)) = (about(self), key(&self.metadata)) {
            state.warnings_of.entry(about).or_default().insert(key);
        }
    }
    fn after(&self, state: &mut State) {
        if let (Some(about), Some(key)) = (about(self), key(&self.metadata)) {
            take_out(&mut state.warnings_of, &about, &key);
        }
    }
    fn touch(&self, state: &mut State) -> Option<Change> {
        let (kind, namespace, name) = about(self)?;
        match kind.as_str() {
            "StatefulSet" => state.touch(&namespace, &name),
            "Pod" => {
                let pod = state.pods.get(&(namespace.clone(), name))?;
                let server = owner(&pod.metadata)?.1.to_owned();
                state.touch(&namespace, &server)
            }
            _ => None,
        }
    }
}

/// Kind, namespace and name of what an event is about.
fn about(event: &Event) -> Option<(String, String, String)> {
    let about = &event.involved_object;
    Some((
        about.kind.clone()?,
        about.namespace.clone()?,
        about.name.clone()?,
    ))
}
