//! A Service that spreads the requests of one session over several pods.

use super::Rule;
use crate::inspect::source::keeps_sessions;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "session-affinity",
    stage: Stage::Deploy,
    title: "A Service keeps a client at its pod when the server keeps sessions",
    why: "the next request of a session arrives at a pod that does not know it, and is refused",
    remedy: "set sessionAffinity: ClientIP (behind a LoadBalancer with externalTrafficPolicy: Local), or serve without sessions",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    if !keeps_sessions(facts.repository) {
        return;
    }
    let objects = facts.objects();
    let workloads = facts.workloads();
    for service in objects.iter().filter(|one| one.kind == "Service") {
        let Some(labels) = service.spec(&["selector"]) else {
            continue;
        };
        let several = workloads.iter().find(|one| {
            let scaled = objects.iter().any(|other| {
                other.kind == "HorizontalPodAutoscaler"
                    && other.spec(&["scaleTargetRef", "name"]).and_then(Node::text)
                        == Some(one.object.name)
            });
            one.is_service()
                && one.is_own()
                && one.is_selected(labels)
                && one.object.is_near(service)
                && (scaled || one.replicas() > 1)
        });
        let text = |key: &str| service.spec(&[key]).and_then(Node::text);
        let Some(workload) = several.filter(|_| text("clusterIP") != Some("None")) else {
            continue;
        };
        let line = service
            .node
            .get("spec")
            .map_or(service.node.line(), Node::line);
        let shown = workload.object.shown();
        if text("sessionAffinity") != Some("ClientIP") {
            found.risk(
                service.path,
                line,
                format!("spreads the requests of a session over the pods of {shown}"),
            );
        } else if text("type") == Some("LoadBalancer")
            && text("externalTrafficPolicy") != Some("Local")
        {
            let line = service.spec(&["sessionAffinity"]).map_or(line, Node::line);
            found.risk(service.path, line, "behind a LoadBalancer all clients share the address of a node, so that ClientIP does not tell them apart")
                .remedy("set externalTrafficPolicy: Local");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn one_pod_or_no_sessions_need_none() {
        let of = |replicas: usize, service: &str, source: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: v1\nkind: Service\nspec:\n  selector: {{app: a}}\n  {service}\n---\napiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: {replicas}\n  template:\n    metadata: {{labels: {{app: a}}}}\n    spec: {{containers: [{{image: a}}]}}\n"
            );
            check(&RULE, &[("k.yaml", &text), ("a.py", source)], expected);
        };
        let keeping = "m = FastMCP('a')\n";
        of(3, "type: ClusterIP", keeping, &["risk k.yaml:4"]);
        of(1, "type: ClusterIP", keeping, &[]);
        of(3, "sessionAffinity: ClientIP", keeping, &[]);
        of(
            3,
            "type: ClusterIP",
            "m = FastMCP('a', stateless_http=True)\n",
            &[],
        );
        of(3, "{}".trim_matches(['{', '}']), "x = 1\n", &[]);
        of(
            3,
            "type: LoadBalancer\n  sessionAffinity: ClientIP",
            keeping,
            &["risk k.yaml:6"],
        );
    }
}
