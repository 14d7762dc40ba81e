//! A mount of a volume that the pod does not have.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "mount-without-volume",
    stage: Stage::Deploy,
    title: "Every volumeMount names a volume of the pod",
    why: "the API server rejects the pods, and the Deployment never gets one",
    remedy: "add the volume under spec.volumes, such as an emptyDir",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for workload in facts.workloads() {
        let mut volumes: Vec<&str> = workload
            .pod
            .list("volumes")
            .iter()
            .filter_map(|one| one.text_of("name"))
            .collect();
        let templates = workload.object.spec(&["volumeClaimTemplates"]);
        let templates = templates.map_or(&[][..], |node| node.items());
        volumes.extend(
            templates
                .iter()
                .filter_map(|one| one.at(&["metadata", "name"])?.text()),
        );
        for container in workload
            .pod
            .list("initContainers")
            .iter()
            .chain(workload.containers())
        {
            for mount in container.list("volumeMounts") {
                if let Some(name) = mount.text_of("name").filter(|name| !volumes.contains(name)) {
                    found.breaks(
                        workload.object.path,
                        mount.line(),
                        format!(
                            "{} mounts {name}, which is no volume of it",
                            workload.object.shown()
                        ),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn volumes_and_claim_templates_count() {
        let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  volumeClaimTemplates:\n  - metadata: {name: data}\n  template:\n    spec:\n      volumes: [{name: tmp}]\n      containers:\n      - volumeMounts:\n        - name: tmp\n        - name: data\n        - name: cache\n";
        check(&RULE, &[("k.yaml", text)], &["breaks k.yaml:14"]);
    }
}
