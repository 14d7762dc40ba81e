//! An autoscaler on a server that must stay alone.

use super::Rule;
use crate::inspect::kubernetes::Workload;
use crate::inspect::source::keeps_sessions;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "autoscaled-singleton",
    stage: Stage::Deploy,
    title: "What must run once, or keeps sessions, is not autoscaled",
    why: "a second pod waits forever for a volume that the first one holds, or gets requests of sessions that it does not know",
    remedy: "delete the HorizontalPodAutoscaler, or move state out of the pod first",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let workloads = facts.workloads();
    for object in facts
        .objects()
        .iter()
        .filter(|one| one.kind == "HorizontalPodAutoscaler")
    {
        let target = |key| object.spec(&["scaleTargetRef", key]).and_then(Node::text);
        let most = object
            .spec(&["maxReplicas"])
            .and_then(Node::number)
            .unwrap_or(2);
        let named = workloads.iter().find(|one| {
            Some(one.object.kind) == target("kind")
                && Some(one.object.name) == target("name")
                && one.object.is_near(object)
        });
        let Some(workload) = named.filter(|_| most > 1) else {
            if named.is_none() && most > 1 && target("name").is_some() && !workloads.is_empty() {
                let message = format!(
                    "scales {} {}, which no manifest here has",
                    target("kind").unwrap_or_default(),
                    target("name").unwrap_or_default()
                );
                let line = object.spec(&["scaleTargetRef"]).map_or(1, Node::line);
                found
                    .risk(object.path, line, message)
                    .remedy("correct scaleTargetRef");
            }
            continue;
        };
        let line = object
            .spec(&["maxReplicas"])
            .map_or(object.node.line(), Node::line);
        let shown = workload.object.shown();
        if let Some(why) = singleton(facts, workload) {
            found.breaks(
                object.path,
                line,
                format!("scales {shown} to {most}, which {why}"),
            );
        } else if workload.is_own() && keeps_sessions(facts.repository) {
            found.risk(object.path, line, format!("scales {shown} to {most}, whose source keeps sessions in memory; scaling down ends them"));
        }
    }
}

/// Why a workload must run once.
fn singleton(facts: &Facts<'_>, workload: &Workload<'_>) -> Option<&'static str> {
    if workload.is_recreated() {
        return Some("has strategy Recreate");
    }
    let claims: Vec<&str> = workload.claims().collect();
    let single = facts.objects().into_iter().any(|one| {
        one.kind == "PersistentVolumeClaim" && claims.contains(&one.name) && is_single(&one)
    });
    if single {
        return Some("mounts a volume that one node may use at a time (ReadWriteOnce)");
    }
    let replicas = workload.object.spec(&["replicas"]).and_then(Node::number);
    (workload.object.kind == "StatefulSet" && replicas == Some(1))
        .then_some("is a StatefulSet with replicas: 1")
}

/// Whether a claim is for one node or pod.
pub fn is_single(claim: &crate::inspect::kubernetes::Object<'_>) -> bool {
    let modes = claim.spec(&["accessModes"]).map_or(&[][..], Node::items);
    !modes.is_empty()
        && modes
            .iter()
            .all(|mode| matches!(mode.text(), Some("ReadWriteOnce" | "ReadWriteOncePod")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(spec: &str, pod: &str, source: &str, expected: &[&str]) {
        let text = format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec:\n  scaleTargetRef: {{kind: Deployment, name: a}}\n  maxReplicas: 10\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec:\n  {spec}\n  template:\n    spec:\n      containers: [{{image: a}}]\n      {pod}\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec:\n  accessModes: [ReadWriteOnce]\n"
        );
        check(&RULE, &[("k.yaml", &text), ("s.py", source)], expected);
    }

    #[test]
    fn singletons_and_sessions_are_told_from_the_rest() {
        of("replicas: 2", "volumes: []", "", &[]);
        of(
            "strategy: {type: Recreate}",
            "volumes: []",
            "",
            &["breaks k.yaml:5"],
        );
        of(
            "replicas: 1",
            "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]",
            "",
            &["breaks k.yaml:5"],
        );
        of(
            "replicas: 1",
            "volumes: []",
            "m = FastMCP('a')\n",
            &["risk k.yaml:5"],
        );
        of(
            "replicas: 1",
            "volumes: []",
            "m = FastMCP('a', stateless_http=True)\n",
            &[],
        );
    }
}
