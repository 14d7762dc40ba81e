//! A rolling update of a pod that holds a volume for itself.

use super::Rule;
use super::autoscaled_singleton::is_single;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "rolling-volume",
    stage: Stage::Deploy,
    title: "A Deployment with a ReadWriteOnce volume is recreated, not rolled",
    why: "the new pod waits on another node for the volume that the old one holds, and the update never ends",
    remedy: "set spec.strategy.type: Recreate, or use a StatefulSet",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let objects = facts.objects();
    for workload in facts.workloads() {
        if workload.object.kind != "Deployment" || workload.is_recreated() {
            continue;
        }
        let claims: Vec<&str> = workload.claims().collect();
        let claim = objects.iter().find(|one| {
            one.kind == "PersistentVolumeClaim"
                && claims.contains(&one.name)
                && is_single(one)
                && one.is_near(&workload.object)
        });
        if let Some(claim) = claim {
            let line = workload
                .object
                .spec(&["strategy"])
                .map_or(workload.object.node.line(), Node::line);
            let shown = workload.object.shown();
            let message = match workload.replicas() {
                0 | 1 => format!(
                    "{shown} is rolled and mounts {}, which is ReadWriteOnce",
                    claim.name
                ),
                count => format!(
                    "{shown} has {count} pods that share {}, which is ReadWriteOnce",
                    claim.name
                ),
            };
            match workload.replicas() {
                0 | 1 => found.risk(workload.object.path, line, message),
                _ => found.breaks(workload.object.path, line, message),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn recreate_and_shared_volumes_are_fine() {
        let of = |spec: &str, mode: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec:\n  {spec}\n  template:\n    spec:\n      volumes: [{{name: d, persistentVolumeClaim: {{claimName: data}}}}]\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec:\n  accessModes: [{mode}]\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("replicas: 1", "ReadWriteOnce", &["risk k.yaml:1"]);
        of("replicas: 3", "ReadWriteOnce", &["breaks k.yaml:1"]);
        of("strategy: {type: Recreate}", "ReadWriteOnce", &[]);
        of("replicas: 1", "ReadWriteMany", &[]);
    }
}
