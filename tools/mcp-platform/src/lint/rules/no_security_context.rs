//! A container with more rights than a server needs.

use crate::lint::{Found, Node, Rule, Set, Severity, Workload};

/// The rule.
pub const RULE: Rule = Rule {
    id: "no-security-context",
    severity: Severity::Warning,
    why: "a namespace with the Pod Security Standard `restricted` refuses it, and a break-in has a way up",
    remedy: "set runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities.drop: [ALL], seccompProfile.type: RuntimeDefault",
    docs: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            let lacking = lacking(&workload, container);
            if !lacking.is_empty() {
                let text = format!(
                    "container {} lacks {}",
                    container.word("name"),
                    lacking.join(", ")
                );
                found.at(workload.object, container.line_of("name"), text);
            }
        }
    }
}

fn lacking(workload: &Workload<'_>, container: &Node) -> Vec<&'static str> {
    let own = container.get("securityContext");
    let pod = workload.template.at("spec.securityContext");
    // What the container says counts before what its pod says.
    let truth = |path: &str| {
        own.and_then(|own| own.truth(path))
            .or_else(|| pod.and_then(|pod| pod.truth(path)))
    };
    let seccomp = [own, pod]
        .into_iter()
        .flatten()
        .map(|node| node.word("seccompProfile.type"))
        .find(|text| !text.is_empty());
    let dropped = own.is_some_and(|own| {
        own.each("capabilities.drop")
            .filter_map(Node::text)
            .any(|name| name == "ALL")
    });
    let mut lacking = Vec::new();
    let mut wants = |holds: bool, what: &'static str| {
        if !holds {
            lacking.push(what);
        }
    };
    wants(truth("runAsNonRoot") == Some(true), "runAsNonRoot: true");
    wants(
        own.and_then(|own| own.truth("allowPrivilegeEscalation")) == Some(false),
        "allowPrivilegeEscalation: false",
    );
    wants(dropped, "capabilities.drop: [ALL]");
    wants(
        seccomp.is_some_and(|kind| kind != "Unconfined"),
        "seccompProfile.type: RuntimeDefault",
    );
    wants(
        own.and_then(|own| own.truth("privileged")) != Some(true),
        "privileged: false",
    );
    lacking
}
