//! An Ingress of the NGINX controller without times for long connections.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "ingress-cuts-websockets",
    severity: Severity::Warning,
    why: "a WebSocket or an event stream that is silent for 60 seconds is cut off",
    remedy: "set nginx.ingress.kubernetes.io/proxy-read-timeout and proxy-send-timeout to 3600",
    docs: "https://kubernetes.github.io/ingress-nginx/user-guide/miscellaneous/#websockets",
    check,
};

const READ: &str = "nginx.ingress.kubernetes.io/proxy-read-timeout";
const SEND: &str = "nginx.ingress.kubernetes.io/proxy-send-timeout";

/// What the controller takes when nothing is said.
const DEFAULT_SECONDS: i64 = 60;

fn check(set: &Set, found: &mut Found) {
    for ingress in set.of("Ingress") {
        let class = ingress.node.word("spec.ingressClassName");
        let old = ingress
            .annotation("kubernetes.io/ingress.class")
            .unwrap_or_default();
        if class != "nginx" && old != "nginx" {
            continue;
        }
        let short = [READ, SEND].into_iter().find(|key| {
            let seconds = ingress
                .annotation(key)
                .and_then(|text| text.parse::<i64>().ok());
            seconds.unwrap_or(DEFAULT_SECONDS) <= DEFAULT_SECONDS
        });
        if let Some(key) = short {
            found.at(
                ingress,
                ingress.line(),
                format!("{key} is not more than {DEFAULT_SECONDS} s"),
            );
        }
    }
}
