//! The rights in its namespace that the Kubernetes back end uses, and no others; the Role that
//! `setup` makes and the questions that `doctor` asks come from this one list.

/// Verbs on resources of one API group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// The API group; empty for the core.
    pub group: &'static str,
    /// Resources, with `/` before a subresource.
    pub resources: &'static [&'static str],
    /// Verbs.
    pub verbs: &'static [&'static str],
    /// What they are used for.
    pub purpose: &'static str,
}

const OBJECTS: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// All of them.
pub const RIGHTS: [Right; 17] = [
    Right {
        group: "",
        resources: &["services", "secrets"],
        verbs: OBJECTS,
        purpose: "deploy, observe and delete servers",
    },
    Right {
        group: "",
        resources: &["configmaps", "serviceaccounts", "persistentvolumeclaims"],
        verbs: &["get", "list", "create", "patch", "delete"],
        purpose: "deploy and delete servers",
    },
    Right {
        group: "apps",
        resources: &["deployments", "statefulsets"],
        verbs: OBJECTS,
        purpose: "deploy, observe and delete servers",
    },
    Right {
        group: "apps",
        resources: &["deployments/scale", "statefulsets/scale"],
        verbs: &["get", "update"],
        purpose: "scale, start and stop",
    },
    Right {
        group: "apps",
        resources: &["replicasets", "controllerrevisions"],
        verbs: &["list"],
        purpose: "tell a server's pods from others",
    },
    Right {
        group: "",
        resources: &["pods"],
        verbs: &["get", "list", "watch", "delete"],
        purpose: "say why a server is not ready; stop by force",
    },
    Right {
        group: "",
        resources: &["pods/log"],
        verbs: &["get"],
        purpose: "logs",
    },
    Right {
        group: "",
        resources: &["pods/portforward"],
        verbs: &["get", "create"],
        purpose: "check a server from outside the cluster",
    },
    Right {
        group: "",
        resources: &["events"],
        verbs: &["list", "watch"],
        purpose: "events; say why a server is not ready",
    },
    Right {
        group: "networking.k8s.io",
        resources: &["ingresses", "networkpolicies"],
        verbs: OBJECTS,
        purpose: "deploy and delete servers",
    },
    Right {
        group: "autoscaling",
        resources: &["horizontalpodautoscalers"],
        verbs: OBJECTS,
        purpose: "autoscaled servers",
    },
    Right {
        group: "policy",
        resources: &["poddisruptionbudgets"],
        verbs: &["get", "list", "create", "patch", "delete"],
        purpose: "deploy and delete servers",
    },
    Right {
        group: "cloud.google.com",
        resources: &["backendconfigs"],
        verbs: &["get", "list", "create", "patch", "delete"],
        purpose: "ingresses of the profile gke",
    },
    Right {
        group: "rbac.authorization.k8s.io",
        resources: &["roles", "rolebindings"],
        verbs: &["get", "list", "create", "patch", "delete"],
        purpose: "servers that start kernels as pods",
    },
    Right {
        group: "",
        resources: &["pods"],
        verbs: &["create"],
        purpose: "hand it on to servers that start kernels as pods",
    },
    Right {
        group: "",
        resources: &["pods/exec"],
        verbs: &["get", "create"],
        purpose: "hand it on to servers that start kernels as pods",
    },
    Right {
        group: "",
        resources: &["endpoints"],
        verbs: &["list"],
        purpose: "count what is left of a server",
    },
];

/// What is only listed to count what is left of a server, where the cluster serves it.
pub const COUNTED: [(&str, &str); 2] = [("batch", "jobs"), ("discovery.k8s.io", "endpointslices")];
