//! stand-in until the real one
use crate::model::{Spec, label};
use serde_json::{Value, json};
/// Options
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {}
/// objects
pub fn objects(spec: &Spec, _: &RenderOptions) -> Vec<Value> {
    let name = &spec.identity.name;
    let labels = json!({label::NAME: spec.template, label::INSTANCE: name, label::COMPONENT: label::COMPONENT_VALUE, label::MANAGED_BY: label::MANAGED_BY_VALUE, label::REVISION: spec.revision()});
    let own = json!({label::NAME: spec.template, label::INSTANCE: name, label::MANAGED_BY: label::MANAGED_BY_VALUE, label::REVISION: spec.revision()});
    let select = json!({label::INSTANCE: name, label::COMPONENT: label::COMPONENT_VALUE});
    let image = spec
        .run
        .image
        .as_ref()
        .map_or("x".to_owned(), ToString::to_string);
    let config = format!("{name}-config-{}", spec.revision());
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": config, "namespace": spec.identity.namespace, "labels": own}, "data": spec.environment}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": spec.identity.namespace, "labels": own},
            "spec": {"selector": select, "ports": [{"name": "http", "port": spec.port}]}}),
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": spec.identity.namespace, "labels": own},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": select}}}),
        json!({"apiVersion": "apps/v1", "kind": if spec.volumes.is_empty() {"Deployment"} else {"StatefulSet"}, "metadata": {"name": name, "namespace": spec.identity.namespace, "labels": labels},
            "spec": {"selector": {"matchLabels": select}, "template": {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "server", "image": image, "ports": [{"containerPort": spec.port}]}]}}}}),
    ];
    if !spec.volumes.is_empty() {
        all[3]["spec"]["serviceName"] = json!(name);
        all.push(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": format!("{name}-data"), "namespace": spec.identity.namespace, "labels": own}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}));
    }
    all
}
