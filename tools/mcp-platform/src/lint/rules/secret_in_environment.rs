//! A password in the open.

use crate::lint::{Found, Node, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "secret-in-environment",
    severity: Severity::Error,
    why: "everybody who may read the manifest, the Deployment or the repository has it",
    remedy: "put it into a Secret and read it by `valueFrom.secretKeyRef`",
    docs: "https://kubernetes.io/docs/concepts/configuration/secret/",
    check,
};

/// Parts of names of variables that hold secrets.
const SECRET: [&str; 9] = [
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "ACCESS_KEY",
    "CREDENTIAL",
];

/// Parts of names of variables that only speak of secrets.
const OPEN: [&str; 12] = [
    "_FILE",
    "_PATH",
    "_NAME",
    "_URL",
    "_TTL",
    "_EXPIR",
    "_LIFETIME",
    "_LENGTH",
    "_LIMIT",
    "_HEADER",
    "_TYPE",
    "MAX_",
];

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            for variable in container.each("env") {
                let name = variable.word("name");
                if secret(&name, &variable.word("value")) {
                    let text = format!(
                        "container {} has {name} in the open",
                        container.word("name")
                    );
                    found.at(workload.object, variable.line_of("value"), text);
                }
            }
        }
    }
    for map in set.of("ConfigMap") {
        for (key, value) in map.node.at("data").into_iter().flat_map(Node::entries) {
            if secret(key, &value.text().unwrap_or_default()) {
                found.at(map, value.line, format!("{key} is in the open"));
            }
        }
    }
}

fn secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let named = SECRET.iter().any(|part| name.contains(part))
        && !OPEN.iter().any(|part| name.contains(part));
    let plain = !value.is_empty()
        && !value.starts_with("$(")
        && !matches!(value, "true" | "false")
        && value.parse::<i64>().is_err();
    (named && plain) || in_address(value)
}

/// `scheme://user:password@host`, with a password that is not a reference.
fn in_address(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| {
            !password.is_empty() && !password.starts_with("$(") && !password.starts_with("${")
        })
}
