//! A server that starts kernels without the rights for it.

use crate::lint::{Found, Node, Object, Rule, Set, Severity, Workload};

/// The rule.
pub const RULE: Rule = Rule {
    id: "rights-missing",
    severity: Severity::Error,
    why: "every attempt to start or end a kernel is refused, and what was started is left behind",
    remedy: "let its Role allow create, delete and get of pods, services, persistentvolumeclaims, deployments and networkpolicies, and create of pods/exec",
    docs: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
    check,
};

/// What starting and removing a kernel takes.
const NEEDED: [(&str, &str, &[&str]); 6] = [
    ("", "pods", &["create", "delete", "get"]),
    ("", "pods/exec", &["create"]),
    ("", "services", &["create", "delete", "get"]),
    ("", "persistentvolumeclaims", &["create", "delete", "get"]),
    ("apps", "deployments", &["create", "delete", "get"]),
    (
        "networking.k8s.io",
        "networkpolicies",
        &["create", "delete", "get"],
    ),
];

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        if workload
            .labels()
            .get("app")
            .is_none_or(|app| app != "mcp-server-manager")
        {
            continue;
        }
        let account = workload.template.word("spec.serviceAccountName");
        let roles = roles(set, &workload, &account);
        // Without any Role among the files the rights are given elsewhere.
        let Some(first) = roles.first() else {
            continue;
        };
        let missing: Vec<String> = NEEDED
            .iter()
            .flat_map(|(group, resource, verbs)| {
                verbs.iter().map(move |verb| (group, resource, verb))
            })
            .filter(|(group, resource, verb)| {
                !roles.iter().any(|role| allows(role, group, resource, verb))
            })
            .map(|(_, resource, verb)| format!("{verb} {resource}"))
            .collect();
        if !missing.is_empty() {
            let text = format!(
                "{} needs more: {}",
                workload.object.name,
                missing.join(", ")
            );
            found.at(first, first.node.line_of("rules"), text);
        }
    }
}

/// The Roles that an account has.
fn roles<'set>(set: &'set Set, workload: &Workload<'set>, account: &str) -> Vec<&'set Object> {
    let bindings = set
        .objects
        .iter()
        .filter(|object| object.kind == "RoleBinding" || object.kind == "ClusterRoleBinding");
    bindings
        .filter(|binding| {
            binding.node.each("subjects").any(|subject| {
                subject.word("kind") == "ServiceAccount" && subject.word("name") == account
            })
        })
        .flat_map(|binding| {
            let (kind, name) = (
                binding.node.word("roleRef.kind"),
                binding.node.word("roleRef.name"),
            );
            set.objects
                .iter()
                .filter(move |role| role.kind == kind && role.name == name)
        })
        .filter(|role| role.kind == "ClusterRole" || role.beside(workload.object))
        .collect()
}

fn allows(role: &Object, group: &str, resource: &str, verb: &str) -> bool {
    role.node.each("rules").any(|rule| {
        let has = |list: &str, wanted: &str| {
            rule.each(list)
                .filter_map(Node::text)
                .any(|one| one == wanted || one == "*")
        };
        has("apiGroups", group) && has("resources", resource) && has("verbs", verb)
    })
}
