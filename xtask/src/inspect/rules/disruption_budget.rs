//! A disruption budget that stops every drain of a node, or none.

use super::Rule;
use crate::inspect::kubernetes::Workload;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "disruption-budget",
    stage: Stage::Deploy,
    title: "A PodDisruptionBudget leaves room for one pod to go, and keeps one",
    why: "with no room, upgrades of the cluster's nodes wait forever; with minAvailable 0 it protects nothing",
    remedy: "use maxUnavailable: 1, with two replicas or more; for a single pod leave the budget out",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let workloads = facts.workloads();
    for object in facts
        .objects()
        .iter()
        .filter(|one| one.kind == "PodDisruptionBudget")
    {
        let selector = object.spec(&["selector", "matchLabels"]);
        let selected =
            selector.and_then(|labels| workloads.iter().find(|one| one.is_selected(labels)));
        let replicas = selected.map(Workload::replicas);
        let scaled = selected.is_some_and(|one| {
            facts.objects().iter().any(|other| {
                other.kind == "HorizontalPodAutoscaler"
                    && other.spec(&["scaleTargetRef", "name"]).and_then(Node::text)
                        == Some(one.object.name)
            })
        });
        if let Some(least) = object.spec(&["minAvailable"]) {
            let all = least.text() == Some("100%");
            match (least.number(), replicas) {
                (Some(0), _) => {
                    found.risk(
                        object.path,
                        least.line(),
                        "minAvailable: 0 protects nothing",
                    );
                }
                (Some(count), Some(replicas)) if !scaled && count >= replicas => {
                    let message = format!(
                        "minAvailable: {count} of {replicas} pod(s) blocks every drain of their node"
                    );
                    found.breaks(object.path, least.line(), message);
                }
                _ if all => {
                    let message = "minAvailable: 100% blocks every drain";
                    found.breaks(object.path, least.line(), message);
                }
                _ => {}
            }
        }
        if let Some(most) = object.spec(&["maxUnavailable"])
            && matches!(most.text(), Some("0" | "0%"))
        {
            found.breaks(
                object.path,
                most.line(),
                "maxUnavailable: 0 blocks every drain",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn room_for_one_is_fine() {
        let of = |budget: &str, replicas: usize, expected: &[&str]| {
            let text = format!(
                "apiVersion: policy/v1\nkind: PodDisruptionBudget\nspec:\n  {budget}\n  selector:\n    matchLabels: {{app: a}}\n---\napiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: {replicas}\n  template:\n    metadata: {{labels: {{app: a}}}}\n    spec: {{containers: []}}\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("minAvailable: 1", 2, &[]);
        of("minAvailable: 1", 1, &["breaks k.yaml:4"]);
        of("minAvailable: 0", 1, &["risk k.yaml:4"]);
        of("maxUnavailable: 1", 1, &[]);
        of("maxUnavailable: 0", 3, &["breaks k.yaml:4"]);
    }
}
