//! An annotation that the NGINX controller does not know.

use crate::lint::{Found, Node, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "ingress-annotation-unknown",
    severity: Severity::Error,
    why: "it is passed over in silence: what it should limit is not limited",
    remedy: "use limit-rps, limit-rpm and limit-connections; WebSockets need no annotation",
    docs: "https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/",
    check,
};

/// Annotations that are written often and do not exist, without their prefix.
const UNKNOWN: [&str; 6] = [
    "rate-limit",
    "rate-limit-window",
    "rate-limit-rps",
    "websocket-services",
    "enable-websocket",
    "session-cookie-timeout",
];

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

fn check(set: &Set, found: &mut Found) {
    for ingress in set.of("Ingress") {
        for (key, value) in ingress
            .node
            .at("metadata.annotations")
            .into_iter()
            .flat_map(Node::entries)
        {
            if key
                .strip_prefix(PREFIX)
                .is_some_and(|name| UNKNOWN.contains(&name))
            {
                found.at(ingress, value.line, format!("there is no annotation {key}"));
            }
        }
    }
}
