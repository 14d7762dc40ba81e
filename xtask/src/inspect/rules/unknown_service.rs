//! A Service without pods, and an Ingress without a Service.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "unknown-service",
    stage: Stage::Deploy,
    title: "Services select pods, by labels and ports that they have, and Ingresses name Services",
    why: "requests end with connection refused, or 503",
    remedy: "use the labels of the pod template, the name of its port, and the name of the Service",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let objects = facts.objects();
    let workloads = facts.workloads();
    if workloads.is_empty() {
        return;
    }
    for service in objects
        .iter()
        .filter(|one| one.kind == "Service" && one.api == "v1" && !facts.is_near_template(one.path))
    {
        let Some(labels) = service
            .spec(&["selector"])
            .filter(|labels| !labels.pairs().is_empty())
        else {
            continue;
        };
        let pods: Vec<_> = workloads
            .iter()
            .filter(|one| one.is_selected(labels))
            .collect();
        if pods.is_empty() {
            found.risk(
                service.path,
                labels.line(),
                format!(
                    "{} selects pods that no manifest here makes",
                    service.shown()
                ),
            );
            continue;
        }
        for port in service.spec(&["ports"]).map_or(&[][..], Node::items) {
            let Some(target) = port.get("targetPort") else {
                continue;
            };
            let name = target.text().unwrap_or_default();
            let is_named = |container: &Node| {
                container
                    .list("ports")
                    .iter()
                    .any(|one| one.text_of("name") == Some(name))
            };
            if name.parse::<u16>().is_err()
                && !pods.iter().any(|one| one.containers().iter().any(is_named))
            {
                found.breaks(
                    service.path,
                    target.line(),
                    format!(
                        "{} targets the port {name}, which no container of its pods names",
                        service.shown()
                    ),
                );
            }
        }
    }
    for ingress in objects
        .iter()
        .filter(|one| one.kind == "Ingress" && !facts.is_near_template(one.path))
    {
        let rules = ingress.spec(&["rules"]).map_or(&[][..], Node::items);
        let paths = rules
            .iter()
            .filter_map(|rule| rule.at(&["http", "paths"]))
            .flat_map(Node::items);
        let named = paths.filter_map(|path| path.at(&["backend", "service", "name"]));
        for name in named {
            let text = name.text().unwrap_or_default();
            if !objects
                .iter()
                .any(|one| one.kind == "Service" && one.name == text)
            {
                found.risk(
                    ingress.path,
                    name.line(),
                    format!("leads to the Service {text}, which no manifest here has"),
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
    fn labels_ports_and_names_are_held_together() {
        let of = |selector: &str, port: &str, backend: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec:\n  selector: {selector}\n  ports:\n  - port: 80\n    targetPort: {port}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{labels: {{app: a}}}}\nspec:\n  containers: [{{image: a, ports: [{{name: http, containerPort: 1}}]}}]\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nspec:\n  rules:\n  - http:\n      paths:\n      - backend: {{service: {{name: {backend}}}}}\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("{app: a}", "http", "s", &[]);
        of("{app: a}", "8080", "s", &[]);
        of("{app: a}", "web", "s", &["breaks k.yaml:8"]);
        of("{app: b}", "http", "s", &["risk k.yaml:5"]);
        of("{app: a}", "http", "gone", &["risk k.yaml:22"]);
    }
}
