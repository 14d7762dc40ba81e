//! A mount of a volume that the pod does not have.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "mount-without-volume",
    severity: Severity::Error,
    why: "the API server refuses the pod",
    remedy: "add the volume to `spec.volumes`, or take the mount out",
    docs: "https://kubernetes.io/docs/concepts/storage/volumes/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        let named = |path: &'static str| {
            let lists = workload.template.each("spec.volumes");
            let templates = workload.object.node.each("spec.volumeClaimTemplates");
            lists.chain(templates).map(move |volume| volume.word(path))
        };
        let mut volumes: Vec<String> = named("name").collect();
        volumes.extend(named("metadata.name"));
        for container in workload.all_containers() {
            for mount in container.each("volumeMounts") {
                let name = mount.word("name");
                if !volumes.contains(&name) {
                    let text = format!(
                        "container {} mounts {name}, and there is no such volume",
                        container.word("name")
                    );
                    found.at(workload.object, mount.line_of("name"), text);
                }
            }
        }
    }
}
