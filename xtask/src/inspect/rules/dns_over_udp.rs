//! An egress policy that lets DNS out over UDP only.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "dns-over-udp",
    stage: Stage::Deploy,
    title: "An egress policy lets DNS out over UDP and TCP",
    why: "answers that do not fit into one packet are asked for again over TCP, and then names do not resolve",
    remedy: "add port 53 with protocol: TCP beside UDP",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for policy in facts
        .objects()
        .iter()
        .filter(|one| one.kind == "NetworkPolicy")
    {
        let rules = policy.spec(&["egress"]).map_or(&[][..], Node::items);
        let ports: Vec<&Node> = rules.iter().flat_map(|rule| rule.list("ports")).collect();
        let is_open = rules.iter().any(|rule| rule.list("ports").is_empty());
        let of = |protocol: &str| {
            ports.iter().find(|one| {
                let dns = one.text_of("port") == Some("53");
                dns && one.text_of("protocol").unwrap_or("TCP") == protocol
            })
        };
        if let (Some(udp), None, false) = (of("UDP"), of("TCP"), is_open) {
            found.risk(policy.path, udp.line(), "lets DNS out over UDP only");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn both_protocols_are_fine() {
        let of = |ports: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec:\n  egress:\n  - ports:\n{ports}"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("    - {protocol: UDP, port: 53}\n", &["risk k.yaml:6"]);
        of(
            "    - {protocol: UDP, port: 53}\n    - {protocol: TCP, port: 53}\n",
            &[],
        );
        of("    - {port: 443}\n", &[]);
        of("    - {protocol: UDP, port: 53}\n  - {}\n", &[]);
    }
}
