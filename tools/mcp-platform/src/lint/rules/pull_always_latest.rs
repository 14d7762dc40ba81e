//! An image that is pulled again at each start, whatever it has become.

use crate::lint::rules::image_not_pinned::moving;
use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "pull-always-latest",
    severity: Severity::Warning,
    why: "a pod that is only moved to another node comes back as another program, and an image built on the machine is never used",
    remedy: "name a version or a digest, and `imagePullPolicy: IfNotPresent`",
    docs: "https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            if moving(&container.word("image")) && container.word("imagePullPolicy") == "Always" {
                let text = format!("image {} is pulled at each start", container.word("image"));
                found.at(workload.object, container.line_of("imagePullPolicy"), text);
            }
        }
    }
}
