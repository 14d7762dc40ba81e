//! A container without limits.

use super::Rule;
use crate::inspect::kubernetes::is_known_service;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unlimited-container",
    stage: Stage::Deploy,
    title: "A server's container asks for resources and has a security context",
    why: "without requests it is the first to be evicted; without a security context it runs with more rights than it needs",
    remedy: "set resources.requests and limits, and securityContext with runAsNonRoot and allowPrivilegeEscalation: false",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for workload in facts.workloads().iter().filter(|one| one.is_service()) {
        for container in workload.containers() {
            let image = container.text_of("image").unwrap_or_default();
            if is_known_service(image) {
                continue;
            }
            let mut missing = Vec::new();
            if container.get("resources").is_none() {
                missing.push("resources");
            }
            if container.get("securityContext").is_none()
                && workload.pod.get("securityContext").is_none()
            {
                missing.push("securityContext");
            }
            if !missing.is_empty() {
                let name = container.text_of("name").unwrap_or(image);
                found.risk(
                    workload.object.path,
                    container.line(),
                    format!("the container {name} has no {}", missing.join(" and no ")),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn both_are_asked_for() {
        let of = |container: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - {container}\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("{image: a}", &["risk k.yaml:7"]);
        of("{image: a, resources: {}, securityContext: {}}", &[]);
        of("{image: redis}", &[]);
    }
}
