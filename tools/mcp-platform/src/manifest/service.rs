//! Services: the one through which clients come, and headless ones that give pods names.

use serde_json::{Value, json};

use crate::model::{Exposure, Spec, Statefulness, label};

use super::ingress::{load_balancer_annotations, service_annotations};
use super::{RenderOptions, metadata, names, owns_claims, selector, set};

/// How long a client stays with its pod.
pub const AFFINITY_SECONDS: u32 = 86_400;

/// All Services of a server itself.
pub fn objects(spec: &Spec, options: &RenderOptions) -> Vec<Value> {
    let mut all = vec![main(spec, options)];
    if owns_claims(spec) {
        let mut peers = headless(spec, &names::peers(spec), &selector(spec));
        if let Some(body) = peers.get_mut("spec") {
            let port = json!({ "name": "mcp", "port": spec.port, "protocol": "TCP" });
            set(body, "ports", json!([port]));
        }
        all.push(peers);
    }
    if spec.manages_kernels {
        let mut kernels = headless(spec, &names::kernels(spec), &kernel_selector(spec));
        if let Some(metadata) = kernels.get_mut("metadata") {
            set(metadata, "annotations", at_run_time());
        }
        all.push(kernels);
    }
    all
}

fn main(spec: &Spec, options: &RenderOptions) -> Value {
    let mut port = json!({
        "name": "mcp",
        "port": spec.port,
        "targetPort": "mcp",
        "protocol": "TCP",
    });
    let mut body = json!({ "selector": selector(spec) });
    let mut annotations = service_annotations(spec, options);
    match &spec.exposure {
        Exposure::ClusterIp | Exposure::Ingress { .. } => set(&mut body, "type", "ClusterIP"),
        Exposure::NodePort { port: chosen } => {
            set(&mut body, "type", "NodePort");
            if let Some(chosen) = chosen {
                set(&mut port, "nodePort", *chosen);
            }
        }
        Exposure::LoadBalancer => {
            set(&mut body, "type", "LoadBalancer");
            annotations.extend(load_balancer_annotations(options));
            if spec.statefulness == Statefulness::Sticky {
                // Otherwise every client has the address of a node, and all go to one pod.
                set(&mut body, "externalTrafficPolicy", "Local");
            }
        }
    }
    if spec.statefulness == Statefulness::Sticky {
        set(&mut body, "sessionAffinity", "ClientIP");
        set(
            &mut body,
            "sessionAffinityConfig",
            json!({ "clientIP": { "timeoutSeconds": AFFINITY_SECONDS } }),
        );
    }
    set(&mut body, "ports", json!([port]));
    let mut metadata = metadata(spec, &spec.identity.name.service());
    if !annotations.is_empty() {
        set(&mut metadata, "annotations", annotations);
    }
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body })
}

/// A Service that only gives names. A kernel chooses its ports itself, so by default there is none.
fn headless(spec: &Spec, name: &str, selector: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(spec, name),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "selector": selector,
        },
    })
}

/// The value of the component's label of pods that a server starts as kernels.
pub const KERNEL: &str = "kernel";

/// The labels by which a server's kernels are found.
pub fn kernel_selector(spec: &Spec) -> Value {
    json!({ label::INSTANCE: spec.identity.name, label::COMPONENT: KERNEL })
}

/// Says to whoever checks manifests that pods of these labels come into being at run time.
pub const AT_RUN_TIME: &str = "mcp-platform/at-run-time";

/// The annotation for kernels.
pub fn at_run_time() -> Value {
    json!({ AT_RUN_TIME: format!("{}={KERNEL}", label::COMPONENT) })
}
