//! A server in a cluster that nobody asks whether it works.

use super::Rule;
use crate::inspect::kubernetes::is_known_service;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-probe",
    stage: Stage::Deploy,
    title: "A server's container has a readiness probe and a liveness probe",
    why: "requests go to pods that do not serve yet, and one that hangs is never started anew",
    remedy: "add readinessProbe and livenessProbe: a path that the server has, or tcpSocket",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for workload in facts.workloads().iter().filter(|one| one.is_service()) {
        for container in workload.containers() {
            let image = container.text_of("image").unwrap_or_default();
            // A container without a port serves nobody.
            if container.list("ports").is_empty() || is_known_service(image) {
                continue;
            }
            let missing: Vec<&str> = ["readinessProbe", "livenessProbe"]
                .into_iter()
                .filter(|probe| container.get(probe).is_none())
                .collect();
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
    fn servers_have_both() {
        let of = |container: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - {container}\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of(
            "{image: a, ports: [{containerPort: 1}]}",
            &["risk k.yaml:7"],
        );
        of(
            "{image: a, ports: [{containerPort: 1}], readinessProbe: {}, livenessProbe: {}}",
            &[],
        );
        of("{image: a}", &[]);
        of("{image: \"mongo:6\", ports: [{containerPort: 1}]}", &[]);
    }
}
