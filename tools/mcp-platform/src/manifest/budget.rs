//! The disruption budget.

use serde_json::{Value, json};

use crate::model::{Spec, Statefulness};

use super::{metadata, selector};

/// At most one instance at a time is taken away by drains of nodes. It says how many may be missing
/// and not how many must be there, so that it never blocks a drain, whatever the number is. A
/// singleton has none: any budget for one pod either blocks every drain or does nothing.
pub fn object(spec: &Spec) -> Option<Value> {
    match spec.statefulness {
        Statefulness::Singleton => None,
        Statefulness::Stateless | Statefulness::Sticky => Some(json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(spec, spec.identity.name.as_str()),
            "spec": {
                "maxUnavailable": 1,
                "selector": { "matchLabels": selector(spec) },
            },
        })),
    }
}
