//! A network policy that lets DNS out over UDP only.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "dns-without-tcp",
    severity: Severity::Warning,
    why: "answers that do not fit into one datagram come over TCP only (RFC 7766): some names fail, sometimes",
    remedy: "add port 53 with `protocol: TCP` to the same rule",
    docs: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for policy in set.of("NetworkPolicy") {
        let ports = || {
            policy
                .node
                .each("spec.egress")
                .flat_map(|rule| rule.each("ports"))
        };
        let dns = |protocol: &'static str| {
            ports().find(move |port| {
                let named = port.word("protocol");
                port.word("port") == "53"
                    && (named == protocol || (protocol == "TCP" && named.is_empty()))
            })
        };
        // A rule without ports lets out everything.
        let open = policy
            .node
            .each("spec.egress")
            .any(|rule| rule.get("ports").is_none() && rule.get("to").is_none());
        if let (Some(udp), None, false) = (dns("UDP"), dns("TCP"), open) {
            found.at(
                policy,
                udp.line,
                "port 53 is open over UDP and not over TCP",
            );
        }
    }
}
