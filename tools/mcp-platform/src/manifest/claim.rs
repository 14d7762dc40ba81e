//! Storage that outlives a restart.

use serde_json::{Value, json};

use crate::model::{Spec, Statefulness, Volume};

use super::{metadata, names, set};

/// The claims of a singleton. Those of other servers are made by their StatefulSet.
pub fn objects(spec: &Spec) -> Vec<Value> {
    if spec.statefulness != Statefulness::Singleton {
        return Vec::new();
    }
    spec.volumes
        .iter()
        .filter(|volume| volume.size > 0)
        .map(|volume| {
            json!({
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": metadata(spec, &names::claim(spec, &volume.name)),
                "spec": claim(volume),
            })
        })
        .collect()
}

/// The `spec` of a claim.
pub fn claim(volume: &Volume) -> Value {
    let mut claim = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": size(volume.size) } },
    });
    if let Some(class) = &volume.storage_class {
        set(&mut claim, "storageClassName", class.clone());
    }
    claim
}

/// Bytes in the largest unit that says them exactly.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u32, &str); 3] = [(30, "Gi"), (20, "Mi"), (10, "Ki")];
    UNITS
        .iter()
        .find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(
            || bytes.to_string(),
            |(shift, unit)| format!("{}{unit}", bytes >> shift),
        )
}
