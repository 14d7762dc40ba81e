//! The Deployment or StatefulSet of a server; which of the two, and why, is said in the room above.

use serde_json::{Map, Value, json};

use crate::model::{Spec, Statefulness, label};

use super::claim::claim;
use super::{
    RenderOptions, autoscales, labels, metadata, names, owns_claims, pod, provenance, selector, set,
};

/// The workload.
pub fn object(spec: &Spec, options: &RenderOptions) -> Value {
    let mut metadata = metadata(spec, spec.identity.name.as_str());
    if let Some(labels) = metadata.get_mut("labels") {
        set(labels, label::REVISION, spec.revision());
    }
    set(&mut metadata, "annotations", annotations(spec));
    let mut body = json!({});
    if !autoscales(spec, options) {
        let replicas = match spec.statefulness {
            Statefulness::Singleton => 1,
            Statefulness::Stateless | Statefulness::Sticky => spec.replicas,
        };
        set(&mut body, "replicas", replicas);
    }
    set(&mut body, "revisionHistoryLimit", 3);
    set(
        &mut body,
        "selector",
        json!({ "matchLabels": selector(spec) }),
    );
    let kind = if owns_claims(spec) {
        set(&mut body, "serviceName", names::peers(spec));
        // A session hangs on its own pod, never on the order in which pods were started.
        set(&mut body, "podManagementPolicy", "Parallel");
        set(
            &mut body,
            "updateStrategy",
            json!({ "type": "RollingUpdate" }),
        );
        set(&mut body, "volumeClaimTemplates", claim_templates(spec));
        "StatefulSet"
    } else {
        set(&mut body, "strategy", strategy(spec));
        "Deployment"
    };
    set(&mut body, "template", pod::template(spec, options));
    json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": body })
}

fn annotations(spec: &Spec) -> Map<String, Value> {
    let mut annotations = provenance(spec);
    let open = serde_json::to_string(spec).expect("a specification is plain JSON");
    annotations.insert(label::SPEC.to_owned(), open.into());
    annotations
}

fn strategy(spec: &Spec) -> Value {
    match spec.statefulness {
        // Two pods at once would both want the one volume.
        Statefulness::Singleton => json!({ "type": "Recreate" }),
        Statefulness::Stateless | Statefulness::Sticky => json!({
            "type": "RollingUpdate",
            "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 },
        }),
    }
}

/// One claim a pod. Its labels can never change, so the version is not among them.
fn claim_templates(spec: &Spec) -> Vec<Value> {
    let mut labels = labels(spec, label::COMPONENT_VALUE);
    labels.remove(label::VERSION);
    spec.volumes
        .iter()
        .filter(|volume| volume.size > 0)
        .map(|volume| {
            json!({
                "metadata": { "name": volume.name, "labels": labels },
                "spec": claim(volume),
            })
        })
        .collect()
}
