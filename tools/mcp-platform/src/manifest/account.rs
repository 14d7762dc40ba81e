//! Who a server is to the cluster's API: nobody, except where it starts kernels as pods.

use serde_json::{Value, json};

use crate::model::Spec;

use super::metadata;

/// ServiceAccount, and for a server that manages kernels its Role and RoleBinding.
pub fn objects(spec: &Spec) -> Vec<Value> {
    let name = spec.identity.name.as_str();
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(spec, name),
        "automountServiceAccountToken": false,
    });
    if !spec.manages_kernels {
        return vec![account];
    }
    vec![
        account,
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": metadata(spec, name),
            "rules": rules(),
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata(spec, name),
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "Role",
                "name": name,
            },
            "subjects": [{
                "kind": "ServiceAccount",
                "name": name,
                "namespace": spec.identity.namespace,
            }],
        }),
    ]
}

/// What starting, watching, reaching and removing a kernel takes, and nothing else: a kernel is a
/// pod or a Deployment with a claim, a Service and a policy.
fn rules() -> Value {
    json!([
        {
            "apiGroups": [""],
            "resources": ["pods"],
            "verbs": ["create", "delete", "get", "list", "watch"],
        },
        {
            "apiGroups": [""],
            "resources": ["pods/exec"],
            "verbs": ["create", "get"],
        },
        {
            "apiGroups": [""],
            "resources": ["pods/log"],
            "verbs": ["get"],
        },
        {
            "apiGroups": [""],
            "resources": ["persistentvolumeclaims", "services"],
            "verbs": ["create", "delete", "get", "list"],
        },
        {
            "apiGroups": ["apps"],
            "resources": ["deployments"],
            "verbs": ["create", "delete", "get", "list", "patch", "watch"],
        },
        {
            "apiGroups": ["networking.k8s.io"],
            "resources": ["networkpolicies"],
            "verbs": ["create", "delete", "get", "list"],
        },
    ])
}
