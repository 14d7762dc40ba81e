//! An Ingress that leads to a Service which is not there.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "ingress-without-service",
    severity: Severity::Error,
    why: "everybody gets an error page",
    remedy: "name a Service of the same namespace",
    docs: "https://kubernetes.io/docs/concepts/services-networking/ingress/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for ingress in set.of("Ingress") {
        let rules = ingress
            .node
            .each("spec.rules")
            .flat_map(|rule| rule.each("http.paths"));
        let backends = rules
            .filter_map(|path| path.get("backend"))
            .chain(ingress.node.at("spec.defaultBackend"));
        for backend in backends {
            let Some(service) = backend.get("service") else {
                continue;
            };
            let name = service.word("name");
            let target = set
                .of("Service")
                .find(|one| one.name == name && one.beside(ingress));
            let Some(target) = target else {
                found.at(
                    ingress,
                    service.line_of("name"),
                    format!("there is no Service {name}"),
                );
                continue;
            };
            let (number, word) = (service.word("port.number"), service.word("port.name"));
            let has = target.node.each("spec.ports").any(|port| {
                (!number.is_empty() && port.word("port") == number)
                    || (!word.is_empty() && port.word("name") == word)
            });
            if !has {
                let text = format!("Service {name} has no port {number}{word}");
                found.at(ingress, service.line_of("port"), text);
            }
        }
    }
}
