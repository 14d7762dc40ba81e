//! The autoscaler: quick to add, slow to take away, because what is taken away ends sessions.

use serde_json::{Value, json};

use crate::model::Spec;

use super::{metadata, owns_claims};

const LEAST: u32 = 2;
const MOST: u32 = 10;

/// The autoscaler.
pub fn object(spec: &Spec) -> Value {
    let name = spec.identity.name.as_str();
    let kind = if owns_claims(spec) {
        "StatefulSet"
    } else {
        "Deployment"
    };
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(spec, name),
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": kind, "name": name },
            "minReplicas": LEAST,
            "maxReplicas": MOST.max(spec.replicas),
            "metrics": [usage("cpu", 70), usage("memory", 80)],
            "behavior": {
                "scaleUp": {
                    "stabilizationWindowSeconds": 60,
                    "policies": [{ "type": "Percent", "value": 50, "periodSeconds": 60 }],
                },
                "scaleDown": {
                    "stabilizationWindowSeconds": 300,
                    "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 300 }],
                },
            },
        },
    })
}

fn usage(resource: &str, percent: u32) -> Value {
    json!({
        "type": "Resource",
        "resource": {
            "name": resource,
            "target": { "type": "Utilization", "averageUtilization": percent },
        },
    })
}
