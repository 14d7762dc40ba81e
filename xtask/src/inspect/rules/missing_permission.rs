//! A call of the Kubernetes API that no Role allows.

use std::sync::LazyLock;

use regex::Regex;

use super::Rule;
use crate::inspect::kubernetes::Object;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-permission",
    stage: Stage::Deploy,
    title: "A Role allows the calls of the Kubernetes API that the server makes",
    why: "the API server answers 403, and the tool fails for every user",
    remedy: "add the resource and the verb to the Role, with its API group",
    look,
};

static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\.(list|read|create|delete|patch|replace)_namespaced_([a-z_]+?)(_log|_scale|_status)?\(",
    )
    .expect("it is a pattern")
});

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let objects = facts.objects();
    let roles: Vec<&Object<'_>> = objects
        .iter()
        .filter(|one| matches!(one.kind, "Role" | "ClusterRole"))
        .collect();
    let Some(first) = roles
        .first()
        .filter(|one| !facts.is_near_template(one.path))
    else {
        return;
    };
    let mut seen: Vec<(String, String)> = Vec::new();
    for python in &facts.python {
        if !crate::inspect::source::holds(python.text, "_namespaced_") {
            continue;
        }
        for line in &python.lines {
            for captured in CALL.captures_iter(&line.code) {
                let verb = match &captured[1] {
                    "read" => "get",
                    "replace" => "update",
                    verb => verb,
                };
                let part = captured
                    .get(3)
                    .map_or("", |part| part.as_str())
                    .trim_start_matches('_');
                let Some(resource) = plural(&captured[2]) else {
                    continue;
                };
                let resource = match part {
                    "" => resource,
                    part => format!("{resource}/{part}"),
                };
                let pair = (verb.to_owned(), resource.clone());
                if seen.contains(&pair) {
                    continue;
                }
                seen.push(pair);
                if !roles.iter().any(|role| allows(role, verb, &resource)) {
                    let message = format!(
                        "calls `{verb}` on {resource}, which {} ({}) does not allow",
                        first.shown(),
                        first.path
                    );
                    found.breaks(python.path, line.number, message);
                }
            }
        }
    }
}

/// The resource of a Python name, when it is one that every cluster has.
fn plural(name: &str) -> Option<String> {
    const KNOWN: [&str; 14] = [
        "pods",
        "deployments",
        "services",
        "configmaps",
        "secrets",
        "persistentvolumeclaims",
        "statefulsets",
        "jobs",
        "networkpolicies",
        "ingresses",
        "replicasets",
        "daemonsets",
        "cronjobs",
        "serviceaccounts",
    ];
    let plain = name.replace('_', "");
    let plural = match plain.as_str() {
        "configmap" => "configmaps".to_owned(),
        one if one.ends_with("policy") => format!("{}ies", one.trim_end_matches('y')),
        one if one.ends_with("ss") => format!("{one}es"),
        one => format!("{one}s"),
    };
    KNOWN.contains(&plural.as_str()).then_some(plural)
}

fn allows(role: &Object<'_>, verb: &str, resource: &str) -> bool {
    role.node.list("rules").iter().any(|rule| {
        let has = |key: &str, wanted: &str| {
            rule.list(key)
                .iter()
                .filter_map(Node::text)
                .any(|text| text == wanted || text == "*")
        };
        has("resources", resource) && has("verbs", verb)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn calls_are_held_against_the_roles() {
        let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules:\n- apiGroups: ['']\n  resources: [pods]\n  verbs: [get, list]\n";
        let of = |call: &str, expected: &[&str]| {
            let source = format!("\napi.{call}('x')\n");
            check(&RULE, &[("k.yaml", role), ("s.py", &source)], expected);
        };
        of("read_namespaced_pod", &[]);
        of("list_namespaced_pod", &[]);
        of("delete_namespaced_pod", &["breaks s.py:2"]);
        of("read_namespaced_pod_log", &["breaks s.py:2"]);
        of("create_namespaced_network_policy", &["breaks s.py:2"]);
        of("create_namespaced_custom_object", &[]);
        check(&RULE, &[("s.py", "api.delete_namespaced_pod('x')\n")], &[]);
    }
}
