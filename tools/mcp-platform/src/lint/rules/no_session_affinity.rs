//! A server with sessions and several pods behind a Service that does not keep clients at theirs.

use crate::lint::objects::{has_all, labels};
use crate::lint::{Found, Object, Rule, Set, Severity, Workload};
use crate::model::label;

/// The rule.
pub const RULE: Rule = Rule {
    id: "no-session-affinity",
    severity: Severity::Error,
    why: "the session is in the memory of one pod, and the next connection reaches another",
    remedy: "set `sessionAffinity: ClientIP` with `timeoutSeconds: 86400`",
    docs: "https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for service in set.of("Service") {
        let node = &service.node;
        let Some(selector) = node
            .at("spec.selector")
            .map(labels)
            .filter(|all| !all.is_empty())
        else {
            continue;
        };
        if node.word("spec.clusterIP") == "None" || node.word("spec.sessionAffinity") == "ClientIP"
        {
            continue;
        }
        let sessions = set
            .beside(service, |found| has_all(found, &selector))
            .filter(|workload| set.several(workload) && !stateless(workload))
            .find(|workload| {
                workload.object.kind == "StatefulSet" || speaks_websocket(set, service, workload)
            });
        if let Some(workload) = sessions {
            let text = format!(
                "{} {} keeps sessions in several pods",
                workload.object.kind, workload.object.name
            );
            found.at(service, node.line_of("spec.sessionAffinity"), text);
        }
    }
}

/// Whether a server of ours says itself that its sessions hang on nothing.
fn stateless(workload: &Workload<'_>) -> bool {
    let declared = workload.object.annotation(label::SPEC).unwrap_or_default();
    declared.contains("\"statefulness\":\"stateless\"")
}

/// Whether the server, its Service or an Ingress before it speaks of WebSockets.
fn speaks_websocket(set: &Set, service: &Object, workload: &Workload<'_>) -> bool {
    let mut seen = false;
    let mut look = |key: &str, text: &str| {
        let text = text.to_ascii_lowercase();
        let port = matches!(key, "name" | "appProtocol")
            && matches!(text.as_str(), "ws" | "wss" | "kubernetes.io/ws");
        seen |= port || text.contains("websocket");
    };
    workload.template.scalars(&mut look);
    service.node.scalars(&mut look);
    for ingress in set.of("Ingress").filter(|ingress| ingress.beside(service)) {
        let mut leads = false;
        ingress
            .node
            .scalars(&mut |key, text| leads |= key == "name" && text == service.name);
        if leads {
            ingress.node.scalars(&mut look);
        }
    }
    seen
}
