//! The namespace, and the rights in it: what a cluster needs before the first server. A Role of the
//! namespace, never of the whole cluster; no token is made or shown.

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::backend::kubernetes::FIELD_MANAGER;
use crate::backend::kubernetes::answer::ask;
use crate::error::Result;
use crate::model::label;

use super::rights::{COUNTED, RIGHTS};

/// The name of the account, its Role and their binding.
const NAME: &str = "mcp-platform";

/// Who gets the rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A service account of the namespace, made for it.
    Account,
    /// A user that the cluster knows.
    User(String),
    /// A group that the cluster knows.
    Group(String),
}

/// What is to be there, in order.
pub fn objects(namespace: &str, subject: &Subject) -> Vec<Value> {
    let labels = json!({label::NAME: NAME, label::MANAGED_BY: label::MANAGED_BY_VALUE});
    let metadata = json!({"name": NAME, "namespace": namespace, "labels": labels});
    let mut all = vec![json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace,
            "labels": {
                label::MANAGED_BY: label::MANAGED_BY_VALUE,
                // Known to clusters from 1.21 on by themselves; policies select namespaces by it.
                "kubernetes.io/metadata.name": namespace,
                "pod-security.kubernetes.io/enforce": "restricted",
            },
        },
    })];
    let bound = match subject {
        Subject::Account => {
            all.push(json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": metadata,
                "automountServiceAccountToken": false,
            }));
            json!({"kind": "ServiceAccount", "name": NAME, "namespace": namespace})
        }
        Subject::User(name) => {
            json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name})
        }
        Subject::Group(name) => {
            json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name})
        }
    };
    all.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": rules(),
    }));
    all.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME},
        "subjects": [bound],
    }));
    all
}

fn rules() -> Vec<Value> {
    let counted = COUNTED
        .iter()
        .map(|(group, resource)| json!({"apiGroups": [group], "resources": [resource], "verbs": ["list"]}));
    RIGHTS
        .iter()
        .map(|right| {
            json!({
                "apiGroups": [right.group],
                "resources": right.resources,
                "verbs": right.verbs,
            })
        })
        .chain(counted)
        .collect()
}

/// Applies them; again changes nothing.
///
/// # Errors
/// What the API says, most of all that we may not.
pub async fn apply(client: &Client, objects: &[Value]) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for object in objects {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (kind, name) = (text("/kind"), text("/metadata/name"));
        let (group, version) = text("/apiVersion")
            .split_once('/')
            .unwrap_or(("", text("/apiVersion")));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = match text("/metadata/namespace") {
            "" => Api::all_with(client.clone(), &resource),
            namespace => Api::namespaced_with(client.clone(), namespace, &resource),
        };
        let parameters = PatchParams {
            force: true,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
            dry_run: false,
        };
        let what = format!("apply {kind} {name}");
        ask(&what, api.patch(name, &parameters, &Patch::Apply(object))).await?;
        done.push(format!("{kind}/{name}"));
    }
    Ok(done)
}
